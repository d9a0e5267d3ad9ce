package metrics

import (
	"maps"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/store"
)

// local reads, at each scrape, what the watched stores keep in this process's
// memory. Nothing is counted twice: the stores keep the figures anyway.
type local struct {
	bytes, budget, entries, evictions *prometheus.Desc

	mu     sync.Mutex
	sizers map[string]store.Sizer
}

func newLocal(o Options) *local {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{labelStore}, o.ConstLabels)
	}
	return &local{
		bytes: desc("reprise_local_bytes",
			"Estimated memory of what the store keeps in this process, with overhead."),
		budget: desc("reprise_local_budget_bytes",
			"The bound of reprise_local_bytes."),
		entries: desc("reprise_local_entries",
			"Entries that the store keeps in this process."),
		evictions: desc("reprise_local_evictions_total",
			"Entries that were dropped from this process's memory to keep within the budget."),
		sizers: make(map[string]store.Sizer),
	}
}

// Watch shows what s keeps in this process's memory, under the label
// store="name". Watch another store under the same name, after a reload, to
// show that one instead; nil ends it. s is asked at every scrape.
//
// It is not an option of New, because a store is made after its Recorder.
func (c *Collector) Watch(name string, s store.Sizer) {
	name = strings.ToValidUTF8(name, "\uFFFD") // prometheus panics otherwise
	c.local.mu.Lock()
	defer c.local.mu.Unlock()
	if s == nil {
		delete(c.local.sizers, name)
		return
	}
	c.local.sizers[name] = s
}

func (l *local) describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{l.bytes, l.budget, l.entries, l.evictions} {
		descs <- d
	}
}

func (l *local) collect(metrics chan<- prometheus.Metric) {
	for name, sizer := range l.watched() {
		size := sizer.LocalSize()
		gauge := func(d *prometheus.Desc, v int64) {
			metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), name)
		}
		gauge(l.bytes, size.Bytes)
		gauge(l.budget, size.Budget)
		gauge(l.entries, size.Entries)
		metrics <- prometheus.MustNewConstMetric(l.evictions, prometheus.CounterValue, float64(size.Evictions), name)
	}
}

// watched returns a copy: neither a slow store nor a slow scrape holds up Watch.
func (l *local) watched() map[string]store.Sizer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.sizers)
}
