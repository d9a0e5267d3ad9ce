package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// staleWindows is fresh for 10 s, then stale for 20 s, and stands in for errors for 60 s.
func staleWindows() reprise.Policy {
	return reprise.Policy{
		Name: "stale", TTL: 10 * time.Second, StaleWhileRevalidate: 20 * time.Second, StaleIfError: time.Minute, Jitter: -1,
	}
}

func counting() (http.HandlerFunc, *atomic.Int64) {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, n.Add(1)) }, &n
}

func TestStaleWhileRevalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := counting()
		s := newSite(t, staleWindows(), h)
		s.get("/").want(t, "MISS", "1")
		time.Sleep(12 * time.Second)
		a := s.get("/")
		a.want(t, "STALE", "1")
		if got := a.Header.Get("Cache-Status"); got != "reprise; hit; ttl=-2" {
			t.Errorf("Cache-Status = %q", got)
		}
		synctest.Wait()
		s.get("/").want(t, "HIT", "2")
		time.Sleep(30 * time.Second)
		s.get("/").want(t, "MISS", "3") // past the window
	})
}

// The router may have another handler for HEAD than for GET.
func TestAStaleHEADIsServedAndStartsNoRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := counting()
		s := newSite(t, staleWindows(), h)
		s.get("/")
		time.Sleep(12 * time.Second)
		s.do("HEAD", "/").want(t, "STALE", "")
		synctest.Wait()
		s.wantRuns(1)
		s.get("/").want(t, "STALE", "1")
		synctest.Wait()
		s.get("/").want(t, "HIT", "2")
	})
}

func TestStaleIfError(t *testing.T) {
	for _, c := range []struct {
		name string
		fail http.HandlerFunc
		want string
	}{
		{"500", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "broken", 500) }, "1"},
		{"503 in pieces", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			fmt.Fprint(w, "bro")
			fmt.Fprint(w, "ken")
		}, "1"},
		{"501", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "broken", 501) }, "broken\n"},
		{"404", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "broken", 404) }, "broken\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ok, n := counting()
				s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
					if n.Load() == 0 {
						ok(w, r)
					} else {
						c.fail(w, r)
					}
				})
				s.get("/").want(t, "MISS", "1")
				time.Sleep(40 * time.Second) // past stale, within error
				a := s.get("/")
				if c.want == "1" {
					a.want(t, "STALE", "1")
					if a.StatusCode != 200 {
						t.Errorf("status = %d", a.StatusCode)
					}
				} else {
					a.want(t, "MISS", c.want)
				}
				time.Sleep(time.Minute)
				if a := s.get("/"); a.StatusCode == 200 {
					t.Error("the old answer stands in after its window")
				}
			})
		})
	}
}

func TestMustRevalidateIsNeverStale(t *testing.T) {
	for _, control := range []string{"max-age=10, must-revalidate", "max-age=10, proxy-revalidate", "s-maxage=10"} {
		t.Run(control, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := counting()
				s := newSite(t, staleWindows(), with(h, "Cache-Control", control))
				s.get("/")
				time.Sleep(12 * time.Second)
				s.get("/").want(t, "MISS", "2")
			})
		})
	}
}

func TestTheResponsesOwnStaleWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := counting()
		s := newSite(t, reprise.Policy{Name: "own"}, with(h, "Cache-Control", "s-maxage=10, stale-while-revalidate=5"))
		s.get("/")
		time.Sleep(12 * time.Second)
		s.get("/").want(t, "STALE", "1")
		synctest.Wait()
		time.Sleep(16 * time.Second)
		s.get("/").want(t, "MISS", "3")
	})
}

func TestAPanicInARefreshStaysThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, n := counting()
		s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
			if n.Load() == 1 {
				n.Add(1)
				panic("in a refresh")
			}
			h(w, r)
		})
		s.get("/")
		time.Sleep(12 * time.Second)
		s.get("/").want(t, "STALE", "1")
		synctest.Wait()
		time.Sleep(5 * time.Second) // past the backoff
		s.get("/").want(t, "STALE", "1")
		synctest.Wait()
		s.get("/").want(t, "HIT", "3")
	})
}

func TestARefreshOutlivesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, n := counting()
		s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
			if n.Load() > 0 {
				time.Sleep(time.Second)
				if err := r.Context().Err(); err != nil {
					t.Errorf("the refresh ended with its request: %v", err)
				}
			}
			h(w, r)
		})
		s.get("/")
		time.Sleep(12 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		cancel()
		time.Sleep(2 * time.Second)
		s.get("/").want(t, "HIT", "2")
	})
}

func TestCloseWaitsForRefreshesAndCancelsThemAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, n := counting()
		var cause error
		s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
			if n.Load() > 0 {
				<-r.Context().Done()
				cause = context.Cause(r.Context())
				return
			}
			h(w, r)
		})
		s.get("/")
		time.Sleep(12 * time.Second)
		s.get("/").want(t, "STALE", "1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := s.cache.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("Close = %v after %v", err, time.Since(began))
		}
		synctest.Wait()
		if cause == nil {
			t.Error("the refresh was not cancelled")
		}
		s.get("/").want(t, "STALE", "1") // and no refresh starts any more
		synctest.Wait()
	})
}

// A panic that something stored stands in for is not lost, but for the one by
// which handlers give up in silence.
func TestAPanicThatIsRescuedIsLogged(t *testing.T) {
	for value, logged := range map[any]bool{"the reason": true, http.ErrAbortHandler: false} {
		synctest.Test(t, func(t *testing.T) {
			var lines strings.Builder
			s := &site{t: t, cache: newCache(t, reprise.WithLogger(slog.New(slog.NewTextHandler(&lines, nil))))}
			p := staleWindows()
			p.StaleWhileRevalidate = 0
			s.Handler = s.cache.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if s.runs.Add(1) > 1 {
					panic(value)
				}
				fmt.Fprint(w, "x")
			}))
			s.get("/").want(t, "MISS", "x")
			time.Sleep(12 * time.Second)
			s.get("/").want(t, "STALE", "x")
			if got := strings.Contains(lines.String(), `panic="the reason"`) && strings.Contains(lines.String(), "stack="); got != logged {
				t.Errorf("log of %v: %q", value, lines.String())
			}
		})
	}
}
