package swr

import (
	"context"
	"time"

	"github.com/reprise-go/reprise/store"
)

// State says what one caller may do with what is stored for it. A greater
// State allows more.
type State uint8

const (
	Absent   State = iota // nothing usable is stored: fill, together with others
	Alone                 // fill for this caller only: join nobody, store nothing
	Apart                 // the same, but store what comes of it if nobody fills for all meanwhile
	Fallback              // fill; use what is stored only if that fails
	Stale                 // use it now, and refresh it behind the caller
	Fresh                 // use it
)

// Outcome says where an answer came from. It is the one enum behind headers,
// metric labels, logs and explain.
type Outcome uint8

const (
	Miss        Outcome = iota // filled for this caller
	Hit                        // stored and fresh
	HitStale                   // stored and stale; a refresh is on its way
	Collapsed                  // filled for another caller who came first
	Revalidated                // stored, and confirmed by this caller's fill
	Rescued                    // the fill failed; what was stored stood in
	Bypass                     // the cache was not asked
	NumOutcomes
)

var outcomeNames = [NumOutcomes]string{"miss", "hit", "stale", "collapsed", "revalidated", "rescued", "bypass"}

// String returns the outcome as a metric label has it.
func (o Outcome) String() string {
	if o >= NumOutcomes {
		return "invalid"
	}
	return outcomeNames[o]
}

// MarshalText returns String.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Windows are the lives of a value, counted from its birth. Stale and Error
// both start where Fresh ends (RFC 5861 §3, §4).
type Windows struct{ Fresh, Stale, Error time.Duration }

// At returns the state of a value that is age old.
func (w Windows) At(age time.Duration) State {
	switch over := age - w.Fresh; {
	case over < 0:
		return Fresh
	case over < w.Stale:
		return Stale
	case over < w.Error:
		return Fallback
	default:
		return Absent
	}
}

// Early tells whether a value that is age old, fresh, and cost so much to make is
// to be refreshed now: XFetch of Vattani et al., "Optimal Probabilistic Cache
// Stampede Prevention". times is beta, multiplied with what was drawn from the
// exponential distribution of mean 1.
func (w Windows) Early(age, cost time.Duration, times float64) bool {
	return times*float64(cost) >= float64(w.Fresh-age)
}

// Life is how long a store has any reason to keep the value.
func (w Windows) Life() time.Duration { return w.Fresh + max(w.Stale, w.Error) }

// A Source is one caller's view of one value. A Group calls it from one
// goroutine at a time and does not keep it when Load has returned: it may be
// pooled.
type Source[V any] interface {
	// Lookup reads what is stored for this caller; an error means that nothing
	// usable is. store.ErrNotFound is the usual one, others are recorded.
	Lookup(ctx context.Context) (V, error)

	// State says what this caller may do with v, which is stored or was just
	// made by another caller; v is the zero V where there is none. It does no I/O.
	State(v V) State

	// Claim names the slot that the last Lookup read and what it found there.
	// Lookup may refine the slot: two callers with one URL may end at two.
	// Hold and Steal are the Group's to set.
	Claim() store.Claim

	// Fill makes a value. old is what Lookup found, usable or not. With an
	// error, Made.Value is what to answer if nothing stored can stand in.
	// old may be used until Fill returns.
	Fill(ctx context.Context, run *Run, old V) (Made[V], error)

	// Detach returns a Source that outlives the caller, and the context to
	// call it with: ctx's values, made safe to keep, without its cancellation.
	// A nil Source: this caller cannot refresh for others.
	Detach(ctx context.Context) (context.Context, Source[V])
}

// Made is what a fill brings back.
type Made[V any] struct {
	Value     V
	Keep      []store.Entry // to commit, in one step; none: nothing is stored
	Drop      bool          // what was stored must not be used any more
	Shared    bool          // callers who wait may be asked (State) whether they can use Value
	Confirmed bool          // old was still right; only its life is new
	Why       error         // why nothing is kept: the Verdict of those who fill alone because of it
}

// An Observer learns what a Group did. Its methods must not block.
type Observer interface {
	// Filled says that a fill ended: how long it ran, whether it was a
	// background refresh, and its error. store.ErrOvertaken means that the
	// value was made and not stored.
	Filled(key string, took time.Duration, background bool, err error)
	// StoreFailed says that the store failed at op: "get", "acquire", "wait",
	// "commit" or "release".
	StoreFailed(op string, err error)
	// Flying says that the number of flights, the fills that others may wait
	// for, changed by delta.
	Flying(delta int)
}
