package middleware

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime/debug"

	"github.com/go-chi/chi/v5"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

// Fill runs the handler into a capture. Where that answers a question of ours
// with what fits nothing, it is asked again, and plainly.
func (x *exchange) Fill(ctx context.Context, run *swr.Run, old *response) (swr.Made[*response], error) {
	if x.post() || old != nil && !run.Solo() && (run.Offline() || !x.stillStored(ctx)) {
		old = nil // it is about something else, or gone, or may be
	}
	a := x.ask(run, old)
	if a.kind == forNew {
		return x.attempt(ctx, run, old, a)
	}
	again := freshRoute(ctx)
	made, err := x.attempt(ctx, run, old, a)
	if errors.Is(err, errUnfit) {
		a.kind = forNew
		made, err = x.attempt(again, run, old, a)
	}
	return made, err
}

// stillStored tells whether what the look-up found is still there, now that the
// fill has begun. A purge in between has not ended this fill, and what it dropped
// must not come back because the handler confirms or completes it.
func (x *exchange) stillStored(ctx context.Context) bool {
	slot := x.Claim().Slot
	base, err := x.values().Get(ctx, slot.Key)
	if err != nil || base.Stamp != x.base.Stamp {
		return false
	}
	if x.seen == nil {
		return true
	}
	seen, err := x.values().Variant(ctx, base, slot.Variant)
	return err == nil && seen.Stamp == x.seen.Stamp
}

// freshRoute returns ctx with a clone of chi's RouteContext, in which routers
// note how far they have come.
func freshRoute(ctx context.Context) context.Context {
	if rctx := chi.RouteContext(ctx); rctx != nil {
		return context.WithValue(ctx, chi.RouteCtxKey, rctx.Clone())
	}
	return ctx
}

func (x *exchange) attempt(ctx context.Context, run *swr.Run, old *response, a ask) (made swr.Made[*response], err error) {
	c := newCapture(ctx, x, run, old, a)
	x.capture, x.run = c, run
	r := c.ours()
	panics := true
	defer func() {
		switch {
		case !panics:
		case c.recovers():
			err = &swr.PanicError{Value: recover(), Stack: debug.Stack()}
		case c.mode == tee:
			c.pump.abandon(func() { run.Alone(false, c.why.err()) })
		}
	}()
	x.rt.next.ServeHTTP(c, r)
	panics = false
	made, err = c.finish()
	made.Why = c.why.err()
	return made, err
}

// Detach returns an exchange for a refresh behind the caller, with a request
// of its own. chi takes its RouteContext back when ServeHTTP ends and gives it
// to another request: the refresh gets a clone.
//
// A HEAD starts no refresh: the router may have another handler for a GET. Nor
// does a request that asks for nothing to be stored, or one that alone takes
// what is stale: nobody asked for a refresh.
func (x *exchange) Detach(ctx context.Context) (context.Context, swr.Source[*response]) {
	if x.r.Method != http.MethodGet || x.control.Is(rfc9111.NoStore) || x.tolerant {
		return ctx, nil
	}
	ctx = freshRoute(context.WithoutCancel(ctx))
	r := x.r.Clone(ctx)
	r.Body = http.NoBody
	unconditional(r.Header)
	r.Header.Del("Cache-Control") // the client's, not the cache's
	r.Header.Del("Pragma")
	claim := x.Claim()
	d := &exchange{
		rt: x.rt, outer: x.outer, after: x.after, r: r, facts: x.facts &^ (hasConditional | hasPrecondition | hasRange | hasControl),
		arrived: x.arrived, now: x.now,
		key: claim.Key, plainKey: x.plainKey, selected: bytes.Clone(x.selected), variant: x.variant,
		slot: claim.Slot, base: x.base, seen: x.seen, names: x.names, why: ReasonStale,
	}
	return ctx, d
}
