package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// fillMetrics are the fills of all policies, and how the engine met the store.
type fillMetrics struct {
	total    *prometheus.CounterVec
	took     *prometheus.HistogramVec
	flights  *prometheus.GaugeVec
	failures *prometheus.CounterVec
}

// The kinds of fills. A background fill is a refresh.
const (
	foreground = "foreground"
	background = "background"
)

// The results of fills.
const (
	fillOK        = "ok"
	fillOvertaken = "overtaken"
	fillTimeout   = "timeout"
	fillCanceled  = "canceled"
	fillPanic     = "panic"
	fillError     = "error"
)

var fillResults = []string{fillOK, fillOvertaken, fillTimeout, fillCanceled, fillPanic, fillError}

// engineOps are where a Group may find that the store has failed.
var engineOps = []string{"get", "acquire", "wait", "commit", "release"}

func newFillMetrics(m maker) fillMetrics {
	return fillMetrics{
		total: m.counter("reprise_fills_total",
			"Runs of a handler or loader that the cache made, for a caller (foreground) or as a refresh behind one (background), by how they ended.",
			labelPolicy, labelKind, labelResult),
		took: m.histogram("reprise_fill_duration_seconds",
			"How long fills ran, whatever their result.",
			labelPolicy, labelKind),
		flights: m.gauge("reprise_flights",
			"Fills under way that other callers may wait for.",
			labelPolicy),
		failures: m.counter("reprise_store_failures_total",
			"Times the engine found that the store had failed, and went on without it.",
			labelPolicy, labelOp),
	}
}

// fills are the prebound series of one policy: an swr.Observer.
type fills struct {
	policy string
	all    fillMetrics // for an op that engineOps does not have

	total    map[string]*[2]prometheus.Counter // by result, then kind
	took     [2]prometheus.Observer            // by kind
	flights  prometheus.Gauge
	failures map[string]prometheus.Counter // by op
}

// of returns the series of one policy, all of them existing.
func (m fillMetrics) of(policy string) fills {
	f := fills{
		policy:   policy,
		all:      m,
		total:    make(map[string]*[2]prometheus.Counter, len(fillResults)),
		flights:  m.flights.WithLabelValues(policy),
		failures: make(map[string]prometheus.Counter, len(engineOps)),
	}
	for _, result := range fillResults {
		f.total[result] = &[2]prometheus.Counter{
			m.total.WithLabelValues(policy, foreground, result),
			m.total.WithLabelValues(policy, background, result),
		}
	}
	f.took = [2]prometheus.Observer{
		m.took.WithLabelValues(policy, foreground),
		m.took.WithLabelValues(policy, background),
	}
	for _, op := range engineOps {
		f.failures[op] = m.failures.WithLabelValues(policy, op)
	}
	return f
}

// Filled implements swr.Observer.
func (f *fills) Filled(_ string, took time.Duration, behind bool, err error) {
	kind := 0
	if behind {
		kind = 1
	}
	f.total[fillResult(err)][kind].Inc()
	if took > 0 { // 0: nobody timed it
		f.took[kind].Observe(took.Seconds())
	}
}

// StoreFailed implements swr.Observer.
func (f *fills) StoreFailed(op string, _ error) {
	if c, ok := f.failures[op]; ok {
		c.Inc()
		return
	}
	f.all.failures.WithLabelValues(f.policy, other).Inc()
}

// Flying implements swr.Observer.
func (f *fills) Flying(delta int) { f.flights.Add(float64(delta)) }

// fillResult sorts a fill's error into what an operator would do something
// different about.
func fillResult(err error) string {
	switch _, panicked := errors.AsType[*swr.PanicError](err); {
	case err == nil:
		return fillOK
	case errors.Is(err, store.ErrOvertaken):
		return fillOvertaken
	case panicked, errors.Is(err, swr.ErrPanicked):
		return fillPanic
	case errors.Is(err, context.DeadlineExceeded):
		return fillTimeout
	case errors.Is(err, context.Canceled), errors.Is(err, swr.ErrClosed):
		return fillCanceled
	default:
		return fillError
	}
}
