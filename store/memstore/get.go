package memstore

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/store"
)

// An entry is an item and what tells whether it is still valid.
type entry struct {
	store.Item
	ends   time.Duration // on the store's clock
	filled uint64        // the purge log's number before its fill began
	hashes []uint64      // of its tags

	// verified is the log's number at which the entry was last found valid:
	// while that is the log's, a look at it costs one load.
	verified atomic.Uint64
}

// Get is of store.Getter. It takes no lock and does not allocate.
func (s *Store) Get(_ context.Context, key string) (*store.Item, error) {
	return s.look(store.Slot{Key: key})
}

// Variant is of store.Getter. It looks at the base again: it may have been
// purged since the caller got it.
func (s *Store) Variant(_ context.Context, base *store.Item, name string) (*store.Item, error) {
	now, err := s.look(store.Slot{Key: base.Key})
	if err != nil {
		return nil, err
	}
	it, err := s.look(store.Slot{Key: base.Key, Variant: name})
	if err != nil {
		return nil, err
	}
	if name == "" || now.Stamp != base.Stamp || !store.Admit(now, it) {
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
	if !ok || s.clock() >= e.ends || !s.valid(e) {
		return nil
	}
	return e
}

// valid tells whether no purge by tag, or of everything, came since e's fill
// began. The log's number is read before the look at the log: a purge that
// comes during it makes the next look thorough again.
func (s *Store) valid(e *entry) bool {
	now := s.log.number.Load()
	if e.verified.Load() == now {
		return true
	}
	hard, soft := s.log.purged(e.hashes)
	if hard > e.filled {
		return false
	}
	if soft > e.filled {
		e.Soften()
	}
	e.verified.Store(now)
	return true
}

// entryOf returns the entry that a fill makes, with strings of its own.
func (s *Store) entryOf(key string, from store.Entry, l *lease) *entry {
	e := &entry{
		Item: store.Item{
			Key: key, Variant: strings.Clone(from.Variant), Meta: from.Meta, Body: from.Body, Tags: from.Tags,
			Stamp: l.stamp, Expires: time.Now().Add(from.Life),
		},
		ends: s.clock() + from.Life, filled: l.began, hashes: hashesOf(from.Tags),
	}
	return e
}

// copyOf returns e with another end of life: items in use are never changed.
func copyOf(e *entry) *entry {
	c := &entry{
		Item: store.Item{
			Key: e.Key, Variant: e.Variant, Meta: e.Meta, Body: e.Body, Tags: e.Tags,
			Stamp: e.Stamp, Of: e.Of, Mark: e.Mark, Expires: e.Expires,
		},
		ends: e.ends, filled: e.filled, hashes: e.hashes,
	}
	if e.Soft() {
		c.Soften()
	}
	return c
}

func (s *Store) put(e *entry) { s.items.Set(store.Slot{Key: e.Key, Variant: e.Variant}, e) }
