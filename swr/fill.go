package swr

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

// ErrPanicked is what the Observer learns of a fill that panicked for a
// caller. The panic itself goes on to that caller.
var ErrPanicked = errors.New("swr: fill panicked")

// A Run is one execution of Fill.
type Run struct {
	once    sync.Once
	alone   func(drop bool, why error)
	offline bool
	verdict error
}

// Solo tells that the result is for the caller only from the start: nothing
// will be stored, and nobody waits.
func (r *Run) Solo() bool { return r.alone == nil }

// Offline tells that the store could not be reached for a lease. What is stored
// may then have been purged elsewhere, up to a trust window ago, and others may
// join this fill for as long again: its result must not be made of that.
func (r *Run) Offline() bool { return r.offline }

// Alone says, while Fill still works, that its result is for its caller only.
// Whoever waits stops waiting, the lease ends, and from here on Fill's context
// is cancelled when its caller leaves, and no longer by the fill timeout. With
// drop, what was stored goes too; why is as Made.Why. Only the first call counts.
func (r *Run) Alone(drop bool, why error) {
	if r.alone != nil {
		r.once.Do(func() { r.alone(drop, why) })
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

// lead fills f for everyone who waits for it.
func (g *Group[V]) lead(ctx context.Context, src Source[V], f *flight[V], old V, t *turns) answer[V] {
	lease := g.lease(ctx, f, src.Claim(), t)
	if lease != nil && f.apart && !g.hold(f, lease) {
		g.release(ctx, lease)
		lease = nil
	}
	if lease == nil {
		g.drop(f, lookAgain)
		if t.expired {
			return g.expired(ctx, src)
		}
		t.alone = t.alone || f.apart // who fills for itself waits for nobody
		return answer[V]{}
	}
	return g.leadUnder(ctx, src, f, lease, old)
}

func (g *Group[V]) leadUnder(ctx context.Context, src Source[V], f *flight[V], lease store.Lease, old V) answer[V] {
	made, err := g.work(ctx, src, f, lease, old, false)
	if err != nil {
		return g.rescue(ctx, src, made.Value, err)
	}
	return answer[V]{value: made.Value, outcome: made.outcome(), final: true}
}

// lease opens the fill of claim, or waits until its holder in the fleet is done
// and returns nil: look again. A caller who has waited long enough, or cannot
// wait because the store fails, takes the lease over.
func (g *Group[V]) lease(ctx context.Context, f *flight[V], claim store.Claim, t *turns) store.Lease {
	claim.Steal = t.late
	lease, err := g.acquire(ctx, f, claim)
	if !errors.Is(err, store.ErrHeld) || f.apart {
		return lease
	}
	if g.opts.Waiting == NoWait {
		t.alone = true
		return nil
	}
	waiting, cancel := context.WithDeadline(ctx, t.limit)
	defer cancel()
	err = g.opts.Leases.Wait(waiting, claim.Slot)
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case waiting.Err() == nil:
		g.opts.Observe.StoreFailed("wait", err)
		if t.looks < maxLooks/2 {
			return nil
		}
	}
	if t.expired = g.opts.Waiting == WaitThenFail && waiting.Err() != nil; t.expired {
		return nil
	}
	t.late, t.limit = true, g.waitLimit()
	if !g.restart(f) {
		return nil
	}
	claim.Steal = true
	lease, _ = g.acquire(ctx, f, claim)
	return lease
}

// acquire returns a nil Lease only with store.ErrHeld, store.ErrChanged or, for
// a slot whose callers each fill alone for a while then, store.ErrFull.
func (g *Group[V]) acquire(ctx context.Context, f *flight[V], claim store.Claim) (store.Lease, error) {
	if g.opts.Leases == nil {
		return unleased{}, nil
	}
	g.evict(ctx, f)
	if claim.Hold = g.opts.FillTimeout; f.apart {
		claim.Hold = g.opts.WaitTimeout / 5 // others, in other processes, wait no longer for what is not for them
	}
	lease, err := g.opts.Leases.Acquire(ctx, claim)
	if err == nil || errors.Is(err, store.ErrHeld) || errors.Is(err, store.ErrChanged) {
		return lease, err
	}
	if errors.Is(err, store.ErrFull) { // hit-for-miss: what is made will not be stored
		g.pass(claim.Slot, err)
		return nil, err
	}
	g.opts.Observe.StoreFailed("acquire", err)
	g.mu.Lock()
	f.offline = true
	g.mu.Unlock()
	return lease, nil
}

// unleased is the lease of a Group without a store.
type unleased struct{}

func (unleased) Commit(context.Context, ...store.Entry) error { return nil }
func (unleased) Release(context.Context) error                { return nil }

// work runs one Fill under lease, and settles f and lease by what it brings.
func (g *Group[V]) work(ctx context.Context, src Source[V], f *flight[V], lease store.Lease, old V, background bool) (made Made[V], err error) {
	fctx, run, stop := g.start(ctx, f, lease, background)
	defer stop()
	began := time.Now()
	seen := ErrPanicked // what the Observer learns
	defer func() {
		if errors.Is(seen, ErrPanicked) { // the lease ends before the followers wake
			run.settled() // what Fill left running may still call Alone
			g.release(ctx, lease)
			g.drop(f, panicked)
			if background {
				return // refreshUnder tells, with the stack
			}
		}
		g.opts.Observe.Filled(f.slot.Key, time.Since(began), background, seen)
	}()

	made, err = src.Fill(fctx, run, old)
	seen = err
	if err != nil && fctx.Err() != nil {
		seen = context.Cause(fctx) // the fill timeout, rather than "canceled"
	}
	if run.settled() {
		return made, err
	}
	run.verdict = g.settle(ctx, f, lease, made, err)
	switch {
	case errors.Is(run.verdict, store.ErrOvertaken):
		seen = run.verdict // not for the caller, who asked before what overtook it
	case background && err == nil:
		err = run.verdict // what cannot be stored need not be made again at once
	}
	return made, err
}

// start makes the context and the Run of one Fill. The fill of a flight does
// not end with its caller: others wait for it, unless it is apart.
func (g *Group[V]) start(ctx context.Context, f *flight[V], lease store.Lease, background bool) (context.Context, *Run, func()) {
	if f.apart {
		run := &Run{offline: g.offline(f), alone: func(drop bool, why error) { _ = g.settle(ctx, f, lease, Made[V]{Drop: drop, Why: why}, nil) }}
		return ctx, run, func() {}
	}
	fctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	timer := time.AfterFunc(g.opts.FillTimeout, func() {
		cancel(context.DeadlineExceeded)
		g.drop(f, lookAgain)
	})
	unhook := func() bool { return true }
	if background {
		unhook = context.AfterFunc(g.refreshes.ctx, func() {
			cancel(context.Cause(g.refreshes.ctx))
			g.drop(f, lookAgain)
			g.release(ctx, lease)
		})
	}
	run := &Run{offline: g.offline(f)}
	run.alone = func(drop bool, why error) {
		if !background {
			timer.Stop()
			unhook = context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
		}
		_ = g.settle(ctx, f, lease, Made[V]{Drop: drop, Why: why}, nil) // which has recorded it
	}
	return fctx, run, func() {
		timer.Stop()
		unhook()
		cancel(context.Canceled)
	}
}

func (g *Group[V]) offline(f *flight[V]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f.offline
}

// settle ends lease and f by what a fill brought. It returns Commit's verdict.
func (g *Group[V]) settle(ctx context.Context, f *flight[V], lease store.Lease, made Made[V], err error) error {
	if err != nil {
		g.release(ctx, lease)
		g.fail(f, err)
		return nil
	}
	if len(made.Keep) == 0 && !made.Shared && !f.apart {
		g.pass(f.slot, made.Why)
	}
	if len(made.Keep) == 0 && !made.Drop {
		g.release(ctx, lease)
		g.end(f, verdictOf(made.Shared && g.opts.Leases == nil, nil), made.Value)
		return nil
	}
	g.seal(f)
	err = lease.Commit(context.WithoutCancel(ctx), made.Keep...)
	if err != nil && !errors.Is(err, store.ErrOvertaken) && !errors.Is(err, store.ErrTooLarge) {
		g.opts.Observe.StoreFailed("commit", err)
	}
	g.end(f, verdictOf(made.Shared, err), made.Value)
	return err
}

func verdictOf(shared bool, commit error) verdict {
	switch {
	case !shared:
		return unshared
	case commit == nil, errors.Is(commit, store.ErrTooLarge): // which nothing has overtaken either
		return committed
	case errors.Is(commit, store.ErrOvertaken):
		return lookAgain
	default:
		return uncertain
	}
}

func (g *Group[V]) release(ctx context.Context, lease store.Lease) {
	err := lease.Release(context.WithoutCancel(ctx))
	if err != nil && !errors.Is(err, store.ErrOvertaken) {
		g.opts.Observe.StoreFailed("release", err)
	}
}

// pass keeps the next callers for slot from queueing.
func (g *Group[V]) pass(slot store.Slot, why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.memos.pass(slot, why, now, now.Add(g.opts.PassFor))
}

// rescue stands in for a fill that failed, if anything may.
func (g *Group[V]) rescue(ctx context.Context, src Source[V], value V, err error) answer[V] {
	if a := g.standIn(ctx, src); a.final {
		return a
	}
	return answer[V]{value: value, outcome: Miss, err: err, final: true}
}

// fillAlone fills for this caller, and stores nothing. verdict is why, where the
// caller asked for nothing of the kind.
func (g *Group[V]) fillAlone(ctx context.Context, src Source[V], old V, verdict error) (V, Outcome, error) {
	made, err := g.solo(ctx, src, old, verdict)
	if err != nil {
		a := g.rescue(ctx, src, made.Value, err)
		return a.value, a.outcome, a.err
	}
	if made.Drop {
		g.forget(ctx, src.Claim())
	}
	return made.Value, made.outcome(), nil
}

// solo runs one Fill whose result is for its caller only.
func (g *Group[V]) solo(ctx context.Context, src Source[V], old V, verdict error) (made Made[V], err error) {
	began, seen := time.Now(), ErrPanicked
	defer func() { g.opts.Observe.Filled(src.Claim().Key, time.Since(began), false, seen) }()
	made, err = src.Fill(ctx, &Run{verdict: verdict}, old)
	seen = err
	return made, err
}

// forget deletes what claim's slot holds, if it still is what the caller saw.
func (g *Group[V]) forget(ctx context.Context, claim store.Claim) {
	if claim.Base == nil || g.opts.Leases == nil {
		return
	}
	claim.Steal, claim.Hold = true, g.opts.FillTimeout
	ctx = context.WithoutCancel(ctx)
	lease, err := g.opts.Leases.Acquire(ctx, claim)
	if lease == nil { // it changed: what the caller saw is gone
		return
	}
	if err != nil {
		g.opts.Observe.StoreFailed("acquire", err)
	}
	err = lease.Commit(ctx)
	if err != nil && !errors.Is(err, store.ErrOvertaken) {
		g.opts.Observe.StoreFailed("commit", err)
	}
}

func (m Made[V]) outcome() Outcome {
	if m.Confirmed {
		return Revalidated
	}
	return Miss
}
