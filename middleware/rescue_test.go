package middleware_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// failing asks a second time for a page of 10 s, when it is stale and its handler
// fails, in a bubble. What is stored may stand in for errors for window.
func failing(t *testing.T, window time.Duration, fail func(s *site, w http.ResponseWriter, r *http.Request), fields ...string) (a answer, panicked any) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var s *site
		s = newSite(t, reprise.Policy{Name: "p", TTL: 10 * time.Second, Jitter: -1, StaleIfError: window}, func(w http.ResponseWriter, r *http.Request) {
			if s.runs.Load() > 1 {
				fail(s, w, r)
				return
			}
			w.Write([]byte("OLD"))
		})
		s.get("/").want(t, "MISS", "OLD")
		time.Sleep(11 * time.Second)
		a, panicked = s.try("GET", "/", fields...)
	})
	return a, panicked
}

// Whether something stands in is known when the handler has failed. If nothing
// does, its panic goes on, and half a body is not sent as a whole one.
func TestAPanicThatNothingStandsInForIsNotLost(t *testing.T) {
	abort := func(*site, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		window time.Duration
		fail   func(*site, http.ResponseWriter, *http.Request)
		fields []string
	}{
		"half way, past the window": {5 * time.Second, func(s *site, w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("half"))
			time.Sleep(10 * time.Second)
			abort(s, w, r)
		}, nil},
		"before anything, past the window": {5 * time.Second, func(s *site, w http.ResponseWriter, r *http.Request) {
			time.Sleep(10 * time.Second)
			abort(s, w, r)
		}, nil},
		"half way, after a purge": {time.Hour, func(s *site, w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("half"))
			_, _ = s.cache.PurgeAll(r.Context())
			abort(s, w, r)
		}, nil},
		"under a precondition": {time.Hour, abort, []string{"If-Match", `"x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if a, p := failing(t, c.window, c.fail, c.fields...); p != any(http.ErrAbortHandler) {
				t.Errorf("panic is %v, answer %+v", p, a)
			}
		})
	}
}

// The handler obeys its context; the window of what might stand in has ended by then.
func TestATimeoutPastTheErrorWindow(t *testing.T) {
	_, p := failing(t, 10*time.Second, func(_ *site, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if p != nil {
		t.Errorf("the cache panics: %v", p)
	}
}

// What has begun to go out is not followed by what is stored.
func TestATimeoutAfterAFlush(t *testing.T) {
	a, _ := failing(t, time.Hour, func(_ *site, w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("new-"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	if strings.Contains(a.text, "OLD") {
		t.Errorf("the client got %q", a.text)
	}
}

// A 304 to our own condition is no answer for a client who had none.
func TestAPanicBehindA304IsNotLost(t *testing.T) {
	inBubble(t, reprise.Policy{Name: "p", StaleIfError: 5 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=10")
		w.Header().Set("Etag", `"e"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(304)
			time.Sleep(10 * time.Second)
			panic(http.ErrAbortHandler)
		}
		w.Write([]byte("x"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		if a, p := s.try("GET", "/"); p == nil {
			t.Errorf("%d %q", a.StatusCode, a.text)
		}
	})
}

// A request with a precondition is the handler's, and so are its errors, however long.
func TestALongErrorUnderAPreconditionIsWhole(t *testing.T) {
	text := strings.Repeat("broken ", 200)
	broken := false
	p := reprise.Policy{Name: "p", TTL: time.Minute, StaleIfError: time.Hour, Limits: reprise.Limits{Body: 100}}
	s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
		if broken {
			w.WriteHeader(http.StatusServiceUnavailable)
			for _, word := range strings.SplitAfter(text, " ") {
				w.Write([]byte(word))
			}
			return
		}
		w.Write([]byte("x"))
	})
	s.get("/")
	broken = true
	if a := s.get("/", "If-Match", `"x"`); a.StatusCode != http.StatusServiceUnavailable || a.text != text {
		t.Errorf("got %d with %d bytes, want all %d", a.StatusCode, len(a.text), len(text))
	}
}
