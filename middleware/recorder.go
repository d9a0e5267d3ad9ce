package middleware

import (
	"context"
	"time"

	"github.com/reprise-go/reprise/swr"
)

// A Recorder is asked once per policy, when Handler is called, so that a
// request costs no look-up of labels. metrics.Collector is one.
type Recorder interface {
	Policy(name string) Requests
}

// Requests records what happened to the requests of one policy. Its methods
// are called from any goroutine and must not block.
type Requests interface {
	// Request records one answered request. took is how long it took, or 0
	// where that was not measured: of hits, and of bypasses of a GET or HEAD,
	// about one in 32 is.
	Request(o swr.Outcome, why Reason, took time.Duration)

	// The fills of the policy.
	swr.Observer
}

// TracedRequests is an optional ability of Requests: it notes the trace of a request
// beside how long that took, as Prometheus does with exemplars.
type TracedRequests interface {
	// RequestOf is Request for one that was timed and has a trace: what WithTrace
	// returned, and not "". It may be of any length, and hold any bytes.
	RequestOf(trace string, o swr.Outcome, why Reason, took time.Duration)
}

// recorded records a request. Its trace is asked for only where it was timed, which
// most hits are not.
func (h *handler) recorded(ctx context.Context, o swr.Outcome, why Reason, took time.Duration) {
	if took > 0 && h.traced != nil {
		if trace := h.cache.opts.trace(ctx); trace != "" {
			h.traced.RequestOf(trace, o, why, took)
			return
		}
	}
	h.record.Request(o, why, took)
}
