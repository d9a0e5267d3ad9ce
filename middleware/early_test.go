package middleware_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

// early asks a page whose handler takes a second each 100 ms for so long.
func early(t *testing.T, beta float64, method string, lasts time.Duration) (outcomes map[string]int, runs int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.Advanced.EarlyRefresh = beta
		var n atomic.Int64
		s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			fmt.Fprint(w, n.Add(1))
		})
		s.get("/")
		outcomes = make(map[string]int)
		for range lasts / (100 * time.Millisecond) {
			outcomes[s.do(method, "/").Header.Get("X-Cache")]++
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		time.Sleep(2 * time.Second) // a refresh may be running
		runs = s.runs.Load()
	})
	return outcomes, runs
}

func TestEarlyRefreshSparesTheWait(t *testing.T) {
	const lasts = 30 * time.Minute
	off, runs := early(t, 0, "GET", lasts)
	if off["MISS"] < 25 || runs < 25 {
		t.Errorf("without: %v, %d runs", off, runs)
	}
	on, runs := early(t, 1, "GET", lasts)
	if on["MISS"] > off["MISS"]/3 || on["STALE"] != 0 || runs > int64(off["MISS"])*5/4 {
		t.Errorf("with: %v, %d runs; without: %v", on, runs, off)
	}
}

// A HEAD refreshes nothing: its handler may be another one.
func TestAHEADRefreshesNothingEarly(t *testing.T) {
	if on, runs := early(t, 100, "HEAD", 50*time.Second); runs != 1 || on["HIT"] != 500 {
		t.Errorf("%v, %d runs", on, runs)
	}
}

// Of many who draw at the same time, here and at another cache on the same store, one
// refreshes.
func TestOneRefreshesEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.Advanced.EarlyRefresh = 100
		st, err := memstore.New(memstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var runs atomic.Int64
		var sites []*site
		for range 2 {
			cache, err := reprise.New(st)
			if err != nil {
				t.Fatal(err)
			}
			sites = append(sites, &site{t: t, cache: cache, Handler: cache.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				runs.Add(1)
				time.Sleep(time.Second)
				fmt.Fprint(w, "x")
			}))})
		}
		sites[0].get("/")
		time.Sleep(59 * time.Second)
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() { sites[i%2].get("/").want(t, "HIT", "x") })
		}
		all.Wait()
		time.Sleep(2 * time.Second)
		if n := runs.Load(); n != 2 {
			t.Errorf("%d runs, want 2", n)
		}
	})
}
