package swr

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

// Options wire a Group. The zero value works in one process, without leases.
type Options struct {
	Leases      store.Leaser  // nil: collapse within this Group only, store nothing
	FillTimeout time.Duration // of a shared fill; 0: 30 s
	WaitTimeout time.Duration // ± a tenth, of a caller for somebody else's fill; after two it fills alone; 0: 5 s
	Refreshes   int           // refreshes at the same time; 0: 64
	Waiters     int           // callers that wait for one fill of this Group at the same time; 0: 65,536
	Waiting     Waiting       // what a caller does while another fills its slot; 0: WaitThenFill
	ShareErrors bool          // who waited for a fill that failed, and finds nothing to stand in, has its error
	PassFor     time.Duration // how long an unshared result keeps others from queueing; 0: 2 s
	Trust       time.Duration // while the store is down, a caller joins a fill this old at most; 0: what Leases says (store.Truster), or 500 ms
	Observe     Observer      // nil: nothing is recorded
}

func (o Options) withDefaults() Options {
	o.FillTimeout = positive(o.FillTimeout, 30*time.Second)
	o.WaitTimeout = positive(o.WaitTimeout, 5*time.Second)
	o.PassFor = positive(o.PassFor, 2*time.Second)
	if t, ok := o.Leases.(store.Truster); ok {
		o.Trust = positive(o.Trust, t.Trust())
	}
	o.Trust = positive(o.Trust, 500*time.Millisecond)
	if o.Refreshes <= 0 {
		o.Refreshes = 64
	}
	if o.Waiters <= 0 {
		o.Waiters = 1 << 16
	}
	if o.Observe == nil {
		o.Observe = unobserved{}
	}
	return o
}

// Waiting says what a caller does while somebody else fills what it asks for.
type Waiting uint8

const (
	WaitThenFill Waiting = iota // waits, and past the wait limit takes the fill over
	WaitThenFail                // waits, and past the wait limit has what stands in, or ErrWaitTimeout
	NoWait                      // fills for itself at once, and stores nothing
)

// ErrWaitTimeout: somebody else was filling, and for longer than the wait limit.
var ErrWaitTimeout = errors.New("swr: waited too long for another's fill")

func positive(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

type unobserved struct{}

func (unobserved) Filled(string, time.Duration, bool, error) {}
func (unobserved) StoreFailed(string, error)                 {}
func (unobserved) Flying(int)                                {}

// A Group loads values. Make one with NewGroup; its methods may be called at
// the same time, from any goroutine.
type Group[V any] struct {
	opts Options

	mu      sync.Mutex
	flights map[store.Slot]*flight[V]
	memos   memos

	refreshes *refreshes
}

// NewGroup returns a Group.
func NewGroup[V any](o Options) *Group[V] {
	o = o.withDefaults()
	return newGroup[V](o, newRefreshes(o.Refreshes))
}

// Sibling returns a Group with g's options whose callers do not queue with g's.
// They have their background refreshes in common: Options.Refreshes bounds those
// of both, and to Close one is to Close both.
func (g *Group[V]) Sibling() *Group[V] { return newGroup[V](g.opts, g.refreshes) }

func newGroup[V any](o Options, r *refreshes) *Group[V] {
	return &Group[V]{opts: o, flights: make(map[store.Slot]*flight[V]), memos: newMemos(), refreshes: r}
}

// Load returns the value src stands for: from the store if it may, filled once
// for everyone if not. A non-nil error comes with the value to answer, if Fill
// gave one; with HitStale it is why nothing refreshes the value, ErrRefreshes or
// ErrClosed; that of a caller whose ctx ended while it waited is ctx's.
func (g *Group[V]) Load(ctx context.Context, src Source[V]) (V, Outcome, error) {
	v, st := g.Peek(ctx, src)
	if st == Fresh {
		return v, Hit, nil
	}
	return g.load(ctx, src, v, st)
}

// Peek returns what is stored for src's caller, and what it may do with it. It
// fills nothing.
func (g *Group[V]) Peek(ctx context.Context, src Source[V]) (V, State) {
	v, err := src.Lookup(ctx)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			g.opts.Observe.StoreFailed("get", err)
		}
		var none V
		v = none
	}
	return v, src.State(v)
}

// load takes turns of leading, following and looking again, until it has an
// answer.
func (g *Group[V]) load(ctx context.Context, src Source[V], v V, st State) (V, Outcome, error) {
	t := &turns{limit: g.waitLimit()}
	for {
		switch {
		case st == Fresh:
			return v, Collapsed, nil
		case st == Stale:
			_, err := g.Refresh(ctx, src, v)
			return v, HitStale, err
		case ctx.Err() != nil:
			var none V
			return none, Miss, context.Cause(ctx)
		case st == Alone || t.alone || t.looks > maxLooks || g.passing(src.Claim().Slot):
			return g.fillAlone(ctx, src, v, g.Passing(src.Claim().Slot))
		}

		var a answer[V]
		switch f, role := g.join(src.Claim().Slot, st == Apart); {
		case role == leader:
			a = g.lead(ctx, src, f, v, t)
		case st == Apart:
			return g.fillAlone(ctx, src, v, nil)
		case role == excess:
			return g.fillAlone(ctx, src, v, ErrWaiters)
		case g.opts.Waiting == NoWait:
			g.leave(f, role)
			return g.fillAlone(ctx, src, v, nil)
		default:
			a = g.follow(ctx, src, f, role, t)
		}
		if a.final {
			return a.value, a.outcome, a.err
		}

		slot := src.Claim().Slot
		v, st = g.Peek(ctx, src)
		// What did not suit us may have taught us where our own variant lives.
		t.alone = t.alone || a.unsuited && src.Claim().Slot == slot
		t.looks++
	}
}

// maxLooks bounds how often one caller looks again. A slot that changes this
// often under one request is purged or refilled faster than it can be read.
const maxLooks = 8

// turns is what one caller remembers between its turns.
type turns struct {
	limit time.Time // wait no longer than this
	late  bool      // the limit has been extended once
	alone bool      // fill alone next
	looks int

	panicked bool // a fill it waited for has panicked
	expired  bool // it waits no longer, and fills nothing
}

// An answer ends a turn. The zero answer says: look again.
type answer[V any] struct {
	value    V
	outcome  Outcome
	err      error
	final    bool
	unsuited bool // the value was made, and it was not for this caller
}

// waitLimit is spread over a fifth, so that callers who came together do not
// give up together.
func (g *Group[V]) waitLimit() time.Time {
	d := g.opts.WaitTimeout
	return time.Now().Add(d - d/10 + rand.N(d/5+1))
}

// Passing tells why what was made for slot lately was not to be shared, for as long as
// that keeps others from queueing; nil: nothing is known, or not why.
func (g *Group[V]) Passing(slot store.Slot) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.memos.passing(slot, time.Now()) {
		return g.memos.of[slot].why
	}
	return nil
}

// passing tells whether the results for slot were lately not to be shared.
func (g *Group[V]) passing(slot store.Slot) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.memos.passing(slot, time.Now())
}
