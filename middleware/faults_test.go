package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// try is do, and tells what the handler's stack panicked with.
func (s *site) try(method, target string, fields ...string) (a answer, panicked any) {
	defer func() { panicked = recover() }()
	return s.do(method, target, fields...), nil
}

// inBubble tests a site in a synctest bubble.
func inBubble(t *testing.T, p reprise.Policy, h http.HandlerFunc, test func(s *site)) {
	synctest.Test(t, func(t *testing.T) { test(newSite(t, p, h)) })
}

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

// parts answers ranges of "abcdef"; rest writes the answer to the second range.
func parts(rest http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", `"e"`)
		switch r.Header.Get("Range") {
		case "bytes=0-1":
			w.Header().Set("Content-Range", "bytes 0-1/6")
			w.WriteHeader(206)
			w.Write([]byte("ab"))
		case "":
			w.Write([]byte("abcdef"))
		default:
			rest(w, r)
		}
	}
}

func shortRest(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Range", "bytes 2-5/6")
	w.WriteHeader(206)
	w.Write([]byte("cd"))
}

func TestAShortRestMakesNoRange(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "p"}, parts(shortRest))
	s.get("/", "Range", "bytes=0-1")
	if a, p := s.try("GET", "/", "Range", "bytes=0-5"); p == nil && a.Header.Get("Content-Length") == "6" && len(a.text) != 6 {
		t.Errorf("with Range: %d %q, Content-Length %s", a.StatusCode, a.text, a.Header.Get("Content-Length"))
	}
}

// A HEAD that says nothing of the body keeps an old body fresh.
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

// A client's own HEAD ends what is fresh for everyone.
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

var storing = reprise.Policy{Name: "p", Advanced: reprise.Advanced{StorePOST: true}}

func posted(text func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Location", "/")
		fmt.Fprint(w, text(), " for ", r.Header.Get("Accept"), r.Header.Get("Cookie"))
	}
}

// RFC 9111 §4.4: the answer to a POST drops the target URI, all variants.
func TestAPOSTEndsAllVariants(t *testing.T) {
	version := "v1"
	h := posted(func() string { return version })
	s := newSite(t, storing, with(h, "Vary", "Accept"))
	s.get("/", "Accept", "a")
	s.get("/", "Accept", "b")
	version = "v2"
	s.do("POST", "/", "Accept", "a")
	s.get("/", "Accept", "a").want(t, "MISS", "v2 for a")
	s.get("/", "Accept", "b").want(t, "MISS", "v2 for b")
}

// A fill of another variant that began before the POST is stored after it.
func TestAFillOfAVariantDoesNotOutliveAPOST(t *testing.T) {
	version := "v1"
	h := posted(func() string { return version })
	inBubble(t, storing, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		b := httptest.NewRecorder()
		h(b, r)
		if r.Header.Get("Accept") == "slow" {
			time.Sleep(time.Second) // it has read
		}
		for name, v := range b.Header() {
			w.Header()[name] = v
		}
		w.Header().Set("Vary", "Accept")
		w.Write(b.Body.Bytes())
	}, func(s *site) {
		s.get("/", "Accept", "a")
		done := make(chan struct{})
		go func() { defer close(done); s.get("/", "Accept", "slow") }()
		synctest.Wait()
		version = "v2"
		s.do("POST", "/", "Accept", "a")
		<-done
		if a := s.get("/", "Accept", "slow"); strings.HasPrefix(a.text, "v1") {
			t.Errorf("after the POST there is %q %q", a.text, a.Header["Cache-Status"])
		}
	})
}

// RFC 9110 §8.7: Content-Location says that of a 2xx only. And an error must
// not replace what is good.
func TestAnErrorToAPOSTIsNotStored(t *testing.T) {
	for _, status := range []int{400, 404, 422, 500, 303} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newSite(t, storing, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Content-Location", "/")
				w.Header().Set("Location", "/")
				if r.Method == "POST" {
					w.WriteHeader(status)
				}
				fmt.Fprint(w, r.Method)
			})
			s.get("/").want(t, "MISS", "GET")
			s.do("POST", "/")
			if a := s.get("/"); a.StatusCode != 200 {
				t.Errorf("a GET gets the POST's %d", a.StatusCode)
			}
		})
	}
}

// One client's slow POST, or range, with credentials holds up all without.
func TestASlowFillApartHoldsUpNobody(t *testing.T) {
	for name, slow := range map[string][]string{
		"POST":       {"POST", "Cookie", "a=b"},
		"range":      {"GET", "Cookie", "a=b", "Range", "bytes=0-1"},
		"same group": {"GET", "Range", "bytes=0-1"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, storing, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" || r.Header.Get("Range") != "" {
					time.Sleep(20 * time.Second)
				}
				posted(func() string { return "page" })(w, r)
			}, func(s *site) {
				done := make(chan struct{})
				go func() { defer close(done); s.do(slow[0], "/", slow[1:]...) }()
				synctest.Wait()
				began := time.Now()
				s.get("/")
				if took := time.Since(began); took > time.Second {
					t.Errorf("a plain GET took %v", took)
				}
				<-done
			})
		})
	}
}

// RFC 9111 §5.2.2.4: what is withheld is withheld until it was validated; a
// 304's own Set-Cookie is for the client who caused it.
func TestAWithheldFieldOfA304ReachesItsClient(t *testing.T) {
	inBubble(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", `max-age=10, no-cache="Set-Cookie"`)
		w.Header().Set("Etag", `"e"`)
		w.Header().Set("Set-Cookie", "s=1")
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(304)
			return
		}
		w.Write([]byte("x"))
	}, func(s *site) {
		if a := s.get("/"); a.Header.Get("Set-Cookie") == "" {
			t.Fatal("no cookie of the 200")
		}
		time.Sleep(11 * time.Second)
		a := s.get("/")
		a.want(t, "REVALIDATED", "x")
		if a.Header.Get("Set-Cookie") == "" {
			t.Error("no cookie of the 304")
		}
	})
}

// What arrives stale cannot be shared: nobody should queue for it again and again.
func TestWhatArrivesStaleIsNotQueuedFor(t *testing.T) {
	inBubble(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		w.Header().Set("Cache-Control", "max-age=10")
		w.Header().Set("Age", "100")
		w.Header().Set("Etag", `"e"`)
		w.Write([]byte("x"))
	}, func(s *site) {
		for wave := range 3 {
			began := time.Now()
			done := make(chan struct{}, 10)
			for range 10 {
				go func() { s.get("/"); done <- struct{}{} }()
			}
			for range 10 {
				<-done
			}
			if took := time.Since(began); wave > 0 && took > time.Second {
				t.Errorf("wave %d took %v, a run takes 1s", wave, took)
			}
		}
	})
}

// One client's Range ends in a 416, which then is everybody's.
func TestA416OfOneClientIsNotStored(t *testing.T) {
	for name, value := range map[string]string{"unsatisfiable": "bytes=100-", "malformed": "bytes=x"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				if strings.HasPrefix(r.Header.Get("Range"), "bytes=") {
					w.Header().Set("Content-Range", "bytes */6")
					w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
					return
				}
				w.Write([]byte("abcdef"))
			})
			s.get("/", "Range", value)
			if a := s.get("/"); a.StatusCode != 200 {
				t.Errorf("without Range: %d %q", a.StatusCode, a.Header["Cache-Status"])
			}
		})
	}
}

// A confirmation that is spared a store loses the tags that it said.
func TestAConfirmationWithANewTagIsStored(t *testing.T) {
	n := 0
	var asked string
	s := newSite(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		n++
		reprise.Tag(r.Context(), fmt.Sprint("tag", n))
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Etag", `"e"`)
		if asked = r.Header.Get("If-None-Match"); asked != "" {
			w.WriteHeader(304)
			return
		}
		w.Write([]byte("x"))
	})
	s.get("/").want(t, "MISS", "x")
	s.get("/").want(t, "REVALIDATED", "x")
	if err := s.cache.PurgeTags(context.Background(), "tag2"); err != nil {
		t.Fatal(err)
	}
	s.get("/").want(t, "MISS", "x")
	if asked != "" {
		t.Errorf("what carries the purged tag is still asked about: %s", asked)
	}
}

// A cache around this one does not learn the tags of what was confirmed.
func TestAnOuterCacheLearnsTheTagsOfWhatIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, outer := newCache(t), newCache(t)
		h := outer.Handler(reprise.Policy{Name: "outer"})(inner.Handler(reprise.Policy{Name: "inner"})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=10")
			w.Header().Set("Etag", `"e"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(304) // what made the page is not read again
				return
			}
			reprise.Tag(r.Context(), "page")
			w.Write([]byte("x"))
		})))
		s := &site{t: t, Handler: h}
		s.get("/")
		time.Sleep(11 * time.Second)
		_ = outer.PurgeAll(context.Background())
		s.get("/")
		s.get("/").want(t, "HIT", "x")
		_ = outer.PurgeTags(context.Background(), "page")
		if a := s.get("/"); strings.Contains(a.Header.Get("Cache-Status"), "hit") && len(a.Header["Cache-Status"]) == 1 || a.Header.Get("X-Cache") == "HIT" {
			t.Errorf("after a purge of its tag the outer cache has it: %q", a.Header["Cache-Status"])
		}
	})
}

func TestAHitByCodingsAllocatesNothing(t *testing.T) {
	p := plain
	p.Advanced.Encodings = []string{"br", "gzip"}
	s := newSite(t, p, with(say("x"), "Vary", "Accept-Encoding"))
	if n := testing.AllocsPerRun(100, hits(t, s)) - 2; n > 1+spare {
		t.Errorf("%v allocations", n)
	}
}
