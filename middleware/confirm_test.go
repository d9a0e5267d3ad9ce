package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

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

// RFC 9111 §5.2.2.4: what is withheld is so until it was validated. A 304's own
// Set-Cookie is for the client who caused it.
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

// A 416 is the answer to one client's Range.
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

// A confirmation that says another tag is stored, for its sake.
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
	if _, err := s.cache.PurgeTags(context.Background(), "tag2"); err != nil {
		t.Fatal(err)
	}
	s.get("/").want(t, "MISS", "x")
	if asked != "" {
		t.Errorf("what carries the purged tag is still asked about: %s", asked)
	}
}

// A handler need not say its tags again with a 304; a cache around learns them all the same.
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
		_, _ = outer.PurgeAll(context.Background())
		s.get("/")
		s.get("/").want(t, "HIT", "x")
		_, _ = outer.PurgeTags(context.Background(), "page")
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

func TestSetTTL0CountsBeforeAStaleWindow(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		reprise.SetTTL(r.Context(), 0)
		w.Header().Set("Cache-Control", "max-age=60, stale-while-revalidate=60")
		w.Write([]byte("x"))
	})
	s.get("/")
	s.get("/").want(t, "MISS", "x")
}

// The padded ETag of a part is one for IfRange, and another for http.ServeContent.
func TestIfRangeOfAPartWithAPaddedETag(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "p"}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", ` "e"`)
		if r.Header.Get("If-Range") != "" {
			w.Write([]byte("abcdef"))
			return
		}
		w.Header().Set("Content-Range", "bytes 0-1/6")
		w.WriteHeader(206)
		w.Write([]byte("ab"))
	})
	s.get("/", "Range", "bytes=0-1").want(t, "MISS", "ab")
	a := s.get("/", "Range", "bytes=0-1", "If-Range", `"e"`)
	if a.Header.Get("Content-Length") != fmt.Sprint(len(a.text)) {
		t.Errorf("%d %q, Content-Length %s", a.StatusCode, a.text, a.Header.Get("Content-Length"))
	}
}

// explicit follows the response's own word alone.
func explicit() reprise.Policy { return reprise.Policy{Name: "explicit", Jitter: -1} }

// What a 304 says to one user is not for others, whatever lifetime is stored.
func TestA304ToACookieGivesNothingToOthers(t *testing.T) {
	s := newSite(t, explicit(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"e"`)
		if who := r.Header.Get("Cookie"); who != "" {
			w.Header().Set("X-User", who)
		} else {
			w.Header().Set("Cache-Control", "public, max-age=60")
		}
		if r.Header.Get("If-None-Match") == `"e"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write([]byte("page"))
	})
	s.get("/")
	s.get("/", "Cookie", "alice", "Cache-Control", "no-cache")
	if got := s.get("/").Header.Get("X-User"); got != "" {
		t.Errorf("a plain client got X-User: %s", got)
	}
}

// An ETag that no 304 can confirm is not worth asking with: the handler would
// run twice each time.
func TestAMalformedETagIsNotAskedAbout(t *testing.T) {
	s := newSite(t, explicit(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", "e")
		w.Header().Set("Cache-Control", "no-cache")
		if r.Header.Get("If-None-Match") == "e" {
			w.WriteHeader(304)
			return
		}
		w.Write([]byte("page"))
	})
	s.get("/")
	s.get("/")
	s.wantRuns(2)
}

// must-understand lifts a no-store that is written, and not the one that a line
// means which ends within a quoted string.
func TestMustUnderstandDoesNotMendABrokenLine(t *testing.T) {
	s := newSite(t, explicit(), with(say("x"), "Cache-Control", `must-understand, max-age=60, ext="a, private`))
	s.get("/")
	s.get("/")
	s.wantRuns(2)
}

// Who gets an answer that was filled for another caller tells its tags to the cache around.

func TestTagsOfACollapsedAnswerReachTheCacheAroundIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, explicit(), func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			w.Header().Set("Cache-Control", "max-age=60")
			reprise.Tag(r.Context(), "page")
			w.Write([]byte("page"))
		})
		outer, err := reprise.New(openMemory(t))
		if err != nil {
			t.Fatal(err)
		}
		inner := s.Handler
		around := outer.Handler(explicit())(inner)
		go s.get("/") // leads in the inner one
		synctest.Wait()
		s.Handler = around
		s.get("/").want(t, "MISS", "page")
		if _, err := outer.PurgeTags(context.Background(), "page"); err != nil {
			t.Fatal(err)
		}
		s.get("/").want(t, "MISS", "page") // of the outer one
	})
}
