// Package middleware caches the responses of HTTP handlers: a shared cache
// (RFC 9111) inside the program, for chi, http.ServeMux and any other router of
// http.Handlers.
//
// Import it as reprise; chi has a package middleware too:
//
//	import reprise "github.com/reprise-go/reprise/middleware"
//
// A [Cache] stands on a [store.Store]: store/memstore for one process,
// store/redisstore for a fleet. [Cache.Handler] turns a [Policy] into a
// middleware. A response is stored if nothing in it or in its request forbids
// that, and if it says how long it is fresh or the policy does.
//
// # What a handler says
//
// Its header fields, first of all: Cache-Control, Expires, Vary, ETag. Beside
// them [Tag] names what the response is made of, so that [Cache.PurgeTags] can
// drop it; [NoStore] and [SetTTL] speak to this cache alone.
//
// # What a handler sees
//
// A response that has gone stale and has an ETag or a Last-Modified of the
// handler's own is kept for a while, see Advanced.Keep. The handler then sees
// If-None-Match and If-Modified-Since that no client sent, and a 304 from it
// makes what is stored fresh again; http.ServeContent does that by itself. A
// client's own conditions do not reach the handler where the response is for
// others too: the cache answers them. A Range reaches it where nothing is stored,
// and one part of a response with a strong ETag is stored, and later completed
// by asking for the rest with Range and If-Range.
//
// # What a client sees
//
// X-Cache is HIT, MISS, STALE, REVALIDATED or BYPASS. Cache-Status (RFC 9211)
// says why. Age is how old the answer is. A 200 without an ETag gets one.
//
// # Its place among other middleware
//
// Authentication MUST come before it (outside), so that it runs on a hit as
// well; so must what limits rates and what logs. Compression SHOULD come after
// it (inside), with Vary: Accept-Encoding, so that its work is stored. What
// sets fields for one request only, such as request ids, SHOULD stay outside. It may
// set, add and delete fields of an answer; it must not write into the values that
// are there (w.Header()["Link"][0] = …), which many answers have in common.
//
// A handler behind the cache MUST NOT answer by anything of the request that
// neither the key, nor Vary, nor Authorization and cookies cover.
package middleware
