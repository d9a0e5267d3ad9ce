package metrics_test

import (
	"testing"
	"time"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// calls are what the cache and the stores say on their hot paths.
func calls(c *metrics.Collector) map[string]func() {
	p := c.Policy("products")
	return map[string]func(){
		"hit":       func() { p.Request(swr.Hit, middleware.ReasonNone, 0) },
		"hit-timed": func() { p.Request(swr.Hit, middleware.ReasonNone, 20*time.Microsecond) },
		"miss":      func() { p.Request(swr.Miss, middleware.ReasonURI, time.Millisecond) },
		"bypass":    func() { p.Request(swr.Bypass, middleware.ReasonMethod, 0) },
		"fill":      func() { p.Filled("key", time.Millisecond, false, nil) },
		"flight":    func() { p.Flying(1) },
		"store-op":  func() { c.StoreOp("get", "ok", time.Millisecond) },
		"purge":     func() { c.Purged("tag", false, nil) },
	}
}

func TestNoAllocations(t *testing.T) {
	c, _ := newCollector(t, metrics.Options{})
	for name, call := range calls(c) {
		if n := testing.AllocsPerRun(1000, call); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkRecord is one call on one goroutine, and the same on all of them.
func BenchmarkRecord(b *testing.B) {
	c, _ := newCollector(b, metrics.Options{})
	for name, call := range calls(c) {
		b.Run(name+"/serial", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					call()
				}
			})
		})
	}
}

// BenchmarkGather is a scrape of one program with 20 policies.
func BenchmarkGather(b *testing.B) {
	c, registry := newCollector(b, metrics.Options{})
	for i := range 20 {
		exercise(c, string(rune('a'+i)), time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
