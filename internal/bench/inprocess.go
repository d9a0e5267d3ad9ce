package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/reprise-go/reprise/internal/measure"
)

// A trial is a subject in this process.
type trial struct {
	subject
	site  *site
	paths []string
	ns    []float64
	last  testing.BenchmarkResult
	err   error // why it is not measured
}

// inProcess prints what a hit costs without a network.
func (r run) inProcess() error {
	fmt.Println("A hit in process, beside the bare handler of net/http, and for fiber beside its own.")
	fmt.Println()
	header("body", "run", "what", "ns/op", "B/op", "allocs/op", "ratio", "ratio to bare fiber")
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		if err := r.hits(size); err != nil {
			return err
		}
	}
	return nil
}

func (r run) hits(size int) error {
	var trials []*trial
	for _, s := range subjects {
		site, err := s.open(newOrigin(size, 0), r.redis)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		defer site.close()
		t := &trial{subject: s, site: site, paths: s.paths(size)}
		t.err = prime(site, t.paths, s.bare)
		trials = append(trials, t)
	}
	for _, how := range []string{"serial", "parallel"} {
		for _, t := range trials {
			t.ns = nil
		}
		for range r.rounds {
			for _, t := range trials {
				t.measure(how == "parallel")
			}
		}
		bares := make(map[string][]float64)
		for _, t := range trials {
			if t.bare && t.err == nil {
				bares[t.name] = t.ns
			}
			t.print(size, how, bares)
		}
	}
	return nil
}

func (t *trial) measure(parallel bool) {
	if t.err != nil {
		return
	}
	// What the requests cost to make is not measured.
	askers := make([]func(), runtime.GOMAXPROCS(0))
	for i := range askers {
		askers[i] = t.asker()
	}
	t.err = onlyHits(t.site, t.bare, func() error {
		t.last = testing.Benchmark(func(b *testing.B) { bench(b, askers, parallel) })
		return nil
	})
	t.ns = append(t.ns, float64(t.last.T.Nanoseconds())/float64(t.last.N))
}

func bench(b *testing.B, askers []func(), parallel bool) {
	b.ReportAllocs()
	if !parallel {
		for ask := askers[0]; b.Loop(); {
			ask()
		}
		return
	}
	var taken atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for ask := askers[taken.Add(1)-1]; pb.Next(); {
			ask()
		}
	})
}

// asker returns what makes the next request of one client, each of which begins
// at some path: one must not find what the other has just fetched.
func (t *trial) asker() func() {
	i := rand.IntN(len(t.paths))
	next := func() int {
		i = (i + 1) % len(t.paths)
		return i
	}
	if t.site.fiber != nil {
		var requests []*fasthttp.RequestCtx
		for _, path := range t.paths {
			requests = append(requests, fastRequest(path))
		}
		return func() {
			ctx := requests[next()]
			ctx.Response.Reset()
			ctx.ResetUserValues()
			t.site.fast(ctx)
		}
	}
	var requests []*http.Request
	for _, path := range t.paths {
		requests = append(requests, request(path))
	}
	w := measure.NewWriter()
	return func() {
		w.Reset()
		t.site.http.ServeHTTP(w, requests[next()])
	}
}

func (t *trial) print(size int, how string, bares map[string][]float64) {
	what := []string{kilobytes(size), how, t.name}
	if t.err != nil {
		row(append(what, t.err.Error())...)
		return
	}
	row(append(what, fmt.Sprintf("%.0f", measure.Median(t.ns)), fmt.Sprint(t.last.AllocedBytesPerOp()), fmt.Sprint(t.last.AllocsPerOp()),
		ratio(t.ns, bares[bareName]), t.besideFiber(t.ns, bares))...)
}
