package rfc9111

import (
	"net/http"
	"net/url"
	"strings"
)

// Unsafe tells whether a method may change what a GET returns. A method we do
// not know counts as one that does (RFC 9111 §4.4). Methods have letter case.
func Unsafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return true
}

// Invalidates tells whether an answer drops what is stored for its target URI:
// a non-error answer to an unsafe request (RFC 9111 §4.4).
func Invalidates(method string, status int) bool {
	return Unsafe(method) && 200 <= status && status <= 399
}

// SameOriginTargets returns the URIs in the Location and Content-Location of an
// answer that it invalidates besides its target u, which must be absolute: at most
// two, resolved, without fragment. Those of another origin are left out, or one
// site could empty another's cache (RFC 9111 §4.4).
func SameOriginTargets(u *url.URL, h http.Header) []*url.URL {
	var targets []*url.URL
	for _, field := range [...]string{"Location", "Content-Location"} {
		lines := h[field]
		if len(lines) == 0 || lines[0] == "" {
			continue
		}
		target, err := u.Parse(lines[0])
		if err != nil || !sameOrigin(u, target) {
			continue
		}
		target.Fragment, target.RawFragment, target.User = "", "", nil
		if target.Path == "" {
			target.Path = "/" // RFC 9110 §4.2.3
		}
		if len(targets) == 0 || targets[0].String() != target.String() {
			targets = append(targets, target)
		}
	}
	return targets
}

// sameOrigin compares scheme, host and port (RFC 6454 §5, RFC 9110 §4.3.1).
func sameOrigin(a, b *url.URL) bool {
	return a.Host != "" && strings.EqualFold(a.Scheme, b.Scheme) &&
		strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// port returns u's port, the one that the scheme implies made explicit.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case strings.EqualFold(u.Scheme, "http"):
		return "80"
	case strings.EqualFold(u.Scheme, "https"):
		return "443"
	}
	return ""
}
