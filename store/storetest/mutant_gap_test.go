package storetest

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/store"
)

// A gap is in a purge that drops values first and ends fills then: what is
// committed in between stays. Left to chance, hardly any fill meets it, and on
// one processor none. So fills wait for it, and purges for fills: each purge
// lets one in that read its data before the purge before had returned, and the
// next does not drop that until it was looked at.
type gap struct {
	harmless bool // fills meet it, but store nothing

	// looks are those that fill nothing: a hammer's fill looks once, then acquires.
	looks atomic.Int64

	mu      sync.Mutex
	purges  int // begun
	purging bool
	open    bool      // values are dropped, fills are not ended
	closed  time.Time // the last time
	waiting int       // commits
}

func (g *gap) breaks(f *faulty) {
	f.get = func(ctx context.Context, key string) (*store.Item, error) {
		defer g.looks.Add(1)
		return f.Store.Get(ctx, key)
	}
	f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
		g.looks.Add(-1)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.purging { // what comes after the gap would take the place of what came in it
			return nil, store.ErrHeld
		}
		return f.Store.Acquire(ctx, c)
	}
	f.purge = func(ctx context.Context, p store.Purge) (store.Purged, error) { return g.purge(ctx, f, p) }
	f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
		if !g.enter(l) {
			return l.Lease.Commit(ctx, entries...)
		}
		defer g.leave()
		f.meet(g.isOpen)
		return forced(func(*faultyLease) bool { return g.isOpen() && !g.harmless })(ctx, l, entries)
	}
}

func (g *gap) purge(ctx context.Context, f *faulty, p store.Purge) (store.Purged, error) {
	// More than may have begun before the purge of before had returned.
	const enough = 8
	before := g.looks.Load()
	f.meet(func() bool { return g.looks.Load()-before >= enough })
	last := g.begin()
	done, err := f.Store.Purge(ctx, p)
	g.drop()
	f.meet(g.end)
	if !last {
		f.meet(g.isAwaited)
	}
	return done, err
}

// begin tells whether the purge is the last.
func (g *gap) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.purging = true
	g.purges++
	return g.purges >= hammerPurges
}

// drop opens the gap.
func (g *gap) drop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
}

// end closes the gap, unless there are fills in it.
func (g *gap) end() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == 0 {
		g.purging, g.open, g.closed = false, false, time.Now()
	}
	return !g.open
}

// enter tells whether l has a gap to wait for: one that no purge has ended yet,
// and that the next may end.
func (g *gap) enter(l *faultyLease) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.at.Before(g.closed) || g.purges >= hammerPurges && !g.purging {
		return false
	}
	g.waiting++
	return true
}

func (g *gap) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting--
}

func (g *gap) isOpen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gap) isAwaited() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting > 0
}

// meet waits for others of a hammer to bring ok about, though not for ever:
// they may have stopped.
func (f *faulty) meet(ok func() bool) {
	for late := time.Now().Add(hammerTime); !ok() && time.Now().Before(late); runtime.Gosched() {
		select {
		case <-f.ended:
			return
		default:
		}
	}
}
