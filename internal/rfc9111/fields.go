package rfc9111

import (
	"net/http"
	"slices"
	"strings"
)

// hopByHop, in canonical form, are the fields that a stored response never has, besides Connection.
var hopByHop = []string{
	// RFC 9110 §7.6.1: they mean one connection.
	"Keep-Alive", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade",
	// RFC 9111 §3.1: they mean one proxy.
	"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
	// RFC 9110 §6.6.2: it announces trailers, which are not stored.
	"Trailer",
}

// RemoveHopByHop drops, in place, what must not be stored of a response:
// Connection, every field it names, and the fields that mean one connection or
// one proxy (RFC 9111 §3.1). Read Cache-Control before: a response that names
// it in Connection still means it.
func RemoveHopByHop(h http.Header) {
	members(h["Connection"], func(name string) bool {
		RemoveFields(h, []string{name})
		return true
	})
	delete(h, "Connection")
	for _, name := range hopByHop {
		delete(h, name)
	}
}

// RemoveFields drops the fields names, in any letter case, from h, as
// no-cache="…" and private="…" ask (RFC 9111 §5.2.2.4, §5.2.2.7).
func RemoveFields(h http.Header, names []string) {
	for _, name := range names {
		delete(h, http.CanonicalHeaderKey(name))
	}
}

// Canonicalize renames, in place, the fields of h whose names are not canonical,
// behind the lines that the canonical name has already. The server writes
// h["cache-control"] as it writes h["Cache-Control"]; the rest of this package
// looks for the latter.
func Canonicalize(h http.Header) {
	var odd []string
	for name := range h {
		if http.CanonicalHeaderKey(name) != name {
			odd = append(odd, name)
		}
	}
	slices.SortFunc(odd, strings.Compare) // map order must not decide the order of lines
	for _, name := range odd {
		canonical := http.CanonicalHeaderKey(name)
		h[canonical] = append(slices.Clip(h[canonical]), h[name]...)
		delete(h, name)
	}
}
