package swr

import (
	"context"
	"errors"
	"time"

	"github.com/reprise-go/reprise/store"
)

// A flight is one fill that others may wait for, and all that it works with.
type flight[V any] struct {
	g     *Group[V]
	slot  store.Slot
	apart bool // its leader's alone: nobody follows, and a fill for all takes its place

	// Written before Fill is called.
	caller     context.Context // its leader's
	detached   detached        // the same without its cancellation
	background bool
	ctx        fillContext // Fill's, unless it is apart
	run        Run

	// Guarded by Group.mu.
	done    chan struct{} // closed by end; made for the first who waits
	ended   bool
	started time.Time
	due     time.Time   // when the fill's time is up; zero before it begins
	timer   *time.Timer // drops it then, if somebody waits
	waiting int         // callers in follow
	sealed  bool        // its commit has begun: late comers look for themselves
	offline bool        // no lease: the store cannot be reached
	lease   store.Lease // written before Fill is called; of one apart, also for who takes its place
	evicts  *flight[V]  // the one apart whose place it has taken

	// Written once, before done is closed, if anybody waits.
	verdict verdict
	value   V
	err     error // why the fill failed
}

// A verdict says what followers make of a flight that has ended.
type verdict uint8

const (
	lookAgain verdict = iota // nothing was made, or it was overtaken
	unshared                 // what was made is for the leader only
	failed                   // the fill failed
	panicked                 // the fill panicked, which may be due to its caller
	committed                // the value is stored, and for everyone whom it suits
	uncertain                // the store failed: the value is for those who came early
)

// A role is what a caller is to a flight.
type role uint8

const (
	leader    role = iota
	follower       // joined in time to share
	latecomer      // waits for the end, then looks for itself
	excess         // as many wait as may
)

// ErrWaiters is the Verdict of a Run that is alone because as many callers as may
// wait for the fill that it would have waited for.
var ErrWaiters = errors.New("swr: too many callers wait for one fill")

// join opens the flight of slot, or joins the one under way. One for all does
// not wait for one that is apart.
func (g *Group[V]) join(slot store.Slot, apart bool) (*flight[V], role) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.underWay(slot)
	over := f != nil && f.apart && !apart
	switch {
	case f == nil || over:
	case f.offline && time.Since(f.started) >= g.opts.Trust:
		// Without a lease nothing tells this flight of a purge elsewhere, so
		// nobody may share one that is older than the trust window.
	case apart: // it waits for nobody
		return f, latecomer
	case f.waiting >= g.opts.Waiters:
		return f, excess
	case f.sealed:
		f.awaited()
		return f, latecomer
	default:
		f.awaited()
		return f, follower
	}
	evicted := f
	f = &flight[V]{g: g, slot: slot, apart: apart, started: time.Now()}
	if over {
		f.evicts = evicted
	}
	g.flights[slot] = f
	g.opts.Observe.Flying(1)
	return f, leader
}

// underWay returns slot's flight, if its time is not up. The caller holds g.mu.
func (g *Group[V]) underWay(slot store.Slot) *flight[V] {
	f := g.flights[slot]
	if f == nil || f.due.IsZero() || time.Until(f.due) > 0 {
		return f
	}
	var none V
	g.endLocked(f, lookAgain, none)
	return nil
}

// awaited counts one who waits for f. Now there must be something to wait for, and
// it must end in time. The caller holds g.mu.
func (f *flight[V]) awaited() {
	f.waiting++
	if f.done == nil {
		f.done = make(chan struct{})
	}
	f.watch()
}

// watch has f dropped when its time is up, if anybody waits: whoever comes later
// looks at the clock. The caller holds g.mu.
func (f *flight[V]) watch() {
	if f.done != nil && f.timer == nil && !f.due.IsZero() {
		f.timer = time.AfterFunc(time.Until(f.due), func() { f.g.drop(f, lookAgain) })
	}
}

// begin says that f's Fill begins, under lease.
func (g *Group[V]) begin(f *flight[V], lease store.Lease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.lease, f.run.offline = lease, f.offline
	if !f.apart {
		f.due = f.ctx.began.Add(f.ctx.limit)
		f.watch()
	}
}

// hold makes lease the one that ends when another flight takes f's place. It
// tells whether that has not happened already.
func (g *Group[V]) hold(f *flight[V], lease store.Lease) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.lease = lease
	return g.flights[f.slot] == f
}

// evict ends the lease of the flight whose place f has taken. To steal whatever
// lease there is would be wrong: it may be of another process's fill for all.
func (g *Group[V]) evict(ctx context.Context, f *flight[V]) {
	g.mu.Lock()
	var lease store.Lease
	if f.evicts != nil {
		lease, f.evicts = f.evicts.lease, nil
	}
	g.mu.Unlock()
	if lease != nil {
		g.release(context.WithoutCancel(ctx), lease)
	}
}

// restart begins f's time anew. It tells whether f is still its slot's flight,
// and no follower has taken it over.
func (g *Group[V]) restart(f *flight[V]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.started = time.Now()
	return g.flights[f.slot] == f
}

// seal lets nobody join f any more. A request that begins after a purge must
// not get the value of a commit that the purge came too late to stop.
func (g *Group[V]) seal(f *flight[V]) {
	g.mu.Lock()
	f.sealed = true
	g.mu.Unlock()
}

// end wakes f's followers. Only the first end of a flight counts.
func (g *Group[V]) end(f *flight[V], v verdict, value V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endLocked(f, v, value)
}

func (g *Group[V]) endLocked(f *flight[V], v verdict, value V) {
	if f.ended {
		return
	}
	f.ended = true
	g.detach(f)
	if f.timer != nil {
		f.timer.Stop()
	}
	if f.done != nil { // or the value would live as long as what Fill left running
		f.verdict, f.value = v, value
		close(f.done)
	}
	g.opts.Observe.Flying(-1)
}

// fail ends f with why its fill failed.
func (g *Group[V]) fail(f *flight[V], err error) {
	g.mu.Lock()
	if !f.ended {
		f.err = err
	}
	g.mu.Unlock()
	g.drop(f, failed)
}

// drop ends f without a value.
func (g *Group[V]) drop(f *flight[V], v verdict) {
	var none V
	g.end(f, v, none)
}

// detach opens f's slot for the next flight. The caller holds g.mu.
func (g *Group[V]) detach(f *flight[V]) {
	if g.flights[f.slot] == f {
		delete(g.flights, f.slot)
	}
}

// follow waits for f to end.
func (g *Group[V]) follow(ctx context.Context, src Source[V], f *flight[V], r role, t *turns) answer[V] {
	joined := time.Now()
	limit := time.NewTimer(time.Until(t.limit))
	defer limit.Stop()
	select {
	case <-f.done:
	case <-limit.C:
		if g.opts.Waiting == WaitThenFail {
			g.leave(f, r)
			return g.expired(ctx, src)
		}
		g.takeOver(f, t)
		if v, st := g.Peek(ctx, src); st == Fallback { // what allows more is no error: load finds it
			return answer[V]{value: v, outcome: Rescued, final: true}
		}
		return answer[V]{}
	case <-ctx.Done():
		g.leave(f, r)
		return answer[V]{} // load tells the caller
	}

	switch {
	case r == latecomer || f.verdict == lookAgain:
		return answer[V]{}
	case f.verdict == unshared:
		return answer[V]{unsuited: true}
	case f.verdict == failed:
		return g.outlive(ctx, src, f, t)
	case f.verdict == panicked: // one more tries it for all; after that, all try for themselves
		t.alone, t.panicked = t.panicked, true
		return answer[V]{}
	case f.verdict == uncertain && joined.Sub(f.started) >= g.opts.Trust:
		return answer[V]{}
	case src.State(f.value) == Fresh:
		return answer[V]{value: f.value, outcome: Collapsed, final: true}
	default:
		return answer[V]{unsuited: true}
	}
}

// leave says that who has joined f as r does not wait for it, or no longer.
func (g *Group[V]) leave(f *flight[V], r role) {
	if r == follower || r == latecomer {
		g.mu.Lock()
		f.waiting--
		g.mu.Unlock()
	}
}

// takeOver is for a caller who has waited long enough for f. The first one
// opens f's slot, and leads or joins the next flight: so that, when a fill
// hangs, one more runs and not everybody at once. A flight that has just begun
// does not hang: it may be the one that was to take over. After a second wait
// the caller fills alone.
func (g *Group[V]) takeOver(f *flight[V], t *turns) {
	g.mu.Lock()
	f.waiting--
	if time.Since(f.started) >= g.opts.WaitTimeout/2 {
		g.detach(f)
	}
	g.mu.Unlock()
	t.alone = t.late
	t.late = true
	t.limit = g.waitLimit()
}

// outlive is for the followers of a fill that failed. They use what they may, and
// have its error if it is for them too. Else they fill for themselves: not one
// after another against what fails.
func (g *Group[V]) outlive(ctx context.Context, src Source[V], f *flight[V], t *turns) answer[V] {
	a := g.standIn(ctx, src)
	if !a.final && g.opts.ShareErrors {
		return answer[V]{outcome: Collapsed, err: f.err, final: true}
	}
	t.alone = true
	return a
}

// expired is for a caller who does not wait any longer, and fills nothing.
func (g *Group[V]) expired(ctx context.Context, src Source[V]) answer[V] {
	if a := g.standIn(ctx, src); a.final {
		return a
	}
	return answer[V]{outcome: Miss, err: ErrWaitTimeout, final: true}
}

// standIn answers with what may stand in for a fill that fails: with what the
// caller may use now, for a purge may have taken what it found before.
func (g *Group[V]) standIn(ctx context.Context, src Source[V]) answer[V] {
	if v, st := g.Peek(ctx, src); st >= Fallback {
		return answer[V]{value: v, outcome: Rescued, final: true}
	}
	return answer[V]{}
}
