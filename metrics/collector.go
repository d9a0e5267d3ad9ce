package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

var (
	_ prometheus.Collector = (*Collector)(nil)
	_ middleware.Recorder  = (*Collector)(nil)
	_ middleware.Counter   = (*Collector)(nil)
	_ store.Recorder       = (*Collector)(nil)
	_ swr.Recorder         = (*Collector)(nil)

	_ middleware.TracedRequests = (*requests)(nil)
)

// The labels of the metrics. They are not free for Options.ConstLabels; nor is
// "le", which Prometheus puts on classic buckets.
const (
	labelPolicy  = "policy"
	labelOutcome = "outcome"
	labelReason  = "reason"
	labelKind    = "kind"
	labelResult  = "result"
	labelOp      = "op"
	labelMode    = "mode"
	labelStore   = "store"
	labelCache   = "cache"

	labelCondition = "condition"
)

var ownLabels = []string{
	labelPolicy, labelOutcome, labelReason, labelKind, labelResult, labelOp, labelMode, labelStore, labelCache,
	labelCondition, "le",
}

// other is the label value of what an enum does not know: a store of a third
// party may record operations that this package has never heard of.
const other = "other"

// A Collector counts what caches and stores do. Make one with New. Its methods
// may be called at the same time, from any goroutine.
type Collector struct {
	requests requestMetrics
	fills    fillMetrics
	caches   cacheMetrics
	stores   storeMetrics
	local    *local

	all []prometheus.Collector

	mu       sync.Mutex
	policies map[string]*requests // one of those that Policy has made, by name
}

// New returns a Collector that is registered nowhere yet. It reports everything
// that is wrong with o at once, as joined *OptionErrors.
func New(o Options) (*Collector, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Buckets == nil {
		o.Buckets = defaultBuckets
	}
	c := &Collector{policies: make(map[string]*requests)}
	m := maker{o, &c.all}
	c.requests = newRequestMetrics(m)
	c.fills = newFillMetrics(m)
	c.caches = newCacheMetrics(m)
	c.stores = newStoreMetrics(m)
	c.local = newLocal(o)
	return c, nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range c.all {
		m.Describe(descs)
	}
	c.local.describe(descs)
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	for _, m := range c.all {
		m.Collect(metrics)
	}
	c.local.collect(metrics)
}

// A maker makes the vectors of one Collector, and notes them in all.
type maker struct {
	opts Options
	all  *[]prometheus.Collector
}

func (m maker) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: name, Help: help, ConstLabels: m.opts.ConstLabels,
	}, labels)
	*m.all = append(*m.all, v)
	return v
}

func (m maker) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: name, Help: help, ConstLabels: m.opts.ConstLabels,
	}, labels)
	*m.all = append(*m.all, v)
	return v
}

// histogram makes one that is native for those who scrape native histograms
// and classic for those who do not: Prometheus picks.
func (m maker) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, ConstLabels: m.opts.ConstLabels,
		Buckets:                         m.opts.Buckets,
		NativeHistogramBucketFactor:     1.1, // a quantile is off by 5 % at most
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, labels)
	*m.all = append(*m.all, v)
	return v
}
