package swr

import (
	"context"
	"errors"
	"time"

	"github.com/reprise-go/reprise/store"
)

// ErrPanicked is what the Observer learns of a fill that panicked for a
// caller. The panic itself goes on to that caller.
var ErrPanicked = errors.New("swr: fill panicked")

// lead fills f for everyone who waits for it.
func (g *Group[V]) lead(ctx context.Context, src Source[V], f *flight[V], old V, t *turns) answer[V] {
	lease := g.lease(ctx, f, src.Claim(), t)
	if lease != nil && f.apart && !g.hold(f, lease) {
		g.release(context.WithoutCancel(ctx), lease)
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
	fctx := g.start(ctx, f, lease, background)
	defer f.ctx.stop()
	seen := ErrPanicked // what the Observer learns
	defer func() {
		if errors.Is(seen, ErrPanicked) { // the lease ends before the followers wake
			f.run.settled() // what Fill left running may still call Alone
			g.release(&f.detached, lease)
			g.drop(f, panicked)
			if background {
				return // refreshUnder tells, with the stack
			}
		}
		g.opts.Observe.Filled(f.slot.Key, time.Since(f.ctx.began), background, seen)
	}()

	made, err = src.Fill(fctx, &f.run, old)
	seen = err
	if err != nil && fctx.Err() != nil {
		seen = context.Cause(fctx) // the fill timeout, rather than "canceled"
	}
	if f.run.settled() {
		return made, err
	}
	f.run.verdict = g.settle(f, made, err)
	switch {
	case errors.Is(f.run.verdict, store.ErrOvertaken):
		seen = f.run.verdict // not for the caller, who asked before what overtook it
	case background && err == nil:
		err = f.run.verdict // what cannot be stored need not be made again at once
	}
	return made, err
}

// start prepares the Run of one Fill, and returns its context. The fill of a flight
// does not end with its caller: others wait for it, unless it is apart.
func (g *Group[V]) start(ctx context.Context, f *flight[V], lease store.Lease, background bool) context.Context {
	f.caller, f.detached, f.background = ctx, detached{ctx}, background
	f.run.of = f
	f.ctx.start(&f.detached, time.Now(), g.opts.FillTimeout)
	g.begin(f, lease)
	if f.apart {
		return ctx
	}
	if background {
		f.ctx.hook(context.AfterFunc(g.refreshes.ctx, func() {
			f.ctx.end(context.Cause(g.refreshes.ctx))
			g.drop(f, lookAgain)
			g.release(&f.detached, lease)
		}))
	}
	return &f.ctx
}

// alone is of Run.Alone.
func (f *flight[V]) alone(drop bool, why error) {
	if !f.apart && !f.background {
		f.ctx.follow(f.caller)
	}
	_ = f.g.settle(f, Made[V]{Drop: drop, Why: why}, nil) // which has recorded it
}

// settle ends f and its lease by what a fill brought. It returns Commit's verdict.
func (g *Group[V]) settle(f *flight[V], made Made[V], err error) error {
	if err != nil {
		g.release(&f.detached, f.lease)
		g.fail(f, err)
		return nil
	}
	if len(made.Keep) == 0 && !made.Shared && !f.apart {
		g.pass(f.slot, made.Why)
	}
	if len(made.Keep) == 0 && !made.Drop {
		g.release(&f.detached, f.lease)
		g.end(f, verdictOf(made.Shared && g.opts.Leases == nil, nil), made.Value)
		return nil
	}
	g.seal(f)
	err = f.lease.Commit(&f.detached, made.Keep...)
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

// release ends lease. ctx is detached from any caller's.
func (g *Group[V]) release(ctx context.Context, lease store.Lease) {
	err := lease.Release(ctx)
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
