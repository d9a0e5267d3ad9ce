package memstore

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/reprise-go/reprise/store"
)

// An entry is an item and what tells whether it is still valid.
type entry struct {
	store.Item
	ends   time.Duration // on the store's clock
	filled uint64        // the purge log's number before its fill began
	of     *Store
	names  *names // of a base's variants; nil: it has had none

	// verified is the log's number at which the entry was last found valid:
	// while that is the log's, a look at it costs one load.
	verified atomic.Uint64
}

// Get is of store.Getter. It takes no lock and does not allocate.
func (s *Store) Get(_ context.Context, key string) (*store.Item, error) {
	return s.look(store.Slot{Key: key})
}

// Variant is of store.Getter. It looks at the base again, which may have been
// purged since the caller got it, and after the variant: a variant that was
// filled after a soft purge must not be compared with the base of before it.
func (s *Store) Variant(_ context.Context, base *store.Item, name string) (*store.Item, error) {
	it, err := s.look(store.Slot{Key: base.Key, Variant: name})
	if err != nil {
		return nil, err
	}
	now, err := s.look(store.Slot{Key: base.Key})
	if err != nil {
		return nil, err
	}
	if now.Stamp != base.Stamp || !store.Admit(now, it) {
		return nil, store.ErrNotFound
	}
	return it, nil
}

func (s *Store) look(slot store.Slot) (*store.Item, error) {
	e := s.find(slot)
	if e == nil {
		s.recorder.StoreOp("get", "miss", 0)
		return nil, store.ErrNotFound
	}
	return &e.Item, nil
}

// find returns what slot holds, if it is alive and nothing has purged it.
func (s *Store) find(slot store.Slot) *entry {
	e, ok := s.items.GetIfPresent(slot)
	if !ok {
		return nil
	}
	if s.clock() >= e.ends || !s.valid(e) {
		s.drop(slot, e)
		return nil
	}
	return e
}

// drop frees the memory of e, unless something else has taken its place.
func (s *Store) drop(slot store.Slot, e *entry) {
	s.items.ComputeIfPresent(slot, func(now *entry) (*entry, otter.ComputeOp) {
		if now != e {
			return now, otter.CancelOp
		}
		return nil, otter.InvalidateOp
	})
}

// valid tells whether no purge by tag, or of everything, came since e's fill
// began. The log's number is read before the look at the log: a purge that
// comes during it makes the next look thorough again.
func (s *Store) valid(e *entry) bool {
	now := s.log.number.Load()
	if e.verified.Load() == now {
		return true
	}
	hard, soft := s.log.purged(e.Tags)
	if hard > e.filled {
		return false
	}
	if soft > e.filled {
		e.Soften()
	}
	e.verified.Store(now)
	return true
}

// Current is of store.Keeper.
func (e *entry) Current(now time.Time) bool {
	return now.Sub(e.of.start) < e.ends && e.verified.Load() == e.of.log.number.Load()
}

// put keeps e, which is not too large, in the place of what its slot held.
func (s *Store) put(e *entry) {
	if e.Variant == "" {
		e.Keep(e)
	}
	s.items.Set(store.Slot{Key: e.Key, Variant: e.Variant}, e)
}

// tooLarge tells whether e, which may be nil, is more than one entry may take of
// the budget.
func (s *Store) tooLarge(e *entry) bool {
	return e != nil && size(store.Slot{Key: e.Key, Variant: e.Variant}, e) > s.largest
}

// copyOf returns what e is, to be changed: items in use never are.
func copyOf(e *entry) *entry {
	c := &entry{
		Item: store.Item{
			Key: e.Key, Variant: e.Variant, Meta: e.Meta, Body: e.Body, Tags: e.Tags,
			Stamp: e.Stamp, Of: e.Of, Mark: e.Mark, Expires: e.Expires,
		},
		ends: e.ends, filled: e.filled, of: e.of, names: e.names,
	}
	if e.Soft() {
		c.Soften()
	}
	return c
}
