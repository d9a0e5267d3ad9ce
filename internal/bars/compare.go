package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
)

// A subject is something to measure: op is one request.
type subject struct {
	name   string
	op     func() func() // makes what one goroutine calls again and again
	ns     []float64     // by round
	allocs int64
	bytes  int64
}

// compare measures subjects in turns.
func (b *bench) compare(parallel bool, subjects ...*subject) {
	for _, s := range subjects {
		s.ns = nil
	}
	for range b.rounds {
		for _, s := range subjects {
			res := testing.Benchmark(func(t *testing.B) { repeat(t, s.op, parallel) })
			s.ns = append(s.ns, float64(res.T.Nanoseconds())/float64(res.N))
			s.allocs, s.bytes = res.AllocsPerOp(), res.AllocedBytesPerOp()
		}
	}
}

func repeat(t *testing.B, op func() func(), parallel bool) {
	t.ReportAllocs()
	if !parallel {
		f := op()
		for t.Loop() {
			f()
		}
		return
	}
	t.RunParallel(func(pb *testing.PB) {
		f := op()
		for pb.Next() {
			f()
		}
	})
}

func (s *subject) median() float64 { return median(s.ns) }

// over is the median of the rounds' ratios: what one round has to do with load
// takes no part in that of another.
func (s *subject) over(base *subject) float64 {
	ratios := make([]float64, len(s.ns))
	for i := range ratios {
		ratios[i] = s.ns[i] / base.ns[i]
	}
	return median(ratios)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// printRatio prints s beside base, and whether it is within the bars of ratio and of
// allocations.
func (b *bench) printRatio(what string, s, base *subject, most float64, allocs int64) {
	ratio := s.over(base)
	b.print(row{
		what: what, measured: nanoseconds(s.median()), beside: nanoseconds(base.median()), ratio: fmt.Sprintf("%.2f", ratio),
		allocs: strconv.FormatInt(s.allocs, 10), bar: fmt.Sprintf("≤ %.2f, ≤ %d allocs", most, allocs), met: ratio <= most && s.allocs <= allocs,
	})
}

func nanoseconds(ns float64) string {
	if ns >= 10_000 {
		return fmt.Sprintf("%.1f µs", ns/1000)
	}
	return fmt.Sprintf("%.0f ns", ns)
}

// A dummy is a ResponseWriter that costs next to nothing. Its header map is used
// again, so that the allocations that are counted are the handler's.
type dummy struct {
	header http.Header
	status int
	bytes  int
}

func (d *dummy) Header() http.Header { return d.header }

func (d *dummy) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

func (d *dummy) WriteHeader(status int) { d.status = status }

func (d *dummy) reset() {
	clear(d.header)
	d.status, d.bytes = 0, 0
}

// asked returns the op of asking h for r.
func asked(h http.Handler, r func() *http.Request) func() func() {
	return func() func() {
		w, r := &dummy{header: make(http.Header)}, r()
		return func() {
			w.reset()
			h.ServeHTTP(w, r)
		}
	}
}
