package middleware_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// A handler that panics half way, where what is stored may not stand in for
// this request after all: half a body goes out as a whole one.
func TestAPanicThatNothingStandsInForIsNotLost(t *testing.T) {
	broken := false
	inBubble(t, reprise.Policy{Name: "p", TTL: 10 * time.Second, Jitter: -1, StaleIfError: 5 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("half"))
		if broken {
			time.Sleep(10 * time.Second) // past the window; a purge does the same
			panic(http.ErrAbortHandler)
		}
		w.Write([]byte(" and half"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		broken = true
		if a, p := s.try("GET", "/"); p == nil {
			t.Errorf("the abort is lost: %d %q", a.StatusCode, a.text)
		}
	})
}

// The same where the request has a condition that State leaves to the handler.
func TestAPanicOfARequestThatIsAlone(t *testing.T) {
	broken := false
	inBubble(t, reprise.Policy{Name: "p", TTL: 10 * time.Second, Jitter: -1, StaleIfError: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		if broken {
			panic(http.ErrAbortHandler)
		}
		w.Write([]byte("whole"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		broken = true
		if a, p := s.try("GET", "/", "If-Match", `"x"`); p != any(http.ErrAbortHandler) {
			t.Errorf("panic is %v, answer %+v", p, a)
		}
	})
}

func TestAPanicBeforeAnythingIsWritten(t *testing.T) {
	broken := false
	inBubble(t, reprise.Policy{Name: "p", TTL: 10 * time.Second, Jitter: -1, StaleIfError: 5 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		if broken {
			time.Sleep(10 * time.Second) // past the window
			panic(http.ErrAbortHandler)
		}
		w.Write([]byte("whole"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		broken = true
		if a, p := s.try("GET", "/"); p != any(http.ErrAbortHandler) {
			t.Errorf("panic is %v, answer %+v", p, a)
		}
	})
}

// The handler obeys its context; the window of what might stand in has ended by then.
func TestATimeoutPastTheErrorWindow(t *testing.T) {
	slow := false
	inBubble(t, reprise.Policy{Name: "p", TTL: 10 * time.Second, Jitter: -1, StaleIfError: 10 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		if slow {
			<-r.Context().Done()
			return
		}
		w.Write([]byte("whole"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		slow = true
		if _, p := s.try("GET", "/"); p != nil {
			t.Errorf("the cache panics: %v", p)
		}
	})
}

// The handler flushes, and its time ends: the old body goes out behind the new one.
func TestATimeoutAfterAFlush(t *testing.T) {
	slow := false
	inBubble(t, reprise.Policy{Name: "p", TTL: 10 * time.Second, Jitter: -1, StaleIfError: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		if slow {
			w.Write([]byte("new-"))
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		w.Write([]byte("OLD"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		slow = true
		if a, _ := s.try("GET", "/"); strings.Contains(a.text, "OLD") {
			t.Errorf("the client got %q", a.text)
		}
	})
}

// A handler that panics behind its 304: the client, who has no condition, gets the 304.
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

// A purge while the handler fails: what it dropped may not stand in, and what
// the handler wrote of its answer is half of one.
func TestAnAbortAfterAPurgeIsNotLost(t *testing.T) {
	broken := false
	var cache *reprise.Cache
	inBubble(t, reprise.Policy{Name: "p", TTL: 10 * time.Second, Jitter: -1, StaleIfError: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("half"))
		if broken {
			_ = cache.PurgeAll(context.Background())
			panic(http.ErrAbortHandler)
		}
		w.Write([]byte(" and half"))
	}, func(s *site) {
		cache = s.cache
		s.get("/")
		time.Sleep(11 * time.Second)
		broken = true
		if a, p := s.try("GET", "/"); p == nil {
			t.Errorf("the abort is lost: %d %q", a.StatusCode, a.text)
		}
	})
}
