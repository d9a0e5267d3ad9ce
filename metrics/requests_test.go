package metrics_test

import (
	"maps"
	"testing"
	"time"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

func TestRequests(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{Buckets: []float64{0.1}})
	p := c.Policy("products")
	for range 64 {
		p.Request(swr.Hit, middleware.ReasonNone, 0)
	}
	p.Request(swr.Hit, middleware.ReasonNone, 20*time.Microsecond)
	p.Request(swr.Miss, middleware.ReasonPrivate, 250*time.Millisecond)
	p.Request(swr.Bypass, middleware.ReasonMethod, 0)
	p.Request(swr.Bypass, middleware.ReasonMethod, 0)
	c.Policy("products").Request(swr.Rescued, middleware.ReasonError, 0) // a second cache
	p.Request(swr.NumOutcomes, middleware.ReasonError, time.Second)
	p.Request(swr.Bypass, middleware.NumReasons, 0)

	expect(t, registry, `
# HELP reprise_requests_total Requests answered, by where the answer came from.
# TYPE reprise_requests_total counter
reprise_requests_total{outcome="bypass",policy="products"} 3
reprise_requests_total{outcome="collapsed",policy="products"} 0
reprise_requests_total{outcome="hit",policy="products"} 65
reprise_requests_total{outcome="miss",policy="products"} 1
reprise_requests_total{outcome="other",policy="products"} 1
reprise_requests_total{outcome="rescued",policy="products"} 1
reprise_requests_total{outcome="revalidated",policy="products"} 0
reprise_requests_total{outcome="stale",policy="products"} 0
`, "reprise_requests_total")
	expectDurations(t, registry, "reprise_request_duration_seconds", map[string]sample{
		"hit products":         {count: 1, sum: 20e-6},
		"miss products":        {count: 1, sum: 0.25},
		"stale products":       {},
		"collapsed products":   {},
		"revalidated products": {},
		"rescued products":     {},
		"bypass products":      {},
	})
}

func TestReasons(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	p := c.Policy("products")
	want := map[string]sample{"products other": {value: 2}}
	for why := middleware.ReasonNone + 1; why < middleware.NumReasons; why++ {
		for range why {
			p.Request(swr.Miss, why, 0)
		}
		p.Request(swr.Hit, why, 0) // a hit needs no reason
		want["products "+why.String()] = sample{value: float64(why)}
	}
	p.Request(swr.Miss, middleware.ReasonNone, 0)
	p.Request(swr.Miss, middleware.NumReasons, 0)
	p.Request(swr.Bypass, middleware.NumReasons+1, 0)

	if got := samples(t, registry, "reprise_request_reasons_total"); !maps.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

func TestHistogramsAreNativeAndClassic(t *testing.T) {
	for name, test := range map[string]struct {
		buckets []float64
		classic int
	}{
		"default":     {nil, 13},
		"own":         {[]float64{0.1, 1}, 2},
		"native only": {[]float64{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c, registry := newCollector(t, metrics.Options{Buckets: test.buckets})
			c.StoreOp("get", "ok", time.Millisecond)
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				if f.GetName() != "reprise_store_operation_duration_seconds" {
					continue
				}
				h := f.GetMetric()[2].GetHistogram() // acquire, commit, get
				if h.GetSampleCount() != 1 || len(h.GetPositiveSpan()) != 1 || h.GetSchema() != 3 {
					t.Errorf("no native histogram: %v", h)
				}
				if got := len(h.GetBucket()); got != test.classic {
					t.Errorf("%d classic buckets, want %d", got, test.classic)
				}
				return
			}
			t.Error("the histogram is not there")
		})
	}
}
