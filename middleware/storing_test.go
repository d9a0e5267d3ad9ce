package middleware_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// Each case is a response, perhaps to a special request, and what a second
// request like the first gets.
func TestWhatIsStored(t *testing.T) {
	type fields []string
	implicit, explicit := plain, plain
	explicit.TTL = 0
	for _, c := range []struct {
		name     string
		policy   reprise.Policy
		status   int
		response fields
		request  fields
		second   string
		detail   string // of the first answer's Cache-Status
	}{
		{"A1 no lifetime at all", explicit, 200, nil, nil, "MISS", "no-freshness"},
		{"policy TTL", implicit, 200, nil, nil, "HIT", ""},
		{"A2 max-age", explicit, 200, fields{"Cache-Control", "max-age=10"}, nil, "HIT", ""},
		{"A2 s-maxage over max-age", explicit, 200, fields{"Cache-Control", "max-age=10, s-maxage=0"}, nil, "MISS", "no-freshness"},
		{"A2 max-age=0 is 0, not the policy's", implicit, 200, fields{"Cache-Control", "max-age=0"}, nil, "MISS", "no-freshness"},
		{"A2 Expires", explicit, 200, fields{"Expires", "Fri, 01 Jan 2100 00:00:00 GMT"}, nil, "HIT", ""},
		{"A5 Expires 0", implicit, 200, fields{"Expires", "0"}, nil, "MISS", "no-freshness"},
		{"A3 quoted extension", explicit, 200, fields{"Cache-Control", `ext="max-age=3600"`}, nil, "MISS", "no-freshness"},
		{"A3 invalid", implicit, 200, fields{"Cache-Control", "max-age=x"}, nil, "MISS", "no-freshness"},
		{"A4 Age counts", explicit, 200, fields{"Cache-Control", "max-age=10", "Age", "11"}, nil, "MISS", "no-freshness"},
		{"A7 no-store", implicit, 200, fields{"Cache-Control", "max-age=60", "Cache-Control", "No-Store"}, nil, "MISS", "no-store"},
		{"A7 private", implicit, 200, fields{"Cache-Control", "private, max-age=60"}, nil, "MISS", "private"},
		{"A8 no-cache", implicit, 200, fields{"Cache-Control", "no-cache"}, nil, "MISS", "no-cache"},
		{"A9 206", implicit, 206, fields{"Cache-Control", "max-age=60", "Content-Range", "bytes 0-0/1"}, nil, "MISS", "status"},
		{"A9 any status with explicit freshness", explicit, 201, fields{"Cache-Control", "max-age=60"}, nil, "HIT", ""},
		{"A10 Authorization", implicit, 200, nil, fields{"Authorization", "Basic x"}, "MISS", "authorization"},
		{"A10 Authorization, max-age", explicit, 200, fields{"Cache-Control", "max-age=60"}, fields{"Authorization", "Basic x"}, "MISS", "authorization"},
		{"A10 Authorization, public", explicit, 200, fields{"Cache-Control", "public, max-age=60"}, fields{"Authorization", "Basic x"}, "HIT", ""},
		{"A10 Authorization, s-maxage", explicit, 200, fields{"Cache-Control", "s-maxage=60"}, fields{"Authorization", "Basic x"}, "HIT", ""},
		{"A10 Authorization, public, implicit", implicit, 200, fields{"Cache-Control", "public"}, fields{"Authorization", "Basic x"}, "MISS", "authorization"},
		{"A10 Authorization on an empty first line", implicit, 200, nil, fields{"Authorization", "", "Authorization", "Basic x"}, "MISS", "authorization"},
		{"A14 Vary *", implicit, 200, fields{"Vary", "Accept", "Vary", "X, *"}, nil, "MISS", "vary"},
		{"A14 Vary", implicit, 200, fields{"Vary", "Accept"}, nil, "HIT", ""},
		{"B Vary: Cookie", implicit, 200, fields{"Vary", "cookie"}, nil, "MISS", "vary"},
		{"B cookies, implicit", implicit, 200, nil, fields{"Cookie", "a=b"}, "MISS", "cookies"},
		{"B cookies, explicit", implicit, 200, fields{"Cache-Control", "max-age=60"}, fields{"Cookie", "a=b"}, "HIT", ""},
		{"B Set-Cookie", implicit, 200, fields{"Set-Cookie", "a=b", "Cache-Control", "public, max-age=60"}, nil, "MISS", "set-cookie"},
		{"B 404", implicit, 404, nil, nil, "HIT", ""},
		{"B 204", implicit, 204, nil, nil, "MISS", "status"},
		{"B 403", implicit, 403, nil, nil, "MISS", "status"},
		{"B 500", implicit, 500, nil, nil, "MISS", "error"},
		{"B 301", implicit, 301, fields{"Location", "/x"}, nil, "HIT", ""},
		{"B 301 without Location", implicit, 301, nil, nil, "MISS", "status"},
		{"B 302", implicit, 302, fields{"Location", "/x"}, nil, "MISS", "status"},
		{"other spelling of a field", implicit, 200, fields{"cache-control", "no-store"}, nil, "MISS", "no-store"},
		{"B 429 never", implicit, 429, fields{"Cache-Control", "max-age=60"}, nil, "MISS", "status"},
		{"events", implicit, 200, fields{"Content-Type", "text/event-stream; charset=utf-8"}, nil, "MISS", "stream"},
		{"request no-store", implicit, 200, nil, fields{"Cache-Control", "no-store"}, "MISS", "request-no-store"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.policy, with(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(c.status)
				if c.status != 204 {
					w.Write([]byte("x"))
				}
			}, c.response...))
			first := s.get("/", c.request...)
			if first.StatusCode != c.status {
				t.Errorf("status = %d, want %d", first.StatusCode, c.status)
			}
			want := fmt.Sprintf("reprise; fwd=uri-miss; fwd-status=%d; ", c.status)
			if want += "stored"; c.detail != "" {
				want = want[:len(want)-len("stored")] + "detail=" + c.detail
			}
			if got := first.Header.Get("Cache-Status"); got != want {
				t.Errorf("Cache-Status = %q, want %q", got, want)
			}
			s.get("/", c.request...).want(t, c.second, "*")
		})
	}
}

func TestImplicitFreshnessIsForPlainRequests(t *testing.T) {
	s := newSite(t, plain, say("for all"))
	s.get("/").want(t, "MISS", "for all")
	for _, credentials := range [][]string{{"Authorization", "Bearer x"}, {"Cookie", "sid=1"}} {
		s.get("/", credentials...).want(t, "MISS", "for all")
		s.get("/", credentials...).want(t, "MISS", "for all")
	}
	s.get("/").want(t, "HIT", "for all")
	s.wantRuns(5)
}

func TestCookiesByPolicy(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("lang")
		if err != nil {
			c = &http.Cookie{Value: "none"}
		}
		fmt.Fprint(w, c.Value)
	}
	t.Run("Ignore", func(t *testing.T) {
		p := plain
		p.Cookies.Ignore = true
		s := newSite(t, p, echo)
		s.get("/", "Cookie", "lang=de").want(t, "MISS", "de")
		s.get("/", "Cookie", "lang=en").want(t, "HIT", "de")
	})
	t.Run("Vary", func(t *testing.T) {
		p := plain
		p.Cookies.Vary = []string{"lang"}
		s := newSite(t, p, echo)
		for _, want := range []string{"MISS", "HIT"} {
			s.get("/", "Cookie", "lang=de; x=1").want(t, want, "de")
			s.get("/", "Cookie", "lang=en; x=2").want(t, want, "en")
			s.get("/").want(t, want, "none")
		}
	})
}

func TestVariantsLiveTogether(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Language")
		if r.Header.Get("X-Device") != "" {
			w.Header().Set("Vary", "X-Device") // another answer, another Vary
		}
		fmt.Fprint(w, r.Header.Get("Accept-Language"), "/", r.Header.Get("X-Device"))
	})
	for _, want := range []string{"MISS", "HIT", "HIT"} {
		s.get("/", "Accept-Language", "de").want(t, want, "de/")
		s.get("/", "Accept-Language", "en").want(t, want, "en/")
		s.get("/").want(t, want, "/")
	}
	s.get("/", "Accept-Language", "fr", "X-Device", "tv").want(t, "MISS", "fr/tv")
	s.get("/", "Accept-Language", "fr", "X-Device", "tv").want(t, "HIT", "fr/tv")
	s.get("/", "Accept-Language", "de").want(t, "MISS", "de/") // selected by more now
	for range 3 {
		s.get("/", "Accept-Language", "fr", "X-Device", "tv").want(t, "HIT", "fr/tv")
		s.get("/", "Accept-Language", "de").want(t, "HIT", "de/")
	}
}

func TestAHandlerThatChangesItsRequestFieldsDoesNotMoveItsVariant(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		lang := r.Header.Get("Accept-Language")
		r.Header.Set("Accept-Language", "changed")
		w.Header().Set("Vary", "Accept-Language")
		fmt.Fprint(w, lang)
	})
	s.get("/", "Accept-Language", "de").want(t, "MISS", "de")
	s.get("/", "Accept-Language", "changed").want(t, "MISS", "changed")
	s.get("/", "Accept-Language", "de").want(t, "HIT", "de")
}

func TestWhatIsNotStoredOfAHeader(t *testing.T) {
	p := plain
	p.Advanced.StripHeaders = []string{"x-request-id"}
	s := newSite(t, p, with(say("x"), "Connection", "X-Hop", "X-Hop", "1", "Keep-Alive", "1", "X-Request-Id", "7", "X-Kept", "1"))
	first := s.get("/")
	if first.Header.Get("X-Request-Id") != "7" || first.Header.Get("X-Hop") != "1" {
		t.Errorf("the handler's own client misses fields: %v", first.Header)
	}
	second := s.get("/")
	second.want(t, "HIT", "x")
	for _, name := range []string{"Connection", "X-Hop", "Keep-Alive", "X-Request-Id"} {
		if _, ok := second.Header[name]; ok {
			t.Errorf("%s was stored", name)
		}
	}
	if second.Header.Get("X-Kept") != "1" {
		t.Error("X-Kept was not stored")
	}
}

func TestARangeThatTheHandlerAnswersDoesNotDisplaceTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.StaleIfError = time.Hour
		failing := false
		s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case failing:
				http.Error(w, "broken", http.StatusServiceUnavailable)
			case r.Header.Get("Range") != "":
				w.Header().Set("Content-Range", "bytes 0-0/5")
				w.WriteHeader(http.StatusPartialContent)
			default:
				fmt.Fprint(w, "whole")
			}
		})
		s.get("/").want(t, "MISS", "whole")
		time.Sleep(2 * time.Minute)
		if a := s.get("/", "Range", "bytes=0-0"); a.StatusCode != http.StatusPartialContent {
			t.Errorf("status = %d", a.StatusCode)
		}
		failing = true
		s.get("/").want(t, "STALE", "whole")
	})
}

func TestRequestDirectives(t *testing.T) {
	run := func(t *testing.T, mode reprise.Directives, control string, after time.Duration, want string) {
		synctest.Test(t, func(t *testing.T) {
			p := plain
			p.Advanced.ClientDirectives = mode
			s := newSite(t, p, say("x"))
			s.get("/")
			time.Sleep(after)
			s.get("/", "Cache-Control", control).want(t, want, "x")
		})
	}
	for _, c := range []struct {
		control string
		after   time.Duration
		want    string
	}{
		{"no-cache", time.Second, "MISS"},
		{"max-age=0", time.Second, "MISS"},
		{"max-age=10", 5 * time.Second, "HIT"},
		{"max-age=10", 15 * time.Second, "MISS"},
		{"min-fresh=50", 5 * time.Second, "HIT"},
		{"min-fresh=50", 15 * time.Second, "MISS"},
		{"no-store", time.Second, "HIT"},
	} {
		t.Run(fmt.Sprint(c.control, " after ", c.after), func(t *testing.T) {
			run(t, reprise.HonourDirectives, c.control, c.after, c.want)
			run(t, reprise.IgnoreReload, c.control, c.after, "HIT")
			run(t, reprise.IgnoreDirectives, c.control, c.after, "HIT")
		})
	}
}

func TestAReloadRefreshesTheEntryForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) { n++; fmt.Fprint(w, n) })
		s.get("/").want(t, "MISS", "1")
		time.Sleep(time.Second)
		s.get("/", "Cache-Control", "no-cache").want(t, "MISS", "2")
		s.get("/").want(t, "HIT", "2")
	})
}

func TestAnAnswerThatMayNotBeStoredDisplacesTheOldOne(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		gone   bool
	}{
		{"no-store", with(say("new"), "Cache-Control", "no-store"), true},
		{"private", with(say("new"), "Cache-Control", "private"), true},
		{"403", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "new", 403) }, true},
		{"404", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "new", 404) }, true},
		{"Set-Cookie", with(say("new"), "Set-Cookie", "a=b"), false},
		{"500", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "new", 500) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				changed := false
				s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
					if changed {
						c.answer(w, r)
					} else {
						say("old")(w, r)
					}
				})
				s.get("/").want(t, "MISS", "old")
				changed = true
				time.Sleep(time.Second)
				s.get("/", "Cache-Control", "no-cache")
				changed = false
				a := s.get("/")
				if gone := a.text != "old" || a.Header.Get("X-Cache") == "MISS"; gone != c.gone {
					t.Errorf("the old answer: gone = %v, want %v (%s %q)", gone, c.gone, a.Header.Get("X-Cache"), a.text)
				}
			})
		})
	}
}

// Jitter is for the policy's lifetimes. What was over when it came, and is kept to
// be asked about, does not become fresh by it.
func TestExplicitFreshnessThatIsOverIsNotJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reprise.Policy{Name: "p"}, with(say("x"), "Cache-Control", "max-age=100", "Age", "101", "Etag", `"1"`))
		for i := range 40 {
			s.get(fmt.Sprint("/", i))
			if a := s.get(fmt.Sprint("/", i)); a.Header.Get("X-Cache") == "HIT" {
				t.Errorf("%d: %v", i, a.Header)
			}
		}
	})
}
