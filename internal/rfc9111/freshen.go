package rfc9111

import (
	"net/http"
	"slices"
)

// bodyFields are the fields that an update never brings, besides those of
// RemoveHopByHop: what is stored of the body stays as it is, so they must.
var bodyFields = []string{
	// RFC 9111 §3.2 names it, and Content-Range and Content-Encoding as what
	// integrity may need. A stored body is as it was sent, with its coding.
	"Content-Length", "Content-Encoding", "Content-Range",
	// RFC 9530 §2: the digest of the content of one message, which in a 304 is empty.
	"Content-Digest",
}

// Freshen returns the fields of a stored response that update, a 304 (RFC 9111
// §4.3.4) or the 200 response to a HEAD (§4.3.5), has confirmed: those of stored
// with each field of update in place of the lines of the same name (§3.2).
//
// Update does not bring what must not be stored (§3.1: hop-by-hop fields, and
// all that its Connection names), nor what describes the stored body's bytes:
// Content-Length, Content-Encoding, Content-Range, Content-Digest. Content-Type it
// does bring: the bytes do not depend upon it, so that §3.2 asks for it ("the
// Content-* prefix is not a signal"), and RFC 9110 §15.4.5 has a 304 carry such
// metadata only to guide this update.
//
// The Date and Age of stored go, whether or not update has others: they tell of
// the older response. The caller adds a Date if there is none. All else that
// update does not have stays, Expires beside a new Cache-Control too. Set-Cookie
// comes as update has it; the caller judges it, and update's Cache-Control where
// Connection names that.
//
// Neither argument is written to. The result shares their lines, each slice
// clipped: append to one, but do not write into it.
func Freshen(stored, update http.Header) http.Header {
	h := make(http.Header, len(stored)+len(update))
	for name, lines := range stored {
		h[name] = slices.Clip(lines)
	}
	RemoveHopByHop(h) // a stored response has none; one that does must not pass them on
	delete(h, "Date")
	delete(h, "Age")

	news := make(http.Header, len(update))
	for name, lines := range update {
		if len(lines) > 0 { // net/http sends no line for h["Content-Type"] = nil, so it is no field
			news[name] = slices.Clip(lines)
		}
	}
	RemoveHopByHop(news)
	RemoveFields(news, bodyFields)
	for name, lines := range news {
		h[name] = lines
	}
	return h
}
