package metrics

import (
	"maps"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/store"
)

// local reads, at each scrape, what the watched stores keep in this process's
// memory, and how they are. Nothing is counted twice: the stores keep the figures
// anyway.
type local struct {
	bytes, budget, entries, evictions *prometheus.Desc
	health                            health

	mu     sync.Mutex
	stores map[string]watched
}

// A watched store tells its size and, where pings is not nil, how it is.
type watched struct {
	sizer store.Sizer
	pings *pinged
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
		health: newHealth(o),
		stores: make(map[string]watched),
	}
}

// Watch shows what s keeps in this process's memory and, if it is a store.Pinger,
// how it is, under the label store="name". Watch another store under the same name,
// after a reload, to show that one instead; nil ends it.
//
// s is asked at every scrape: of all stores at the same time, once at a time each,
// and for half a second at most. One that does not answer by then is shown as one
// that is not answering.
//
// It is not an option of New, because a store is made after its Recorder.
func (c *Collector) Watch(name string, s store.Sizer) {
	name = strings.ToValidUTF8(name, "\uFFFD") // prometheus panics otherwise
	c.local.mu.Lock()
	defer c.local.mu.Unlock()
	if s == nil {
		delete(c.local.stores, name)
		return
	}
	w := watched{sizer: s}
	if p, ok := s.(store.Pinger); ok {
		w.pings = &pinged{store: p}
	}
	c.local.stores[name] = w
}

func (l *local) describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{l.bytes, l.budget, l.entries, l.evictions} {
		descs <- d
	}
	l.health.describe(descs)
}

func (l *local) collect(metrics chan<- prometheus.Metric) {
	var pings sync.WaitGroup
	defer pings.Wait()
	for name, w := range l.watched() {
		if w.pings != nil {
			pings.Go(func() {
				h, err := w.pings.ask()
				l.health.collect(metrics, name, h, err)
			})
		}
		l.collectSize(metrics, name, w.sizer.LocalSize())
	}
}

func (l *local) collectSize(metrics chan<- prometheus.Metric, name string, size store.LocalSize) {
	gauge := func(d *prometheus.Desc, v int64) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), name)
	}
	gauge(l.bytes, size.Bytes)
	gauge(l.budget, size.Budget)
	gauge(l.entries, size.Entries)
	metrics <- prometheus.MustNewConstMetric(l.evictions, prometheus.CounterValue, float64(size.Evictions), name)
}

// watched returns a copy: neither a slow store nor a slow scrape holds up Watch.
func (l *local) watched() map[string]watched {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.stores)
}
