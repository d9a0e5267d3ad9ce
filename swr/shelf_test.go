package swr_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

var errDown = errors.New("shelf: down")

// A shelf is the store contract over one mutex, with switches for what a store
// may do to the engine. Its hooks are called without the mutex.
type shelf struct {
	mu     sync.Mutex
	items  map[store.Slot]*store.Item
	leases map[store.Slot]*lease
	purges map[string]int // per key
	claims []store.Claim  // all that Acquire was asked

	// Set before use, or through set.
	down      bool                      // nothing works
	silent    bool                      // Commit of a lease taken while down says nil
	answer    func(store.Claim) error   // what Acquire says before it looks
	getErr    error                     // of Get
	waitErr   error                     // of Wait
	commitErr error                     // of Commit
	relErr    error                     // of Release
	before    func(*lease)              // at the begin of Commit
	after     func(*lease)              // at the end of Commit
	verdict   func(*lease, error) error // what Commit says instead
}

func newShelf() *shelf {
	return &shelf{
		items:  make(map[store.Slot]*store.Item),
		leases: make(map[store.Slot]*lease),
		purges: make(map[string]int),
	}
}

func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *shelf) Get(_ context.Context, key string) (*store.Item, error) {
	return s.get(store.Slot{Key: key})
}

func (s *shelf) Variant(_ context.Context, base *store.Item, name string) (*store.Item, error) {
	it, err := s.get(store.Slot{Key: base.Key, Variant: name})
	if err == nil && !store.Admit(base, it) {
		return nil, store.ErrNotFound
	}
	return it, err
}

func (s *shelf) get(slot store.Slot) (*store.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[slot]
	switch {
	case s.down:
		return nil, errDown
	case s.getErr != nil:
		return nil, s.getErr
	case it == nil:
		return nil, store.ErrNotFound
	}
	return it, nil
}

// put stores v behind everybody's back.
func (s *shelf) put(key, v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(store.Slot{Key: key}, []store.Entry{{Body: []byte(v)}})
}

// apply does what a commit to slot's key does. The caller holds s.mu.
func (s *shelf) apply(slot store.Slot, entries []store.Entry) {
	if len(entries) == 0 {
		delete(s.items, slot)
		return
	}
	stamp := store.NewStamp()
	for _, e := range entries {
		it := &store.Item{Key: slot.Key, Meta: e.Meta, Body: e.Body, Stamp: stamp}
		if e.Variant != "" {
			it.Kin = &store.Kin{Variant: e.Variant, Of: s.items[store.Slot{Key: slot.Key}].Stamp}
		}
		s.items[store.Slot{Key: slot.Key, Variant: e.Variant}] = it
	}
}

func (s *shelf) purge(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purges[key]++
	for slot, l := range s.leases {
		if slot.Key == key {
			l.lose()
		}
	}
	for slot := range s.items {
		if slot.Key == key {
			delete(s.items, slot)
		}
	}
}

func (s *shelf) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	s.mu.Lock()
	s.claims = append(s.claims, c)
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		if err := answer(c); errors.Is(err, store.ErrHeld) || errors.Is(err, store.ErrChanged) {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &lease{s: s, claim: c, until: time.Now().Add(c.Hold), done: make(chan struct{}), purges: s.purges[c.Key]}
	if s.down {
		l.offline = true
		return l, errDown
	}
	if !same(s.items[store.Slot{Key: c.Key}], c.Base) || c.Variant != "" && !same(s.items[c.Slot], c.Seen) {
		return nil, store.ErrChanged
	}
	if holder := s.leases[c.Slot]; holder != nil {
		if !c.Steal && time.Now().Before(holder.until) {
			return nil, store.ErrHeld
		}
		holder.lose()
	}
	s.leases[c.Slot] = l
	return l, nil
}

func same(stored, seen *store.Item) bool {
	if stored == nil || seen == nil {
		return stored == seen
	}
	return stored.Stamp == seen.Stamp
}

func (s *shelf) Wait(ctx context.Context, slot store.Slot) error {
	for {
		s.mu.Lock()
		l, err := s.leases[slot], s.waitErr
		s.mu.Unlock()
		if err != nil {
			return err
		}
		if l == nil || !time.Now().Before(l.until) {
			return nil
		}
		lapse := time.NewTimer(time.Until(l.until))
		select {
		case <-l.done:
			lapse.Stop()
		case <-lapse.C:
			return nil
		case <-ctx.Done():
			lapse.Stop()
			return ctx.Err()
		}
	}
}

// held returns the number of leases that nobody has ended.
func (s *shelf) held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.leases)
}

// asked returns the number of claims, and how many of them were to steal.
func (s *shelf) asked() (all, steals int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.claims {
		if c.Steal {
			steals++
		}
	}
	return len(s.claims), steals
}

type lease struct {
	s       *shelf
	claim   store.Claim
	until   time.Time
	purges  int // of the key, before Acquire
	offline bool
	done    chan struct{}

	// Guarded by s.mu.
	ended bool // by Commit or Release
	over  bool // ended, or lost
	told  bool // that Commit is to return said
	said  error
}

// lose ends l. The caller holds s.mu.
func (l *lease) lose() {
	if !l.over {
		l.over = true
		close(l.done)
	}
	if l.s.leases[l.claim.Slot] == l {
		delete(l.s.leases, l.claim.Slot)
	}
}

func (l *lease) Commit(ctx context.Context, entries ...store.Entry) error {
	s := l.s
	if s.before != nil {
		s.before(l)
	}
	err := l.commit(ctx, entries)
	if s.after != nil {
		s.after(l)
	}
	if s.verdict != nil {
		err = s.verdict(l, err)
	}
	return err
}

func (l *lease) commit(ctx context.Context, entries []store.Entry) error {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	over := l.over || l.ended
	l.ended = true
	l.lose()
	switch {
	case over || s.purges[l.claim.Key] != l.purges:
		return store.ErrOvertaken
	case l.offline && s.silent:
		return nil
	case l.offline || s.down:
		return errDown
	case ctx.Err() != nil:
		return ctx.Err()
	case s.commitErr != nil:
		return s.commitErr
	case !same(s.items[store.Slot{Key: l.claim.Key}], l.claim.Base):
		return store.ErrOvertaken
	}
	s.apply(l.claim.Slot, entries)
	return nil
}

func (l *lease) Release(ctx context.Context) error {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if l.over || l.ended {
		return store.ErrOvertaken
	}
	l.ended = true
	l.lose()
	if s.down {
		return errDown
	}
	return s.relErr
}
