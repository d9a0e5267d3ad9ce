package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// A faulty is a store whose methods a mutant replaces; nil: as they should be.
type faulty struct {
	store.Store
	get     func(ctx context.Context, key string) (*store.Item, error)
	variant func(ctx context.Context, base *store.Item, name string) (*store.Item, error)
	acquire func(ctx context.Context, c store.Claim) (store.Lease, error)
	wait    func(ctx context.Context, s store.Slot) error
	purge   func(ctx context.Context, p store.Purge) (store.Purged, error)
	commit  func(ctx context.Context, l *faultyLease, entries []store.Entry) error
	release func(ctx context.Context, l *faultyLease) error
	many    func(ctx context.Context, keys []string, items []*store.Item) error
	ping    func(ctx context.Context) (store.Health, error)

	ended   <-chan struct{} // closed when the check has ended
	started sync.WaitGroup  // what a mutant leaves behind

	mu     sync.Mutex
	purges []store.Purge // all so far
}

type faultyLease struct {
	store.Lease
	st    *faulty
	claim store.Claim
	since int       // how many purges there were before it
	at    time.Time // when it was asked for
}

func (f *faulty) Get(ctx context.Context, key string) (*store.Item, error) {
	if f.get != nil {
		return f.get(ctx, key)
	}
	return f.Store.Get(ctx, key)
}

func (f *faulty) Variant(ctx context.Context, base *store.Item, name string) (*store.Item, error) {
	if f.variant != nil {
		return f.variant(ctx, base, name)
	}
	return f.Store.Variant(ctx, base, name)
}

func (f *faulty) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	since, at := len(f.purged(0)), time.Now()
	acquire := f.Store.Acquire
	if f.acquire != nil {
		acquire = f.acquire
	}
	l, err := acquire(ctx, c)
	if err != nil {
		return nil, err
	}
	return &faultyLease{l, f, c, since, at}, nil
}

func (f *faulty) Wait(ctx context.Context, s store.Slot) error {
	if f.wait != nil {
		return f.wait(ctx, s)
	}
	return f.Store.Wait(ctx, s)
}

func (f *faulty) Purge(ctx context.Context, p store.Purge) (store.Purged, error) {
	purge := f.Store.Purge
	if f.purge != nil {
		purge = f.purge
	}
	done, err := purge(ctx, p)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.purges = append(f.purges, p)
	return done, err
}

func (f *faulty) purged(since int) []store.Purge {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.purges[since:]
}

func (f *faulty) GetMany(ctx context.Context, keys []string, items []*store.Item) error {
	if f.many != nil {
		return f.many(ctx, keys, items)
	}
	return f.Store.(store.ManyGetter).GetMany(ctx, keys, items)
}

func (f *faulty) Ping(ctx context.Context) (store.Health, error) {
	if f.ping != nil {
		return f.ping(ctx)
	}
	return f.Store.(store.Pinger).Ping(ctx)
}

func (l *faultyLease) Commit(ctx context.Context, entries ...store.Entry) error {
	if l.st.commit != nil {
		return l.st.commit(ctx, l, entries)
	}
	return l.Lease.Commit(ctx, entries...)
}

func (l *faultyLease) Release(ctx context.Context) error {
	if l.st.release != nil {
		return l.st.release(ctx, l)
	}
	return l.Lease.Release(ctx)
}

// force stores entries whatever stands against it, if there is a way.
func (l *faultyLease) force(ctx context.Context, entries []store.Entry) error {
	for range 100 {
		c := l.claim
		c.Base, _ = l.st.Store.Get(ctx, c.Key)
		c.Seen, c.Steal = nil, true
		if c.Base == nil {
			c.Variant = ""
		} else if c.Variant != "" {
			c.Seen, _ = l.st.Store.Variant(ctx, c.Base, c.Variant)
		}
		inner, err := l.st.Store.Acquire(ctx, c)
		if err == nil && inner.Commit(ctx, entries...) == nil {
			return nil
		}
	}
	return nil // says so, anyway
}

// forced is a commit that ignores ErrOvertaken where when says so.
func forced(when func(l *faultyLease) bool) func(context.Context, *faultyLease, []store.Entry) error {
	return func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
		err := l.Lease.Commit(ctx, entries...)
		if errors.Is(err, store.ErrOvertaken) && when(l) {
			return l.force(ctx, entries)
		}
		return err
	}
}

// A witness watches a check instead of a *testing.T.
type witness struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	failed bool
}

func (w *witness) Helper()                  {}
func (w *witness) Context() context.Context { return w.ctx }

func (w *witness) Errorf(string, ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = true
	w.cancel() // what follows proves nothing more
}

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	runtime.Goexit()
}

func memory(t *testing.T) store.Store {
	t.Helper()
	s, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
