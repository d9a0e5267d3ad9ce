package middleware

import (
	"net/http"
	"net/url"
	"strings"
)

// storesPOST tells whether the answer to r may be one for later GETs. Its body
// apart, a POST that would bypass the cache as a GET does so as well.
func (h *handler) storesPOST(r *http.Request) (f facts, may bool) {
	if r.Method != http.MethodPost || !h.policy.Advanced.StorePOST {
		return 0, false
	}
	f, why := h.lookAtHeader(r)
	return f, why == ReasonNone
}

// post lets the next handler answer a POST, and stores the answer for later
// GETs if it says that it is one (RFC 9110 §9.3.3).
func (rt *route) post(w *invalidating, r *http.Request, f facts) {
	x := newExchange(rt, w, r, f)
	x.outer = scratchOf(r.Context())
	if err := x.makeKey(); err != nil {
		x.free()
		rt.next.ServeHTTP(w, r)
		return
	}
	w.x = x
	v, o, err := x.load()
	if x.capture == nil { // its client has gone, which is no reason not to do what it asked
		rt.next.ServeHTTP(w, r)
		return
	}
	x.reply(v, o, err)
}

// located tells whether a response with header h says that it is what a GET of
// the request's own URL would return. Where purges of the URL find the response
// by its tag, that of this POST would drop it: then there is nothing to store.
func (x *exchange) located(h http.Header) bool {
	lines := h["Content-Location"]
	if len(lines) != 1 || x.urlTag() != "" {
		return false
	}
	host, uri := targetOf(x.r)
	self, err := url.Parse("http://" + host + uri)
	if err != nil {
		return false
	}
	u, err := self.Parse(lines[0])
	// A program behind a proxy that ends TLS does not know its own scheme.
	return err == nil && u.User == nil && (u.Scheme == "http" || u.Scheme == "https") &&
		strings.EqualFold(u.Host, self.Host) && u.RequestURI() == self.RequestURI()
}
