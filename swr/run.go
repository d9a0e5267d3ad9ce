package swr

import "sync"

// A Run is one execution of Fill.
type Run struct {
	once    sync.Once
	of      interface{ alone(drop bool, why error) } // nil: of nobody's flight
	offline bool
	verdict error
}

// Solo tells that the result is for the caller only from the start: nothing
// will be stored, and nobody waits.
func (r *Run) Solo() bool { return r.of == nil }

// Offline tells that the store could not be reached for a lease. What is stored
// may then have been purged elsewhere, up to a trust window ago, and others may
// join this fill for as long again: its result must not be made of that.
func (r *Run) Offline() bool { return r.offline }

// Alone says, while Fill still works, that its result is for its caller only.
// Whoever waits stops waiting, the lease ends, and from here on Fill's context
// is cancelled when its caller leaves, and no longer by the fill timeout. With
// drop, what was stored goes too; why is as Made.Why. Only the first call counts.
func (r *Run) Alone(drop bool, why error) {
	if r.of != nil {
		r.once.Do(func() { r.of.alone(drop, why) })
	}
}

// Verdict tells, once Load has returned, what became of the entries Fill kept:
// nil if they are stored, store.ErrOvertaken, store.ErrTooLarge, or why the store
// failed; and why a fill was alone: since its key is full, store.ErrFull, since
// too many wait, ErrWaiters, or since nothing was kept lately, Made.Why of then.
func (r *Run) Verdict() error { return r.verdict }

// settled ends the time in which Alone counts. It tells whether Alone was called.
func (r *Run) settled() (wasAlone bool) {
	wasAlone = true
	r.once.Do(func() { wasAlone = false })
	return wasAlone
}
