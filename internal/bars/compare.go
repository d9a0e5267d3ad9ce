package main

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/reprise-go/reprise/internal/measure"
)

// A subject is something to measure: op is one request.
type subject struct {
	name   string
	op     func() func() // makes what one goroutine calls again and again
	ns     []float64     // by round
	allocs int64
	bytes  int64
}

// turns is how often each takes its turn in a round: machines that others use are slow
// for a second at a time.
const turns = 4

// compare measures subjects in turns.
func (b *bench) compare(parallel bool, subjects ...*subject) {
	for _, s := range subjects {
		s.ns = nil
	}
	for range turns * b.rounds {
		for _, s := range subjects {
			s.measure(parallel)
		}
	}
}

// measure measures s once.
func (s *subject) measure(parallel bool) {
	res := testing.Benchmark(func(t *testing.B) { repeat(t, s.op, parallel) })
	s.ns = append(s.ns, float64(res.T.Nanoseconds())/float64(res.N))
	s.allocs, s.bytes = res.AllocsPerOp(), res.AllocedBytesPerOp()
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

func (s *subject) median() float64 { return measure.Median(s.ns) }

func (s *subject) over(base *subject) float64 { return measure.Ratio(s.ns, base.ns) }

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

// asked returns the op of asking h for r.
func asked(h http.Handler, r func() *http.Request) func() func() {
	return func() func() {
		w, r := measure.NewWriter(), r()
		return func() {
			w.Reset()
			h.ServeHTTP(w, r)
		}
	}
}
