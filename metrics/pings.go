package metrics

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/store"
)

// A scrape waits for a store's ping no longer than pingWait. The ping itself is to
// end before: what it says of its end tells more than that it did not end.
const (
	pingLimit = 400 * time.Millisecond
	pingWait  = 500 * time.Millisecond
)

// health shows, at each scrape, how the watched stores are that can tell.
type health struct {
	up, took, lag, condition *prometheus.Desc
}

func newHealth(o Options) health {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{labelStore}, labels...), o.ConstLabels)
	}
	return health{
		up: desc("reprise_store_up",
			"Whether the store could be reached when it was scraped; without it handlers answer."),
		took: desc("reprise_store_ping_seconds",
			"How long the slowest node of the store took to answer when it was scraped; 0: no node was asked, or none answered."),
		lag: desc("reprise_store_purge_lag_seconds",
			"How old the newest proof is that this process has heard of every purge."),
		condition: desc("reprise_store_condition",
			"Whether the store is in this condition, which it should not be in.",
			labelCondition),
	}
}

func (d health) describe(descs chan<- *prometheus.Desc) {
	for _, one := range []*prometheus.Desc{d.up, d.took, d.lag, d.condition} {
		descs <- one
	}
}

// collect shows what a ping of the store called name brought: as many series each
// time, whatever that is.
func (d health) collect(metrics chan<- prometheus.Metric, name string, h store.Health, err error) {
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, append([]string{name}, labels...)...)
	}
	gauge(d.up, number(err == nil))
	gauge(d.took, h.Latency.Seconds())
	gauge(d.lag, h.Lag.Seconds())
	named, known := h.Named(), store.Conditions()
	for _, condition := range known {
		gauge(d.condition, number(slices.Contains(named, condition)), condition)
	}
	unknown := slices.ContainsFunc(named, func(n string) bool { return !slices.Contains(known, n) })
	gauge(d.condition, number(unknown), other)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// A pinged is a store that is asked how it is, once at a time: scrapes that come
// together share one ping, and one that hangs has no other come after it.
type pinged struct {
	store store.Pinger

	mu  sync.Mutex
	now *ping // under way; nil: none is
}

// A ping is a question, and what came of it once done is closed.
type ping struct {
	done   chan struct{}
	health store.Health
	err    error
}

// ask returns within pingWait.
func (p *pinged) ask() (store.Health, error) {
	asked := p.begin()
	wait := time.NewTimer(pingWait)
	defer wait.Stop()
	select {
	case <-asked.done:
		return asked.health, asked.err
	case <-wait.C:
		return store.Health{Degraded: store.NotAnswering}, context.DeadlineExceeded
	}
}

// begin begins a ping, or joins the one that is under way.
func (p *pinged) begin() *ping {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		p.now = &ping{done: make(chan struct{})}
		go p.run(p.now)
	}
	return p.now
}

func (p *pinged) run(asked *ping) {
	ctx, cancel := context.WithTimeout(context.Background(), pingLimit)
	defer cancel()
	asked.health, asked.err = p.store.Ping(ctx)
	p.mu.Lock()
	p.now = nil
	p.mu.Unlock()
	close(asked.done)
}
