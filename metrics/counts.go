package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// Counts returns what the Collector shows of each policy's requests: it is a
// middleware.Counter. What happens meanwhile may be in a part of it.
func (c *Collector) Counts() []middleware.PolicyCounts {
	c.mu.Lock()
	policies := maps.Clone(c.policies)
	c.mu.Unlock()
	list := make([]middleware.PolicyCounts, 0, len(policies))
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		list = append(list, policies[name].counts())
	}
	return list
}

func (r *requests) counts() middleware.PolicyCounts {
	n := middleware.PolicyCounts{Policy: r.policy}
	for o := range swr.NumOutcomes {
		n.Requests[o] = uint64(written(r.total[o].Write).GetCounter().GetValue())
		took := written(r.took[o].(prometheus.Histogram).Write).GetHistogram()
		n.Timed[o] = took.GetSampleCount()
		n.Took[o] = time.Duration(took.GetSampleSum() * float64(time.Second))
	}
	return n
}

// written returns what a metric writes for a scrape. The type of it is inferred: to
// name it would make its module, client_model, a requirement of ours.
func written[M any](write func(*M) error) *M {
	m := new(M)
	_ = write(m) // counters and histograms of client_golang do not fail
	return m
}
