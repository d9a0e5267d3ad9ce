package metrics

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// requestMetrics are the requests of all policies.
type requestMetrics struct {
	total   *prometheus.CounterVec
	reasons *prometheus.CounterVec
	took    *prometheus.HistogramVec
}

func newRequestMetrics(m maker) requestMetrics {
	return requestMetrics{
		total: m.counter("reprise_requests_total",
			"Requests answered, by where the answer came from.",
			labelPolicy, labelOutcome),
		// One metric for all reasons, and not one each for bypasses, misses and
		// responses that were not stored: a reason belongs to one of the three
		// by its name, and whoever asks why the hit ratio is low wants them in
		// one list. With an outcome label it would have seven times the series.
		reasons: m.counter("reprise_request_reasons_total",
			"Requests that were not plain hits, by why they were answered as they were, or why the response was not stored.",
			labelPolicy, labelReason),
		took: m.histogram("reprise_request_duration_seconds",
			"How long answering took, of the requests that were timed: of hits and bypasses, about one in 32 is.",
			labelPolicy, labelOutcome),
	}
}

// labelTrace is the label that exemplars have, as tools that follow them expect.
const labelTrace = "trace_id"

// maxTrace is how many runes a trace's id may have: what an exemplar may have, less
// the label's name.
const maxTrace = prometheus.ExemplarMaxRunes - len(labelTrace)

// requests are the prebound series of one policy. Policy makes a new one for
// every call: the series behind it are the same.
type requests struct {
	fills

	policy string
	all    requestMetrics // for values that the enums do not have

	total   [swr.NumOutcomes]prometheus.Counter
	took    [swr.NumOutcomes]prometheus.ExemplarObserver
	reasons [middleware.NumReasons]prometheus.Counter
}

// Policy returns what records the requests and fills of the policy called name.
// Two caches that use one Collector and one name are counted together. It is
// also the swr.Observer of an swr.Group that has no policy.
//
// Each name costs some 200 series, for good: names are to be part of the
// program, not made from requests.
func (c *Collector) Policy(name string) middleware.Requests {
	name = strings.ToValidUTF8(name, "\uFFFD") // prometheus panics otherwise
	r := &requests{fills: c.fills.of(name), policy: name, all: c.requests}
	for o := range swr.NumOutcomes {
		r.total[o] = c.requests.total.WithLabelValues(name, o.String())
		r.took[o] = c.requests.took.WithLabelValues(name, o.String()).(prometheus.ExemplarObserver)
	}
	for why := middleware.ReasonNone + 1; why < middleware.NumReasons; why++ {
		r.reasons[why] = c.requests.reasons.WithLabelValues(name, why.String())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policies[name] = r
	return r
}

// Request implements middleware.Requests. A hit that was not timed costs one
// atomic addition.
func (r *requests) Request(o swr.Outcome, why middleware.Reason, took time.Duration) {
	r.request(o, why, took, nil)
}

// RequestOf implements middleware.TracedRequests. An id that cannot be in an exemplar
// is left out: one that is too long, or not UTF-8.
func (r *requests) RequestOf(trace string, o swr.Outcome, why middleware.Reason, took time.Duration) {
	var exemplar prometheus.Labels
	if utf8.ValidString(trace) && utf8.RuneCountInString(trace) <= maxTrace {
		exemplar = prometheus.Labels{labelTrace: trace}
	}
	r.request(o, why, took, exemplar)
}

func (r *requests) request(o swr.Outcome, why middleware.Reason, took time.Duration, exemplar prometheus.Labels) {
	if o >= swr.NumOutcomes {
		r.all.total.WithLabelValues(r.policy, other).Inc()
		return
	}
	r.total[o].Inc()
	if took > 0 {
		r.took[o].ObserveWithExemplar(took.Seconds(), exemplar) // nil: without
	}
	if o != swr.Hit && why != middleware.ReasonNone {
		r.reason(why)
	}
}

func (r *requests) reason(why middleware.Reason) {
	if why >= middleware.NumReasons {
		r.all.reasons.WithLabelValues(r.policy, other).Inc()
		return
	}
	r.reasons[why].Inc()
}
