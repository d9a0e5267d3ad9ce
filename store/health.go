package store

import (
	"context"
	"slices"
	"strings"
	"time"
)

// A Pinger is an optional ability of a Store: it tells how the store is.
type Pinger interface {
	// Ping asks the backend, now, and returns what came of it; Health is filled
	// with an error too. The error means that the store cannot be reached: it
	// keeps nothing and finds nothing, and its callers go on without it. Ping is
	// cheap enough to be asked every second, and returns when ctx is done.
	Ping(ctx context.Context) (Health, error)
}

// Health is how a Store is.
type Health struct {
	// Latency is how long the slowest node took that answered; 0: no node was
	// asked, or none answered.
	Latency time.Duration
	// Degraded names what is not as it should be, for people to read: conditions
	// of those below, the worst first, with ", " between them; "": nothing. See Has.
	Degraded string
	// Lag is how old the newest proof is that this process has heard of every
	// purge, of the worst connection that what it keeps was read on: what another
	// instance has purged since may still be kept here. It grows while the backend
	// cannot be reached, and is 0 where nothing is kept, or no other instance exists.
	Lag time.Duration
	// Local is what the store keeps in this process's memory.
	Local LocalSize
}

// The conditions that Health.Degraded may name. The texts do not change; there
// may come to be more.
const (
	// NotConnected: there is no connection to the backend, or none yet.
	NotConnected = "not connected"
	// NotAnswering: it is connected, and did not answer in time.
	NotAnswering = "not answering"
	// Refusing: it answers, with errors.
	Refusing = "refusing"
	// PartlyAway: of a backend of several nodes some answer, and some do not.
	PartlyAway = "partly away"
	// BreakerOpen: calls have failed, so that the store does not try any more
	// where they did, until a probe in the background succeeds.
	BreakerOpen = "breaker open"
	// NoTracking: the backend does not tell of changes, so that nothing is kept
	// in this process.
	NoTracking = "no tracking"
	// LocalUntrusted: what is kept in this process is not used, since the
	// connection that vouches for it has not proved itself alive of late.
	LocalUntrusted = "local tier not trusted"
)

// Conditions returns all conditions that are known here, the worst first.
func Conditions() []string {
	return []string{NotConnected, NotAnswering, Refusing, PartlyAway, BreakerOpen, NoTracking, LocalUntrusted}
}

// Named returns the conditions that Degraded names, which may be others than those
// of Conditions.
func (h Health) Named() []string {
	if h.Degraded == "" {
		return nil
	}
	return strings.Split(h.Degraded, ", ")
}

// Has tells whether Degraded names condition.
func (h Health) Has(condition string) bool { return slices.Contains(h.Named(), condition) }
