// Package keyfunc makes the keys under which responses and data are stored:
// readable, so that a person can tell what an entry is, and injective, so that
// two things never share one.
//
// # Keys of requests
//
// [Default] is right for most routes. Its keys read
//
//	GET|https|example.com|/products/42|currency=USD&locale=en
//
// and hold, in this order:
//
//   - GET, whatever the method. Answers to GET are what a cache keeps; HEAD is
//     answered from them, and for any other method the key names what its
//     success invalidates (RFC 9111 §4.4). To store answers to other methods
//     takes a key function of one's own.
//   - The scheme: https if the request came over TLS to this process.
//   - Host as received: example.com, EXAMPLE.com and example.com:80 are three.
//   - The path as received, escapes untouched: /a/b, /a%2fb, /a//b and
//     /x/../a/b are four. A request line in absolute form (RFC 9112 §3.2.2) is
//     kept whole, and is one more.
//   - The query, if there is a question mark, even one with nothing after it:
//     each pair's bytes as received, sorted by the decoded name. Pairs of one
//     name keep their order, empty pairs count. A query with a semicolon, with
//     a bad percent-escape or with more than 256 pairs is kept as it came.
//   - |path</42>, if the router sees another path than was received, behind
//     [http.StripPrefix] for instance; a second pair of brackets holds
//     [net/url.URL.RawPath] where it is set. |query<a=1> likewise.
//   - |X-Forwarded-Host<example.com>, for each field of [ReflectedHeaders] in
//     the request, with a pair of brackets for each line.
//
// # What a key must contain
//
// Everything of the request that the handler's answer depends on, other than
// what the answer names in Vary. What is left out of a key is something that
// one client can set and another client gets the effect of. So [Parts], which
// changes what a key holds, leaves things out by name only:
//
//   - Leave query parameters out (IgnoreQuery, OnlyQuery) only if the handler
//     does not read them, nor prints its own URL.
//   - Leave Host out only if the handler never reads it, for links and
//     redirects neither.
//   - Trust a header field (TrustHeaders) only if a proxy in front sets or
//     removes it in every request. Behind a proxy that always sets it to a few
//     values, there is nothing to do: it is a few keys. Forwarded is different,
//     as most proxies put the client's address in it: each client has a key of
//     its own until it is trusted.
//   - A tenant or an account that outer middleware put in the context has to
//     be put in the key, by Extra.
//
// The address of the client (X-Forwarded-For, X-Real-Ip) is never part of the
// key: an answer that depends on it is not for sharing. Origin is not, either:
// a handler that reflects it says so in Vary, or has it in Headers.
//
// A key function that returns an error makes the request bypass the cache
// altogether: nothing is looked up, stored or shared.
//
// # Keys of data
//
// [Key] builds keys such as
//
//	product:42:details:currency=USD&locale=en
//
// for values that are no responses. [Builder.Pattern] gives the glob that
// matches the keys below one and no others.
//
// # The form
//
// A byte that separates, that means something in a glob or to Redis Cluster, a
// space, a control byte and a byte that is not ASCII is written as RFC 5234
// writes bytes: %x7C is a vertical bar. A percent-escape that a client sent has
// no x and stays as it is, so a URL without such bytes reads as it was sent.
// Keys are ASCII, and never empty.
//
// A key of a request has a vertical bar, and a key of data has none: the two
// can share a store.
//
// A key of more than 512 bytes is cut at 460, and ends in the SHA-256 of the
// whole, |sha256<...> or :sha256<...>, which no shorter key does. A hash that
// is not cryptographic would let a client who chooses URLs make two collide.
package keyfunc
