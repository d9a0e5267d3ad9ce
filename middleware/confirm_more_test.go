package middleware_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// What docs/conformance.md says and no scenario shows.

// byFields leaves everything to the response's own fields.
var byFields = reprise.Policy{Name: "by fields"}

// tagged answers as a file server does, with an ETag and these fields, given in
// pairs.
func tagged(fields ...string) http.HandlerFunc {
	return with(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("0123456789"))
	}, append(fields, "Etag", `"v1"`, "Content-Type", "text/plain")...)
}

// status checks our member of Cache-Status.
func (a answer) status(t *testing.T, want string) {
	t.Helper()
	if got := a.Header.Get("Cache-Status"); got != "reprise; "+want {
		t.Errorf("Cache-Status = %q, want %q", got, "reprise; "+want)
	}
}

// RFC 9111 §4.3.4 tells which 304 is about what is stored. Of another, nothing
// follows: the handler is asked anew.
func TestA304OfSomethingElseIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conditions []string
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			conditions = append(conditions, r.Header.Get("If-None-Match"))
			h := w.Header()
			h.Set("Cache-Control", "max-age=5")
			if h.Set("Etag", `"v1"`); r.Header.Get("If-None-Match") != "" {
				h.Set("Etag", `"v2"`)
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, len(conditions))
		})
		s.get("/")
		time.Sleep(6 * time.Second)
		s.get("/").want(t, "MISS", "3")
		s.get("/").want(t, "HIT", "3")
		if want := []string{"", `"v1"`, ""}; !slices.Equal(conditions, want) {
			t.Errorf("the handler saw the conditions %q, want %q", conditions, want)
		}
	})
}

func TestAConfirmedResponseKeepsItsTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") == "" {
				reprise.Tag(r.Context(), "t")
			}
			tagged("Cache-Control", "max-age=5")(w, r)
		})
		s.get("/")
		time.Sleep(6 * time.Second)
		s.get("/").want(t, "REVALIDATED", "*")
		s.get("/").want(t, "HIT", "*")
		if _, err := s.cache.PurgeTags(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		s.get("/").want(t, "MISS", "*")
	})
}

// RFC 9110 §13.2.1: other statuses have no conditions.
func TestStatusesThatAreKeptForConfirmation(t *testing.T) {
	for status, kept := range map[int]bool{200: true, 203: true, 201: false, 301: false, 404: false} {
		synctest.Test(t, func(t *testing.T) {
			conditions := 0
			s := newSite(t, byFields, with(func(w http.ResponseWriter, r *http.Request) {
				conditions += len(r.Header["If-None-Match"])
				w.WriteHeader(status)
			}, "Cache-Control", "max-age=5", "Etag", `"v1"`))
			s.get("/")
			time.Sleep(6 * time.Second)
			s.get("/")
			if (conditions == 1) != kept {
				t.Errorf("of a %d, the handler was asked on %d conditions", status, conditions)
			}
		})
	}
}

// A no-cache response is confirmed for each request, and none waits for another.
func TestConfirmationsRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			running.Add(-1)
			tagged("Cache-Control", "no-cache")(w, r)
		})
		s.get("/")
		most.Store(0)
		for range 10 {
			go s.get("/")
		}
		synctest.Wait()
		if n := running.Load(); n != 10 {
			t.Errorf("%d confirmations run at the same time, want 10", n)
		}
		time.Sleep(2 * time.Second)
		s.wantRuns(11)
	})
}

// What cannot be used as it is has no explicit freshness, so that requests with
// credentials neither store nor use it.
func TestWhatMustBeConfirmedIsForPlainRequests(t *testing.T) {
	for _, control := range []string{"no-cache", "max-age=0"} {
		s := newSite(t, byFields, tagged("Cache-Control", control))
		cookie, user := []string{"Cookie", "a=b"}, []string{"Authorization", "Basic YTpi"}
		s.get("/", cookie...).status(t, "fwd=uri-miss; fwd-status=200; detail=cookies")
		s.get("/", user...).status(t, "fwd=uri-miss; fwd-status=200; detail=authorization")
		s.get("/").status(t, "fwd=uri-miss; fwd-status=200; stored")
		s.get("/", cookie...).status(t, "fwd=request; fwd-status=200; detail=cookies")
		s.get("/", user...).status(t, "fwd=request; fwd-status=200; detail=authorization")
		s.get("/").want(t, "REVALIDATED", "*")
	}
}

func TestPolicyWindowsAreNotForWhatWasNeverFresh(t *testing.T) {
	p := byFields
	p.StaleWhileRevalidate, p.StaleIfError = time.Hour, time.Hour
	s := newSite(t, p, tagged("Cache-Control", "max-age=0"))
	s.get("/")
	s.get("/").want(t, "REVALIDATED", "*")
}

// Who waits longer than it may gets what may stand in for an error.
func TestAWaiterPastItsLimitGetsWhatMayStandIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Second)
			tagged("Cache-Control", "max-age=5, stale-if-error=60")(w, r)
		})
		s.get("/")
		time.Sleep(6 * time.Second)
		go s.get("/")
		synctest.Wait()
		began := time.Now()
		s.get("/").want(t, "STALE", "0123456789")
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("it waited for %v, want 5 s and a tenth at most", took)
		}
		time.Sleep(20 * time.Second)
	})
}

// Nobody waits for the answer to a range but its client.
func TestARangeMayTakeLongerThanTheFillTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
				w.WriteHeader(http.StatusGatewayTimeout)
			case <-time.After(time.Minute):
				tagged("Cache-Control", "max-age=60")(w, r)
			}
		})
		s.get("/", "Range", "bytes=2-4").want(t, "MISS", "234")
		s.get("/", "Range", "bytes=2-4").want(t, "HIT", "234")
	})
}

// A request's stale-if-error, which RFC 5861 §4 lets a client send, is unknown here.
func TestAClientsStaleIfErrorMeansNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := false
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			if down {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			tagged("Cache-Control", "max-age=5")(w, r)
		})
		s.get("/")
		down = true
		time.Sleep(6 * time.Second)
		if a := s.get("/", "Cache-Control", "stale-if-error=60"); a.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", a.StatusCode)
		}
	})
}

// RFC 9111 §5.2.2.4, §5.2.2.7: a response without its Content-Type is another one.
func TestFieldsThatAResponseNeeds(t *testing.T) {
	for _, directive := range []string{"no-cache", "private"} {
		for _, name := range []string{"Cache-Control", "Content-Type", "Content-Encoding", "Vary"} {
			s := newSite(t, byFields, tagged("Cache-Control", fmt.Sprintf(`max-age=60, %s="%s"`, directive, name)))
			s.get("/").status(t, "fwd=uri-miss; fwd-status=200; detail=private")
		}
		s := newSite(t, byFields, tagged("Cache-Control", fmt.Sprintf(`max-age=60, %s="set-cookie"`, directive), "Set-Cookie", "a=b"))
		s.get("/")
		a := s.get("/")
		a.want(t, "HIT", "*")
		if a.Header["Set-Cookie"] != nil {
			t.Errorf("%s: a hit has Set-Cookie", directive)
		}
	}
}

// One part is stored at a time: it grows by one that touches it, and gives way
// to one that does not.
func TestPartsThatTouchAreJoined(t *testing.T) {
	s := newSite(t, byFields, tagged("Cache-Control", "max-age=60"))
	for _, c := range []struct{ part, xCache, text string }{
		{"2-4", "MISS", "234"}, {"7-8", "MISS", "78"}, {"7-8", "HIT", "78"}, {"2-4", "MISS", "234"},
		{"5-6", "MISS", "56"}, {"2-6", "HIT", "23456"}, {"4-8", "MISS", "45678"}, {"2-8", "HIT", "2345678"},
	} {
		s.get("/", "Range", "bytes="+c.part).want(t, c.xCache, c.text)
	}
	s.get("/", "Range", "bytes=0-1").status(t, "fwd=partial; fwd-status=206; stored")
}

// RFC 9111 §3.3, §3.4: what counts is what came.
func TestPartsWhoseLengthIsNotWhatTheySay(t *testing.T) {
	for _, c := range []struct{ name, contentRange, length, body, status string }{
		{"shorter", "bytes 0-4/10", "", "012", "stored"},
		{"shorter than Content-Length", "bytes 0-4/10", "5", "012", "detail=truncated"},
		{"longer", "bytes 0-4/10", "", "012345", "detail=truncated"},
		{"of an unknown whole", "bytes 0-4/*", "", "01234", "detail=status"},
	} {
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Cache-Control", "max-age=60")
			h.Set("Content-Range", c.contentRange)
			if c.length != "" {
				h.Set("Content-Length", c.length)
			}
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, c.body)
		})
		t.Log(c.name) // for what fails
		s.get("/", "Range", "bytes=0-4").status(t, "fwd=uri-miss; fwd-status=206; "+c.status)
		want := "MISS"
		if c.status == "stored" {
			want = "HIT"
		}
		s.get("/", "Range", "bytes=0-2").want(t, want, "*")
		s.get("/", "Range", "bytes=0-4").want(t, "MISS", "*")
	}
}

// A refresh behind a part would bring the whole, which nobody asked for.
func TestAStalePartIsNotServedWhileItIsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, byFields, tagged("Cache-Control", "max-age=5, stale-while-revalidate=60"))
		s.get("/", "Range", "bytes=0-4").want(t, "MISS", "01234")
		time.Sleep(6 * time.Second)
		s.get("/", "Range", "bytes=0-4").want(t, "REVALIDATED", "01234")
		s.wantRuns(2)
	})
}

// The time a handler takes is no age of what it makes itself. What has a Date
// comes from elsewhere, and was under way (RFC 9111 §4.2.3).
func TestTheAgeOfWhatTheHandlerMakesItself(t *testing.T) {
	for name, want := range map[string]string{"X-Mine": "0", "Date": "3"} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(3 * time.Second)
				w.Header().Set(name, time.Now().UTC().Format(http.TimeFormat))
				tagged("Cache-Control", "max-age=60")(w, r)
			})
			s.get("/")
			if got := s.get("/").Header.Get("Age"); got != want {
				t.Errorf("with %s: Age = %q, want %q", name, got, want)
			}
		})
	}
}

// RFC 9211 §2.6.
func TestAFollowerSaysThatItIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, byFields, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			tagged("Cache-Control", "max-age=60")(w, r)
		})
		go s.get("/")
		synctest.Wait()
		s.get("/").status(t, "fwd=uri-miss; collapsed")
	})
}
