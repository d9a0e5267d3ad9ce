package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/swr"
)

// cacheMetrics are the calls of all data caches.
type cacheMetrics struct {
	total   *prometheus.CounterVec
	failed  *prometheus.CounterVec
	refused *prometheus.CounterVec
	took    *prometheus.HistogramVec
}

func newCacheMetrics(m maker) cacheMetrics {
	return cacheMetrics{
		total: m.counter("reprise_cache_calls_total",
			"Calls of a data cache, by where the value came from. One for many keys counts once per key.",
			labelCache, labelOutcome),
		failed: m.counter("reprise_cache_errors_total",
			"Calls of a data cache that brought an error, a miss and a value that does not exist left out.",
			labelCache),
		refused: m.counter("reprise_cache_refused_total",
			"Values of a data cache that were not used or not stored, by why.",
			labelCache, labelReason),
		took: m.histogram("reprise_cache_call_duration_seconds",
			"How long calls of a data cache took, of those that were timed: of hits, about one in 32 is.",
			labelCache, labelOutcome),
	}
}

// valueRefusals are the words of swr.Calls.
var valueRefusals = []string{"foreign", "schema", "decode", "invalid", "encode", "size", "tags"}

// calls are the prebound series of one data cache: an swr.Calls.
type calls struct {
	fills

	name string
	all  cacheMetrics // for values that the enums do not have

	total   [swr.NumOutcomes]prometheus.Counter
	took    [swr.NumOutcomes]prometheus.Observer
	failed  prometheus.Counter
	refused map[string]prometheus.Counter
}

// Cache returns what records the data cache called name; Collector is an
// swr.Recorder by it. Its fills are listed beside those of policies: with
// policy="name". Names are as those of policies are.
func (c *Collector) Cache(name string) swr.Calls {
	name = strings.ToValidUTF8(name, "\uFFFD") // prometheus panics otherwise
	r := &calls{
		fills: c.fills.of(name), name: name, all: c.caches, failed: c.caches.failed.WithLabelValues(name),
		refused: make(map[string]prometheus.Counter, len(valueRefusals)),
	}
	for o := range swr.NumOutcomes {
		r.total[o] = c.caches.total.WithLabelValues(name, o.String())
		r.took[o] = c.caches.took.WithLabelValues(name, o.String())
	}
	for _, why := range valueRefusals {
		r.refused[why] = c.caches.refused.WithLabelValues(name, why)
	}
	return r
}

// Called implements swr.Calls. A hit that was not timed costs one atomic
// addition.
func (r *calls) Called(o swr.Outcome, failed bool, took time.Duration) {
	if failed {
		r.failed.Inc()
	}
	if o >= swr.NumOutcomes {
		r.all.total.WithLabelValues(r.name, other).Inc()
		return
	}
	r.total[o].Inc()
	if took > 0 {
		r.took[o].Observe(took.Seconds())
	}
}

// Refused implements swr.Calls.
func (r *calls) Refused(why string) {
	if c, ok := r.refused[why]; ok {
		c.Inc()
		return
	}
	r.all.refused.WithLabelValues(r.name, other).Inc()
}
