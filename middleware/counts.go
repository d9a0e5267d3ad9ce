package middleware

import (
	"time"

	"github.com/reprise-go/reprise/swr"
)

// A Counter tells what was counted of the requests of each policy, for who shows it
// without a monitoring system. metrics.Collector is one.
type Counter interface {
	// Counts returns what was counted since the start, by name of the policies.
	Counts() []PolicyCounts
}

// PolicyCounts are the requests of one policy since the start, by outcome. Took is
// how long the Timed ones took together: of hits, and of bypasses of a GET or HEAD,
// about one in 32 is timed.
type PolicyCounts struct {
	Policy   string
	Requests [swr.NumOutcomes]uint64
	Timed    [swr.NumOutcomes]uint64
	Took     [swr.NumOutcomes]time.Duration
}
