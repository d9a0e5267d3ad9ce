package middleware_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// A HEAD that says nothing of the body keeps no old body fresh.
func TestABareHEADFreshensNothing(t *testing.T) {
	version := "v1"
	p := plain
	p.StaleIfError = 10 * time.Minute // so that it is still there
	inBubble(t, p, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, version)
	}, func(s *site) {
		s.get("/")
		version = "version 2"
		for range 5 {
			time.Sleep(61 * time.Second)
			s.do("HEAD", "/")
		}
		if a := s.get("/"); a.text != version {
			t.Errorf("five minutes later, with a TTL of one, there is %q: %q", a.text, a.Header["Cache-Status"])
		}
	})
}

// A HEAD of one client, by his cookie or his Range, does not end what is fresh for everyone.
func TestAHEADOfOneClientEndsNothing(t *testing.T) {
	serve := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("Etag", `"e"`)
		if _, err := r.Cookie("banned"); err == nil {
			w.Header().Set("Cache-Control", "private")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader("abcdef"))
	}
	for name, fields := range map[string][]string{
		"cookie": {"Cookie", "banned=1"},
		"range":  {"Range", "bytes=0-0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, reprise.Policy{Name: "p"}, serve)
			s.get("/").want(t, "MISS", "abcdef")
			s.do("HEAD", "/", append(fields, "Cache-Control", "no-cache")...)
			s.get("/").want(t, "HIT", "abcdef")
		})
	}
}

// What a HEAD with a cookie is answered is not for others: the answer to such a
// GET would not be stored either.
func TestAHEADWithACookieGivesNothingToOthers(t *testing.T) {
	inBubble(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("user"); err == nil {
			w.Header().Set("X-User", c.Value)
			fmt.Fprint(w, "hello ", c.Value)
			return
		}
		w.Header().Set("Cache-Control", "max-age=10, stale-if-error=60")
		w.Write([]byte("hello"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		s.do("HEAD", "/", "Cookie", "user=alice")
		if a := s.get("/"); a.Header.Get("X-User") != "" {
			t.Errorf("another client gets %v (%q)", a.Header.Get("X-User"), a.Header["Cache-Status"])
		}
	})
}

// By no-cache any client may reach the handler at any time.
func TestAHEADThatReloadsGivesNothingToOthers(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("user"); err == nil {
			w.Header().Set("X-User", c.Value)
			fmt.Fprint(w, "hello ", c.Value)
			return
		}
		w.Header().Set("Cache-Control", "max-age=10")
		w.Write([]byte("hello"))
	})
	s.get("/")
	s.do("HEAD", "/", "Cookie", "user=alice", "Cache-Control", "no-cache")
	if a := s.get("/"); a.Header.Get("X-User") != "" {
		t.Errorf("another client gets %v (%q)", a.Header.Get("X-User"), a.Header["Cache-Status"])
	}
}

// A HEAD may have another handler than the GET, with another type.
func TestAHEADOfAnotherTypeFreshensNothing(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=10")
		if r.Method == "HEAD" {
			w.Header().Set("Content-Type", "text/html")
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{}`))
	})
	s.get("/")
	s.do("HEAD", "/", "Cache-Control", "no-cache")
	if a := s.get("/"); a.Header.Get("Content-Type") == "text/html" {
		t.Errorf("%v", a.Header)
	}
}

// What one client's credentials are answered must not end what others have. By
// a GET it does not.
func TestAHEADWithBadCredentialsEndsNothing(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusUnauthorized) // these credentials are bad
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Write([]byte("x"))
	})
	s.get("/")
	s.do("HEAD", "/", "Authorization", "bad", "Cache-Control", "no-cache")
	s.get("/").want(t, "HIT", "x")
}
