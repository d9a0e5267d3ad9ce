package middlewaretest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// A Store is a memory store of one test, with faults that the test makes. Its
// methods may be called at the same time.
type Store struct {
	inner store.Store

	mu     sync.Mutex
	err    error
	delay  time.Duration
	purges []store.Purge
}

var _ store.Store = (*Store)(nil)

// NewStore returns an empty Store of 64 MiB that works.
func NewStore(t testing.TB) *Store {
	t.Helper()
	st, err := memstore.New(memstore.Options{Bytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return &Store{inner: st}
}

// Break has each operation from now on fail with err, as if Redis were away; what is
// stored stays. nil: the store works again. A purge that fails drops what there is all
// the same: so it is in the process that asked for it.
func (s *Store) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Delay has each operation from now on take d longer, or until its context is done:
// then it fails.
func (s *Store) Delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// Purges returns what was to be purged so far, the first first.
func (s *Store) Purges() []store.Purge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.purges)
}

// fault waits as Delay says, and returns what is wrong now.
func (s *Store) fault(ctx context.Context) error {
	s.mu.Lock()
	d := s.delay
	s.mu.Unlock()
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Get is of store.Getter.
func (s *Store) Get(ctx context.Context, key string) (*store.Item, error) {
	if err := s.fault(ctx); err != nil {
		return nil, err
	}
	return s.inner.Get(ctx, key)
}

// Variant is of store.Getter.
func (s *Store) Variant(ctx context.Context, base *store.Item, name string) (*store.Item, error) {
	if err := s.fault(ctx); err != nil {
		return nil, err
	}
	return s.inner.Variant(ctx, base, name)
}

// Acquire is of store.Leaser.
func (s *Store) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	l := &lease{store: s, key: c.Key, since: len(s.Purges())}
	if err := s.fault(ctx); err != nil {
		return l, err
	}
	inner, err := s.inner.Acquire(ctx, c)
	if inner == nil {
		return nil, err
	}
	l.inner = inner
	return l, err
}

// Wait is of store.Leaser.
func (s *Store) Wait(ctx context.Context, slot store.Slot) error {
	if err := s.fault(ctx); err != nil {
		return err
	}
	return s.inner.Wait(ctx, slot)
}

// Purge is of store.Purger.
func (s *Store) Purge(ctx context.Context, p store.Purge) (store.Purged, error) {
	s.mu.Lock()
	s.purges = append(s.purges, p)
	s.mu.Unlock()
	done, err := s.inner.Purge(ctx, p)
	if fault := s.fault(ctx); fault != nil {
		return store.Purged{}, fault
	}
	return done, err
}

// A lease is one of the store's, or, with no inner one, one that was asked for while
// the store was broken.
type lease struct {
	inner store.Lease
	store *Store
	key   string
	since int // how many purges there had been

	mu    sync.Mutex
	ended bool
}

// end tells whether it is the first to end l.
func (l *lease) end() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.ended
	l.ended = true
	return !was
}

// Commit is of store.Lease.
func (l *lease) Commit(ctx context.Context, entries ...store.Entry) error {
	if !l.end() {
		return store.ErrOvertaken
	}
	err := l.store.fault(ctx)
	if l.inner != nil && err == nil {
		return l.inner.Commit(ctx, entries...)
	}
	if l.inner != nil {
		_ = l.inner.Release(ctx)
	}
	if l.overtaken(entries) {
		return store.ErrOvertaken
	}
	return err
}

// overtaken tells whether a purge since l was opened drops what entries are.
func (l *lease) overtaken(entries []store.Entry) bool {
	for _, p := range l.store.Purges()[l.since:] {
		if p.DryRun {
			continue
		}
		if p.All || slices.Contains(p.Keys, l.key) || p.Match != "" && store.Glob(p.Match, l.key) {
			return true
		}
		for _, e := range entries {
			if slices.ContainsFunc(e.Tags, func(tag string) bool { return slices.Contains(p.Tags, tag) }) {
				return true
			}
		}
	}
	return false
}

// Release is of store.Lease.
func (l *lease) Release(ctx context.Context) error {
	if !l.end() {
		return store.ErrOvertaken
	}
	if l.inner == nil {
		return l.store.fault(ctx)
	}
	return l.inner.Release(ctx)
}
