package store

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// An Item is a stored value, shared by all of its readers: none of its fields
// may be written to once a store has handed it out. There may be millions, so that
// what few of them have is behind Kin.
type Item struct {
	Key  string
	Meta []byte
	Body []byte
	Tags []string

	// Stamp is the fill's that made the item. Two items with one Stamp are one.
	Stamp Stamp
	Kin   *Kin  // nil: it is a base entry, and no soft purge has marked it
	Ends  int64 // when the store forgets it, in nanoseconds since 1970

	memo  any           // what Decoded remembers; not looked at before state has hasMemo
	state atomic.Uint64 // flags, and above them the number of Verified
	ref   atomic.Pointer[Ref]
}

// The flags of an item's state, and how far above them the number is.
const (
	isSoft = 1 << iota
	takesMemo
	hasMemo
	stateBits = iota
	flags     = 1<<stateBits - 1
)

// A Kin is what an item has that is not alone under its key, or was softly purged.
type Kin struct {
	Variant string // its name; "" is the base entry
	// Of is the Stamp of the base entry a variant belongs to; zero in a base entry.
	Of Stamp
	// Mark is of the last soft purge of the key: in a base entry the one that
	// made it stale, in a variant the one its base carried when it was filled.
	Mark Stamp
	Own  any // the store's
}

// Variant returns the name of a variant; "" is the base entry.
func (it *Item) Variant() string {
	if it.Kin == nil {
		return ""
	}
	return it.Kin.Variant
}

// Slot is where it is stored.
func (it *Item) Slot() Slot { return Slot{it.Key, it.Variant()} }

// Of returns Kin.Of, or the zero Stamp.
func (it *Item) Of() (s Stamp) {
	if it.Kin != nil {
		s = it.Kin.Of
	}
	return s
}

// Mark returns Kin.Mark, or the zero Stamp.
func (it *Item) Mark() (s Stamp) {
	if it.Kin != nil {
		s = it.Kin.Mark
	}
	return s
}

// Expires is when the store forgets it.
func (it *Item) Expires() time.Time { return time.Unix(0, it.Ends) }

// Soft tells whether a soft purge has made the item stale.
func (it *Item) Soft() bool { return it.state.Load()&isSoft != 0 }

// Soften makes the item stale, for stores to call. There is no way back: the
// next fill makes a new Item.
func (it *Item) Soften() { it.state.Or(isSoft) }

// Verified returns what Verify was last called with, or 0: a store's own number,
// of when it last found the item valid.
func (it *Item) Verified() uint64 { return it.state.Load() >> stateBits }

// Verify has Verified return number, of which the three highest bits are lost.
func (it *Item) Verify(number uint64) {
	for {
		was := it.state.Load()
		if it.state.CompareAndSwap(was, number<<stateBits|was&flags) { // others may set those at the same time
			return
		}
	}
}

// A Keeper knows whether items of its own are still what Get returns. One Keeper, and
// not one for each item, is where a look at many items finds it.
type Keeper interface {
	// Current tells whether Get would return it, which the Keeper keeps, at now, as far
	// as that is known without asking anybody else. now is what Monotonic returned.
	Current(it *Item, now time.Duration) bool
}

// Monotonic tells how long ago a moment was that all in this process have in common:
// on a clock that nobody sets, and that runs on while the process is stopped.
func Monotonic() time.Duration { return time.Since(origin) }

// MonotonicAt is what Monotonic returned at t, which time.Now did.
func MonotonicAt(t time.Time) time.Duration { return t.Sub(origin) }

var origin = time.Now()

// A Ref leads back to an item for as long as its store keeps it in this process's
// memory, and does not hold it there. A look through it finds what Get would
// find, for less. A store that drops what is used least does not learn of it.
type Ref struct {
	kept atomic.Pointer[kept]
	by   Keeper
}

// A kept is an item and what Decoded had remembered of it when somebody asked for the
// Ref: who needs both need not wait for the item's memory to learn where that is.
type kept struct {
	item *Item
	memo any
}

// Get returns the item, or nil if the store's Get would have to look for it. now is
// what Monotonic returned.
func (r *Ref) Get(now time.Duration) *Item {
	if k := r.current(now); k != nil {
		return k.item
	}
	return nil
}

// Recalled returns what r.Get returns, and what Decoded remembers of it, or nil.
func Recalled[T any](r *Ref, now time.Duration) (*Item, *T) {
	k := r.current(now)
	if k == nil {
		return nil, nil
	}
	v, _ := k.memo.(*T)
	if v == nil {
		v, _ = k.item.remembered().(*T)
	}
	return k.item, v
}

func (r *Ref) current(now time.Duration) *kept {
	if r == nil {
		return nil
	}
	k := r.kept.Load()
	if k == nil || !r.by.Current(k.item, now) {
		return nil
	}
	return k
}

// Ref returns the way back to it, or nil if nobody has asked for one: see Referrer.
func (it *Item) Ref() *Ref { return it.ref.Load() }

// Keep returns the way back to it, by whom it is kept, who does not hold it for that.
// Stores call it for what they keep, when they are asked for a Ref, and Drop when it is
// no longer what Get returns, before whoever made it so learns of that.
func (it *Item) Keep(by Keeper) *Ref {
	r := &Ref{by: by}
	r.kept.Store(&kept{it, it.remembered()})
	it.ref.CompareAndSwap(nil, r)
	return it.ref.Load()
}

// Drop cuts it's Ref, now and for ever.
func (it *Item) Drop() {
	if r := it.ref.Swap(cut); r != nil {
		r.kept.Store(nil)
	}
}

// cut is the Ref of all that have been dropped.
var cut = new(Ref)

// Admit tells whether variant belongs to base, and makes it stale if base was
// softly purged since the variant was filled. Stores call it for each variant
// they read.
func Admit(base, variant *Item) bool {
	if variant.Of() != base.Stamp {
		return false
	}
	if variant.Mark() != base.Mark() {
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

// MemoSize is what a store reckons with for what Decoded remembers and for a Ref, in
// bytes of the heap. Whoever decodes to more than 16 of them keeps that elsewhere,
// within bounds of its own: a store has very many items, most of which are seldom used.
const MemoSize = 96

// remembered returns what Decoded remembers, or nil.
func (it *Item) remembered() any {
	if it.state.Load()&hasMemo == 0 {
		return nil
	}
	return it.memo
}

// Decoded returns what decode makes of it, and remembers it in the item, so
// that a value is decoded once and not once per reader. Pass a
// plain function, not a closure: then a remembered value costs no allocation.
// Readers that come at the same time may each decode; one result is kept. An
// item decodes to one type only: what a second one decodes to is not remembered.
func Decoded[T any](it *Item, decode func(*Item) (*T, error)) (*T, error) {
	if v, ok := it.remembered().(*T); ok {
		return v, nil
	}
	v, err := decode(it)
	if err != nil {
		return nil, err
	}
	if it.state.Or(takesMemo)&takesMemo == 0 { // nobody else writes it, now or later
		it.memo = v
		it.state.Or(hasMemo)
	}
	return v, nil
}
