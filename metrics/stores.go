package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// storeMetrics are what the stores record of themselves.
type storeMetrics struct {
	ops    *prometheus.CounterVec
	took   *prometheus.HistogramVec
	purges *prometheus.CounterVec

	// Prebound, and not written to after New: no lock.
	boundOps    map[opResult]prometheus.Counter
	boundTook   map[string]prometheus.Observer
	boundPurges map[purge]prometheus.Counter
}

type opResult struct{ op, result string }

type purge struct{ kind, mode, result string }

// storeOps are the operations of store.Recorder, with the results that each of
// them may have. Other pairs of these words are counted as they come; other
// words as "other".
var storeOps = []struct {
	op      string
	results []string
}{
	{"get", []string{"ok", "miss", "unreadable", "newer", "timeout", "error"}},
	{"acquire", []string{"ok", "held", "changed", "full", "newer", "timeout", "error"}},
	{"commit", []string{"ok", "overtaken", "large", "timeout", "error"}},
	{"release", []string{"ok", "overtaken", "timeout", "error"}},
	{"renew", []string{"ok", "overtaken", "timeout", "error"}},
	{"wait", []string{"ok", "timeout", "error"}},
	{"purge", []string{"ok", "timeout", "error"}},
}

// refusals are the results that any operation may have, and none should: their
// series come with the first of them.
var refusals = []string{"oom", "readonly", "loading", "noauth", "wrongtype"}

var (
	purgeKinds = []string{"key", "tag", "match", "all"}
	purgeModes = []string{"hard", "soft"}
)

func newStoreMetrics(m maker) storeMetrics {
	s := storeMetrics{
		ops: m.counter("reprise_store_operations_total",
			"Operations of the store, but for look-ups that the process's own memory answered.",
			labelOp, labelResult),
		took: m.histogram("reprise_store_operation_duration_seconds",
			"How long operations took that left the process.",
			labelOp),
		purges: m.counter("reprise_purges_total",
			"Purges that this process asked for, by what they named.",
			labelKind, labelMode, labelResult),
		boundOps:    make(map[opResult]prometheus.Counter),
		boundTook:   make(map[string]prometheus.Observer),
		boundPurges: make(map[purge]prometheus.Counter),
	}
	s.bind()
	return s
}

// bind makes the series exist, at 0.
func (s storeMetrics) bind() {
	for _, o := range storeOps {
		s.boundTook[o.op] = s.took.WithLabelValues(o.op)
		for _, result := range o.results {
			s.boundOps[opResult{o.op, result}] = s.ops.WithLabelValues(o.op, result)
		}
	}
	for _, kind := range purgeKinds {
		for _, mode := range purgeModes {
			for _, result := range []string{"ok", "error"} {
				s.boundPurges[purge{kind, mode, result}] = s.purges.WithLabelValues(kind, mode, result)
			}
		}
	}
}

// StoreOp implements store.Recorder.
func (c *Collector) StoreOp(op, result string, took time.Duration) {
	s := &c.stores
	if bound, ok := s.boundOps[opResult{op, result}]; ok {
		bound.Inc()
	} else {
		s.ops.WithLabelValues(knownOp(op), knownResult(result)).Inc()
	}
	if took <= 0 {
		return
	}
	if bound, ok := s.boundTook[op]; ok {
		bound.Observe(took.Seconds())
	} else {
		s.took.WithLabelValues(other).Observe(took.Seconds())
	}
}

// Purged implements store.Recorder.
func (c *Collector) Purged(kind string, soft bool, err error) {
	p := purge{kind, "hard", "ok"}
	if soft {
		p.mode = "soft"
	}
	if err != nil {
		p.result = "error"
	}
	if bound, ok := c.stores.boundPurges[p]; ok {
		bound.Inc()
		return
	}
	c.stores.purges.WithLabelValues(other, p.mode, p.result).Inc()
}

// knownOp returns op if it is one of store.Recorder's.
func knownOp(op string) string {
	for _, o := range storeOps {
		if o.op == op {
			return op
		}
	}
	return other
}

// knownResult returns result if some operation of store.Recorder may have it.
func knownResult(result string) string {
	for _, o := range storeOps {
		if slices.Contains(o.results, result) {
			return result
		}
	}
	if slices.Contains(refusals, result) {
		return result
	}
	return other
}
