package store

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// An Item is a stored value, shared by all of its readers: none of its fields
// may be written to once a store has handed it out.
type Item struct {
	Key     string
	Variant string
	Meta    []byte
	Body    []byte
	Tags    []string
	Expires time.Time // when the store forgets it

	// Stamp is the fill's that made the item. Two items with one Stamp are one.
	Stamp Stamp
	// Of is the Stamp of the base entry a variant belongs to; zero in a base entry.
	Of Stamp
	// Mark is of the last soft purge of the key: in a base entry the one that
	// made it stale, in a variant the one its base carried when it was filled.
	Mark Stamp

	soft atomic.Bool
	memo atomic.Pointer[any]

	keeper Keeper
	ref    atomic.Pointer[Ref] // made when it is asked for
}

// Soft tells whether a soft purge has made the item stale.
func (it *Item) Soft() bool { return it.soft.Load() }

// Soften makes the item stale, for stores to call. There is no way back: the
// next fill makes a new Item.
func (it *Item) Soften() { it.soft.Store(true) }

// A Keeper knows whether an item of its own is still what Get returns.
type Keeper interface {
	// Current tells whether Get would return the item at now, as far as that is
	// known without asking anybody else. now is of this process's clock.
	Current(now time.Time) bool
}

// A Ref leads back to an item for as long as its store keeps it in this process's
// memory, and does not hold it there. A look through it finds what Get would
// find, for less. A store that drops what is used least does not learn of it.
type Ref struct{ held atomic.Pointer[Item] }

// Get returns the item, or nil if the store's Get would have to look for it.
func (r *Ref) Get(now time.Time) *Item {
	if r == nil {
		return nil
	}
	it := r.held.Load()
	if it == nil || !it.keeper.Current(now) {
		return nil
	}
	return it
}

// Ref returns the way back to it; nil: its store has none.
func (it *Item) Ref() *Ref {
	if it.keeper == nil {
		return nil
	}
	if it.ref.Load() == nil {
		r := new(Ref)
		r.held.Store(it)
		it.ref.CompareAndSwap(nil, r)
	}
	return it.ref.Load()
}

// Keep has it lead back to itself. Stores call it before they hand it out, and
// Drop when it is no longer what Get returns, before whoever made it so learns of
// that.
func (it *Item) Keep(by Keeper) { it.keeper = by }

// Drop cuts it's Ref, now and for ever.
func (it *Item) Drop() {
	if r := it.ref.Swap(cut); r != nil {
		r.held.Store(nil)
	}
}

// cut is the Ref of all that have been dropped.
var cut = new(Ref)

// Admit tells whether variant belongs to base, and makes it stale if base was
// softly purged since the variant was filled. Stores call it for each variant
// they read.
func Admit(base, variant *Item) bool {
	if variant.Of != base.Stamp {
		return false
	}
	if variant.Mark != base.Mark {
		variant.Soften()
	}
	return true
}

// NewStamp returns a stamp that has not been used before. Stamps are unique,
// not secret.
func NewStamp() (s Stamp) {
	binary.LittleEndian.PutUint64(s[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(s[8:], rand.Uint64())
	return s
}

// Memo estimates the bytes that it's decoded form takes once it has been decoded
// and used, of which a store knows no more than the length of Meta.
func (it *Item) Memo() int { return 512 + 7*len(it.Meta)/4 }

// Decoded returns what decode makes of it, and remembers it in the item, so
// that a value is decoded once per process and not once per reader. Pass a
// plain function, not a closure: then a remembered value costs no allocation.
// Readers that come at the same time may each decode; one result is kept. An
// item decodes to one type only.
func Decoded[T any](it *Item, decode func(*Item) (*T, error)) (*T, error) {
	if p := it.memo.Load(); p != nil {
		if v, ok := (*p).(*T); ok {
			return v, nil
		}
	}
	v, err := decode(it)
	if err != nil {
		return nil, err
	}
	var memo any = v
	it.memo.Store(&memo)
	return v, nil
}
