package swr

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A fillContext is the context of a fill, which does not end with its caller: it has
// the caller's values, and ends when its time is up, when it is made to, or when the
// fill has ended.
//
// What tells of that, a cancelCtx and a timer, is made when somebody asks for it:
// most handlers never do.
type fillContext struct {
	values context.Context // the caller's, without its cancellation
	began  time.Time
	limit  time.Duration

	over atomic.Bool // the fill has ended
	made atomic.Pointer[ending]

	mu     sync.Mutex // of those who make it, and of unhook
	unhook func() bool
}

// An ending is what tells that a fillContext has ended.
type ending struct {
	context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

var _ context.Context = (*fillContext)(nil)

// A detached context is context.WithoutCancel's, as a part of what has it.
type detached struct{ context.Context }

// Deadline is of context.Context.
func (detached) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is of context.Context.
func (detached) Done() <-chan struct{} { return nil }

// Err is of context.Context.
func (detached) Err() error { return nil }

// start begins the fill's time.
func (c *fillContext) start(values context.Context, began time.Time, limit time.Duration) {
	c.values, c.began, c.limit = values, began, limit
}

// Deadline is of context.Context. Handlers are not told of the fill timeout in
// advance: they would hand it on to others.
func (c *fillContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is of context.Context.
func (c *fillContext) Done() <-chan struct{} { return c.ending().Done() }

// Err is of context.Context.
func (c *fillContext) Err() error {
	if c.running() {
		return nil
	}
	return c.ending().Err()
}

// Value is of context.Context. It answers as the ending, once there is one: by a key
// of its own, package context finds there what it attaches children to, and the
// Cause.
func (c *fillContext) Value(key any) any {
	if e := c.made.Load(); e != nil {
		return e.Value(key)
	}
	v := c.values.Value(key)
	if v == nil && !c.running() {
		return c.ending().Value(key)
	}
	return v
}

// running tells that nothing has made c end, and nobody has asked to be told.
func (c *fillContext) running() bool {
	return c.made.Load() == nil && !c.over.Load() && time.Since(c.began) < c.limit
}

// ending returns what tells of c's end.
func (c *fillContext) ending() *ending {
	if e := c.made.Load(); e != nil {
		return e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.made.Load(); e != nil {
		return e
	}
	e := new(ending)
	e.Context, e.cancel = context.WithCancelCause(c.values)
	switch left := c.limit - time.Since(c.began); {
	case c.over.Load():
		e.cancel(context.Canceled)
	case left <= 0:
		e.cancel(context.DeadlineExceeded)
	default:
		e.timer = time.AfterFunc(left, func() { e.cancel(context.DeadlineExceeded) })
	}
	c.made.Store(e)
	return e
}

// end makes c end with cause.
func (c *fillContext) end(cause error) { c.ending().cancel(cause) }

// follow has c end with caller, and no longer when its time is up.
func (c *fillContext) follow(caller context.Context) {
	if t := c.ending().timer; t != nil {
		t.Stop()
	}
	c.hook(context.AfterFunc(caller, func() { c.end(context.Cause(caller)) }))
}

// hook has unhook called when the fill has ended, or now if it has.
func (c *fillContext) hook(unhook func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over.Load() {
		unhook()
		return
	}
	c.unhook = unhook
}

// stop says that the fill has ended.
func (c *fillContext) stop() {
	c.mu.Lock()
	c.over.Store(true)
	e, unhook := c.made.Load(), c.unhook
	c.mu.Unlock()
	if unhook != nil {
		unhook()
	}
	if e == nil {
		return
	}
	if e.timer != nil {
		e.timer.Stop()
	}
	e.cancel(context.Canceled)
}
