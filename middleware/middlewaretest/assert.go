package middlewaretest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/middleware"
)

// An Answer is a response that is all there.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Get asks h for target, a path or an absolute URL, with header fields given in
// pairs.
func Get(t testing.TB, h http.Handler, target string, fields ...string) *Answer {
	t.Helper()
	return Do(t, h, httptest.NewRequest(http.MethodGet, target, nil), fields...)
}

// Do has h answer r, to which it adds header fields given in pairs.
func Do(t testing.TB, h http.Handler, r *http.Request, fields ...string) *Answer {
	t.Helper()
	if len(fields)%2 != 0 {
		t.Fatalf("middlewaretest: %q has no value", fields[len(fields)-1])
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return &Answer{w.Code, w.Result().Header, w.Body.String()}
}

// Read reads what a client of a real server has got, and closes it.
func Read(t testing.TB, res *http.Response) *Answer {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &Answer{res.StatusCode, res.Header, string(body)}
}

// AssertHit fails the test unless a was stored and fresh, or made for another
// request that came first.
func AssertHit(t testing.TB, a *Answer) {
	t.Helper()
	assert(t, a, "HIT")
}

// AssertMiss fails the test unless the handler made res for this request.
func AssertMiss(t testing.TB, a *Answer) {
	t.Helper()
	assert(t, a, "MISS")
}

// AssertStale fails the test unless a was stored and stale: served while it is
// refreshed, or in the place of an error.
func AssertStale(t testing.TB, a *Answer) {
	t.Helper()
	assert(t, a, "STALE")
}

// AssertRevalidated fails the test unless a was stored and the handler has
// confirmed it for this request.
func AssertRevalidated(t testing.TB, a *Answer) {
	t.Helper()
	assert(t, a, "REVALIDATED")
}

// AssertBypass fails the test unless the cache was not asked, for that reason.
func AssertBypass(t testing.TB, a *Answer, why middleware.Reason) {
	t.Helper()
	assert(t, a, "BYPASS")
	AssertReason(t, a, why)
}

// AssertReason fails the test unless a tells why in Cache-Status: of a response that was
// not stored why, and of a stored one why the handler was asked.
func AssertReason(t testing.TB, a *Answer, why middleware.Reason) {
	t.Helper()
	lines := a.Header["Cache-Status"]
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

func assert(t testing.TB, a *Answer, want string) {
	t.Helper()
	switch got := a.Header.Get("X-Cache"); got {
	case want:
	case "":
		t.Errorf("no X-Cache, want %s: has the response (%d) come through the cache?", want, a.Status)
	default:
		t.Errorf("X-Cache is %s, want %s; Cache-Status: %q", got, want, a.Header["Cache-Status"])
	}
}
