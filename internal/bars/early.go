package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
)

// early compares how long requests wait for pages whose handler takes a while and
// that are stale soon, without early refresh and with it.
func early(b *bench) error {
	var before *waits
	for _, beta := range []float64{0, 1, 3} {
		w, err := b.waits(beta)
		if err != nil {
			return err
		}
		if before == nil {
			before = w
		}
		b.print(row{
			what:     fmt.Sprintf("requests that wait for a handler of 20 ms, pages fresh for 0.5 s, β = %v", beta),
			measured: fmt.Sprintf("%.3f %%", w.waited()), beside: fmt.Sprintf("%.3f %%", before.waited()),
			ratio: fmt.Sprintf("p99.9 %v, %d runs for %d", w.took[len(w.took)*999/1000].Round(time.Microsecond), w.runs, before.runs),
		})
	}
	return nil
}

// waits is what the clients saw.
type waits struct {
	took []time.Duration // sorted
	runs int64
}

// waited is the part of the requests that took half of a handler's time and more.
func (w *waits) waited() float64 {
	i, _ := slices.BinarySearch(w.took, 10*time.Millisecond)
	return percent(len(w.took)-i, len(w.took))
}

// waits has 16 clients ask for 20 pages at random, each every 1 ms or so.
func (b *bench) waits(beta float64) (*waits, error) {
	st, err := newMemory(64 << 20)
	if err != nil {
		return nil, err
	}
	cache, err := reprise.New(st)
	if err != nil {
		return nil, err
	}
	var runs atomic.Int64
	h := cache.Handler(reprise.Policy{Name: "early", TTL: time.Second / 2, Advanced: reprise.Advanced{EarlyRefresh: beta}})(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			runs.Add(1)
			time.Sleep(20 * time.Millisecond)
			fmt.Fprint(w, "page")
		}))
	var mu sync.Mutex
	var all sync.WaitGroup
	var took []time.Duration
	end := time.Now().Add(time.Duration(b.rounds) * 15 * b.time)
	for range 16 {
		all.Go(func() {
			var own []time.Duration
			w, r := measure.NewWriter(), get("/")()
			for began := time.Now(); began.Before(end); began = time.Now() {
				w.Reset()
				r.RequestURI = fmt.Sprint("/page/", rand.IntN(20))
				r.URL.Path = r.RequestURI
				h.ServeHTTP(w, r)
				own = append(own, time.Since(began))
				time.Sleep(time.Millisecond)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	all.Wait()
	slices.Sort(took)
	return &waits{took, runs.Load()}, nil
}
