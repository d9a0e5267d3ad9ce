package middlewaretest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/middlewaretest"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/storetest"
	"github.com/reprise-go/reprise/swr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errAway = errors.New("away")

// While it works, it is a store as others are.
func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Suite{New: func(t *testing.T) store.Store { return middlewaretest.NewStore(t) }})
}

// A site is a route that the cache stands in front of.
type site struct {
	http.Handler
	st    *middlewaretest.Store
	rec   middlewaretest.Recorder
	cache *middleware.Cache
}

func newSite(t *testing.T, h http.HandlerFunc) *site {
	t.Helper()
	s := &site{st: middlewaretest.NewStore(t)}
	var err error
	if s.cache, err = middleware.New(s.st, middleware.WithRecorder(&s.rec)); err != nil {
		t.Fatal(err)
	}
	policy := middleware.Policy{Name: "pages", TTL: time.Minute, StaleWhileRevalidate: time.Minute, StaleIfError: time.Hour, Jitter: -1}
	s.Handler = s.cache.Handler(policy)(h)
	return s
}

func page(w http.ResponseWriter, r *http.Request) {
	middleware.Tag(r.Context(), "page")
	fmt.Fprint(w, "page")
}

func TestAssertions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := false
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if fails {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			page(w, r)
		})
		res := middlewaretest.Get(t, s, "/")
		middlewaretest.AssertMiss(t, res)
		middlewaretest.AssertReason(t, res, middleware.ReasonURI)
		middlewaretest.AssertHit(t, middlewaretest.Get(t, s, "/", "Accept", "text/html"))
		middlewaretest.AssertBypass(t, middlewaretest.Do(t, s, httptest.NewRequest("PUT", "/other", nil)), middleware.ReasonMethod)
		time.Sleep(90 * time.Second)
		middlewaretest.AssertStale(t, middlewaretest.Get(t, s, "/"))
		synctest.Wait()
		middlewaretest.AssertHit(t, middlewaretest.Get(t, s, "/"))
		fails = true
		time.Sleep(5 * time.Minute)
		res = middlewaretest.Get(t, s, "/")
		middlewaretest.AssertStale(t, res)
		middlewaretest.AssertReason(t, res, middleware.ReasonError)

		s.rec.AssertRuns(t, "pages", 3)
		if n := s.rec.Requests("pages", swr.Hit); n != 2 {
			t.Errorf("%d hits", n)
		}
		if n := s.rec.Reasons("pages", middleware.ReasonMethod); n != 1 {
			t.Errorf("%d bypasses for the method", n)
		}
	})
}

// A real client's response is as good.
func TestRead(t *testing.T) {
	server := httptest.NewServer(newSite(t, page))
	defer server.Close()
	for _, assert := range []func(testing.TB, *middlewaretest.Answer){middlewaretest.AssertMiss, middlewaretest.AssertHit} {
		res, err := server.Client().Get(server.URL) //nolint:bodyclose // Read closes it
		if err != nil {
			t.Fatal(err)
		}
		a := middlewaretest.Read(t, res)
		assert(t, a)
		if a.Status != http.StatusOK || a.Body != "page" {
			t.Errorf("%+v", a)
		}
	}
}

func TestAssertRevalidated(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"1"`)
		w.Header().Set("Cache-Control", "no-cache")
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "page")
	})
	middlewaretest.Get(t, s, "/")
	middlewaretest.AssertRevalidated(t, middlewaretest.Get(t, s, "/"))
}

// A failed is a testing.TB that notes failures instead of having them.
type failed struct {
	testing.TB
	said []string
}

func (f *failed) Helper() {}
func (f *failed) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

// Each assertion fails for all responses but its own.
func TestAssertionsFail(t *testing.T) {
	assertions := map[string]func(testing.TB, *middlewaretest.Answer){
		"HIT": middlewaretest.AssertHit, "MISS": middlewaretest.AssertMiss,
		"STALE": middlewaretest.AssertStale, "REVALIDATED": middlewaretest.AssertRevalidated,
		"BYPASS": func(tb testing.TB, res *middlewaretest.Answer) {
			middlewaretest.AssertBypass(tb, res, middleware.ReasonMethod)
		},
	}
	for name, assert := range assertions {
		for _, xCache := range []string{"HIT", "MISS", "STALE", "REVALIDATED", "BYPASS", ""} {
			res := &middlewaretest.Answer{Header: http.Header{"Cache-Status": {"inner; fwd=uri-miss", "reprise; fwd=method"}}}
			if xCache != "" {
				res.Header.Set("X-Cache", xCache)
			}
			f := &failed{TB: t}
			assert(f, res)
			if (len(f.said) == 0) != (name == xCache) {
				t.Errorf("%s of %q: %q", name, xCache, f.said)
			}
		}
	}
	for status, fits := range map[string]bool{
		"reprise; fwd=uri-miss": true, "reprise; fwd=bypass; detail=uri-miss": true, "reprise; fwd=vary-miss": false, "reprise; hit": false, "": false,
	} {
		res := &middlewaretest.Answer{Header: http.Header{}}
		if status != "" {
			res.Header.Set("Cache-Status", status)
		}
		f := &failed{TB: t}
		middlewaretest.AssertReason(f, res, middleware.ReasonURI)
		if (len(f.said) == 0) != fits {
			t.Errorf("%q: %q", status, f.said)
		}
	}
	f := &failed{TB: t}
	if (&middlewaretest.Recorder{}).AssertRuns(f, "pages", 1); len(f.said) != 1 {
		t.Errorf("%q", f.said)
	}
}

// A broken store makes no error, and none of what was stored is lost.
func TestBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, page)
		middlewaretest.Get(t, s, "/")
		s.st.Break(errAway)
		for range 2 {
			res := middlewaretest.Get(t, s, "/")
			middlewaretest.AssertMiss(t, res)
			middlewaretest.AssertReason(t, res, middleware.ReasonStore)
		}
		if _, err := s.cache.PurgeTags(t.Context(), "other"); !errors.Is(err, errAway) {
			t.Errorf("purge: %v", err)
		}
		s.st.Break(nil)
		middlewaretest.AssertHit(t, middlewaretest.Get(t, s, "/"))

		s.st.Delay(time.Second)
		began := time.Now()
		middlewaretest.AssertHit(t, middlewaretest.Get(t, s, "/"))
		if d := time.Since(began); d != time.Second {
			t.Errorf("it took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.st.Get(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if p := s.st.Purges(); len(p) != 1 || p[0].Tags[0] != "other" {
			t.Errorf("%+v", p)
		}
	})
}

// While the store is broken its leases tell of purges all the same.
func TestLeasesOfABrokenStore(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		purge     store.Purge
		overtaken bool
	}{
		"nothing": {store.Purge{}, false}, "its key": {store.Purge{Keys: []string{"k"}}, true}, "another": {store.Purge{Keys: []string{"l"}, Tags: []string{"m"}}, false},
		"its tag": {store.Purge{Tags: []string{"t"}}, true}, "a pattern": {store.Purge{Match: "k*"}, true}, "all": {store.Purge{All: true}, true},
		"only counted": {store.Purge{All: true, DryRun: true}, false},
	} {
		for when, broken := range map[string]func(st *middlewaretest.Store){
			"from the start": func(*middlewaretest.Store) {},
			"since":          func(st *middlewaretest.Store) { st.Break(errAway) },
		} {
			st := middlewaretest.NewStore(t)
			if when == "from the start" {
				st.Break(errAway)
			}
			l, err := st.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Second})
			if l == nil {
				t.Fatal(err)
			}
			broken(st)
			_, _ = st.Purge(ctx, c.purge) // which fails
			err = l.Commit(ctx, store.Entry{Tags: []string{"t"}, Life: time.Minute})
			if errors.Is(err, store.ErrOvertaken) != c.overtaken || !c.overtaken && !errors.Is(err, errAway) {
				t.Errorf("%s, %s: %v", when, name, err)
			}
			if err := l.Release(ctx); !errors.Is(err, store.ErrOvertaken) {
				t.Errorf("%s, %s: released after that: %v", when, name, err)
			}
			st.Break(nil)
			if _, err := st.Get(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s, %s: it was stored", when, name)
			}
		}
	}
}
