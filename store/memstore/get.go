package memstore

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/reprise-go/reprise/store"
)

// An entry is an item and what tells whether it is still valid. It was verified at
// a number of the log: while that is the log's, a look at it costs one load.
type entry struct {
	store.Item
	filled uint64 // the purge log's number before its fill began
}

// names returns those of a base's variants; nil: there is no room for any yet.
func (e *entry) names() *names {
	if e.Kin == nil {
		return nil
	}
	n, _ := e.Kin.Own.(*names)
	return n
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

// Local is of store.Locator.
func (s *Store) Local(slot store.Slot) bool { return s.find(slot) != nil }

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
	hash := slot.Hash(s.seed)
	e, ok := s.items.GetIfPresent(hash)
	if !ok || !e.in(slot) {
		return nil
	}
	if s.ended(&e.Item, store.Monotonic()) || !s.valid(e) {
		s.drop(hash, e)
		return nil
	}
	return e
}

// in tells whether e is slot's, and not of another one with the same hash.
func (e *entry) in(slot store.Slot) bool { return e.Key == slot.Key && e.Variant() == slot.Variant }

// drop frees the memory of e, unless something else has taken its place.
func (s *Store) drop(hash uint64, e *entry) {
	s.items.ComputeIfPresent(hash, func(now *entry) (*entry, otter.ComputeOp) {
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
	if e.Verified() == now {
		return true
	}
	hard, soft := s.log.purged(e.Tags)
	if hard > e.filled {
		return false
	}
	if soft > e.filled {
		e.Soften()
	}
	e.Verify(now)
	return true
}

// A keeper is a Store that tells whether what it keeps is still valid.
type keeper Store

// Current is of store.Keeper.
func (k *keeper) Current(it *store.Item, now time.Duration) bool {
	return !(*Store)(k).ended(it, now) && it.Verified() == k.log.number.Load()
}

// Ref is of store.Referrer.
func (s *Store) Ref(it *store.Item) *store.Ref {
	if r := it.Ref(); r != nil {
		return r
	}
	slot := it.Slot()
	e, ok := s.items.GetEntryQuietly(slot.Hash(s.seed))
	if !ok || &e.Value.Item != it || slot.Variant != "" {
		return nil
	}
	return it.Keep((*keeper)(s)) // dropped since: its Ref is cut
}

// put keeps e, which is not too large, in the place of what its slot held.
func (s *Store) put(e *entry) { s.items.Set(e.Slot().Hash(s.seed), e) }

// tooLarge tells whether e, which may be nil, is more than one entry may take of
// the budget.
func (s *Store) tooLarge(e *entry) bool { return e != nil && size(e) > s.largest }

// copyOf returns what e is, to be changed: items in use never are. Its Kin is e's,
// names and all.
func copyOf(e *entry) *entry {
	c := &entry{
		Item:   store.Item{Key: e.Key, Meta: e.Meta, Body: e.Body, Tags: e.Tags, Stamp: e.Stamp, Kin: e.Kin, Ends: e.Ends},
		filled: e.filled,
	}
	if e.Soft() {
		c.Soften()
	}
	return c
}

// kin returns a copy of e's Kin, to be changed, of which e's is to be made.
func (e *entry) kin() *store.Kin {
	if e.Kin == nil {
		return new(store.Kin)
	}
	k := *e.Kin
	return &k
}
