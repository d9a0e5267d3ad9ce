package middleware

import (
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
