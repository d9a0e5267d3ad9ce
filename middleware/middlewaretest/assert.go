package middlewaretest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/middleware"
)

// Get asks h for target, a path or an absolute URL, with header fields given in
// pairs. The response's body is all there; nobody need close it.
func Get(t testing.TB, h http.Handler, target string, fields ...string) *http.Response {
	t.Helper()
	return Do(t, h, httptest.NewRequest(http.MethodGet, target, nil), fields...)
}

// Do has h answer r, to which it adds header fields given in pairs.
func Do(t testing.TB, h http.Handler, r *http.Request, fields ...string) *http.Response {
	t.Helper()
	if len(fields)%2 != 0 {
		t.Fatalf("middlewaretest: %q has no value", fields[len(fields)-1])
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// AssertHit fails the test unless res was stored and fresh, or made for another
// request that came first.
func AssertHit(t testing.TB, res *http.Response) {
	t.Helper()
	assert(t, res, "HIT")
}

// AssertMiss fails the test unless the handler made res for this request.
func AssertMiss(t testing.TB, res *http.Response) {
	t.Helper()
	assert(t, res, "MISS")
}

// AssertStale fails the test unless res was stored and stale: served while it is
// refreshed, or in the place of an error.
func AssertStale(t testing.TB, res *http.Response) {
	t.Helper()
	assert(t, res, "STALE")
}

// AssertRevalidated fails the test unless res was stored and the handler has
// confirmed it for this request.
func AssertRevalidated(t testing.TB, res *http.Response) {
	t.Helper()
	assert(t, res, "REVALIDATED")
}

// AssertBypass fails the test unless the cache was not asked, for that reason.
func AssertBypass(t testing.TB, res *http.Response, why middleware.Reason) {
	t.Helper()
	assert(t, res, "BYPASS")
	AssertReason(t, res, why)
}

// AssertReason fails the test unless res tells why in Cache-Status: of a response that was
// not stored why, and of a stored one why the handler was asked.
func AssertReason(t testing.TB, res *http.Response, why middleware.Reason) {
	t.Helper()
	lines := res.Header["Cache-Status"]
	if len(lines) == 0 {
		t.Errorf("no Cache-Status, want the reason %v: has the response come through the cache?", why)
		return
	}
	own := lines[len(lines)-1] // the one nearest to the client (RFC 9211 §2)
	for param := range strings.SplitSeq(own, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if (name == "fwd" || name == "detail") && value == why.String() {
			return
		}
	}
	t.Errorf("Cache-Status is %q, want the reason %v", own, why)
}

func assert(t testing.TB, res *http.Response, want string) {
	t.Helper()
	switch got := res.Header.Get("X-Cache"); got {
	case want:
	case "":
		t.Errorf("no X-Cache, want %s: has the response (%s) come through the cache?", want, res.Status)
	default:
		t.Errorf("X-Cache is %s, want %s; Cache-Status: %q", got, want, res.Header["Cache-Status"])
	}
}
