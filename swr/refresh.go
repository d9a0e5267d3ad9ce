package swr

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

// ErrRefreshes: a stale value was served, and nothing refreshes it, since as many
// refreshes are running as may.
var ErrRefreshes = errors.New("swr: too many refreshes are running")

// ErrClosed is the cause with which Close cancels refreshes that outlast its ctx.
var ErrClosed = errors.New("swr: group is closed")

// A PanicError is a panic of a background refresh, which has no caller to
// reach. The Observer learns of it.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("swr: refresh panicked: %v", e.Value) }

// Refresh fills src's slot behind its caller, where nobody does so already, the
// last failure is long enough ago, and no more than Options.Refreshes are
// running. It tells whether it started one; err is ErrRefreshes where it was one
// too many, and ErrClosed after Close. old is what Lookup found.
func (g *Group[V]) Refresh(ctx context.Context, src Source[V], old V) (started bool, err error) {
	slot := src.Claim().Slot
	if !g.refreshDue(slot) {
		return false, nil
	}
	if err := g.refreshes.begin(); err != nil {
		return false, err
	}
	f, role := g.join(slot, false)
	if role != leader {
		g.leave(f, role)
		g.refreshes.end()
		return false, nil
	}
	ctx, src = src.Detach(ctx)
	if src == nil {
		g.drop(f, lookAgain)
		g.refreshes.end()
		return false, nil
	}
	go g.refresh(ctx, src, f, old)
	return true, nil
}

func (g *Group[V]) refresh(ctx context.Context, src Source[V], f *flight[V], old V) {
	defer g.refreshes.end()
	lease, _ := g.acquire(ctx, f, src.Claim())
	if lease == nil { // somebody else in the fleet does it, or has done it
		g.drop(f, lookAgain)
		return
	}
	err := g.refreshUnder(ctx, src, f, lease, old)
	g.refreshed(f.slot, err)
}

// refreshUnder is work whose panic ends here.
func (g *Group[V]) refreshUnder(ctx context.Context, src Source[V], f *flight[V], lease store.Lease, old V) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
			g.opts.Observe.Filled(f.slot.Key, time.Since(f.ctx.began), true, err)
		}
	}()
	_, err = g.work(ctx, src, f, lease, old, true)
	return err
}

// Close waits for the background refreshes to end, and lets none start any
// more. Those that outlast ctx are cancelled with ErrClosed, their leases end,
// and Close returns ctx's error without waiting for them. Load still works.
func (g *Group[V]) Close(ctx context.Context) error {
	return g.refreshes.close(ctx)
}

// refreshes counts the background refreshes of a Group.
type refreshes struct {
	ctx    context.Context // of them all
	cancel context.CancelCauseFunc
	idle   chan struct{} // closed once no refresh is left and none may start

	mu      sync.Mutex
	running int
	most    int
	closed  bool
}

func newRefreshes(most int) *refreshes {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &refreshes{ctx: ctx, cancel: cancel, idle: make(chan struct{}), most: most}
}

// begin counts one more refresh. Its errors are ErrClosed and ErrRefreshes.
func (r *refreshes) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return ErrClosed
	case r.running >= r.most:
		return ErrRefreshes
	}
	r.running++
	return nil
}

func (r *refreshes) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
	if r.closed && r.running == 0 {
		close(r.idle)
	}
}

func (r *refreshes) close(ctx context.Context) error {
	defer r.cancel(ErrClosed)
	if r.refuse() == 0 {
		return nil // whatever ctx says
	}
	select {
	case <-r.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refuse lets no refresh begin any more, and returns how many are running.
func (r *refreshes) refuse() (running int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && r.running == 0 {
		close(r.idle)
	}
	r.closed = true
	return r.running
}
