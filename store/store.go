// Package store is the contract between the engine and what keeps its values.
//
// A store keeps bytes under keys, with tags and a lifetime. It knows nothing of
// HTTP and nothing of freshness. What sets it apart from a map is that every
// write is a fill: a caller opens one with Acquire, makes the value, and ends
// it with Commit. A purge that comes in between ends the fill's right to
// write, so a value whose making began before a purge is never stored after it.
//
// A key has a base entry and, where the base says so, variants. One purge of
// the key drops them all and ends all their fills. Backends live in
// store/memstore and store/redisstore; store/storetest proves that a backend
// keeps this contract.
package store

import (
	"context"
	"errors"
	"hash/maphash"
	"math/bits"
	"time"
)

// A Store keeps values. All methods may be called at the same time, from any
// goroutine. Errors other than the ones named here mean that the store failed;
// callers treat a store that fails as an empty one.
type Store interface {
	Getter
	Leaser
	Purger
}

// A Getter reads. It never returns what a purge that has returned without an
// error in this process dropped.
type Getter interface {
	// Get returns the base entry of key, or ErrNotFound. key and name may be
	// views of a buffer that the caller writes to later: a store that keeps
	// them clones them.
	Get(ctx context.Context, key string) (*Item, error)

	// Variant returns the variant of base's key that is called name, or
	// ErrNotFound. A variant of an older base than this one is not found.
	Variant(ctx context.Context, base *Item, name string) (*Item, error)
}

// A Leaser hands out fills.
type Leaser interface {
	// Acquire opens a fill. It does not wait. It returns
	//
	//	ErrHeld     somebody else fills c's slot: Wait, then look again
	//	ErrChanged  c's slot holds something else than c saw: look again
	//	ErrFull     c's key has all the variants it may have, and c's is none
	//	            of them: make the value, and do not store it
	//
	// with a nil Lease. Any other error means that the store cannot be
	// reached; the Lease is valid all the same, nothing will be stored, and
	// its Commit only says whether a purge in this process came first.
	//
	// The store keeps the lease alive until it ends, at most for c.Hold. If
	// this process dies, the lease passes on within a few seconds.
	Acquire(ctx context.Context, c Claim) (Lease, error)

	// Wait blocks while somebody holds s, until ctx is done. It is
	// level-triggered: there is no wake-up to lose between Acquire's ErrHeld
	// and Wait. It may return early; look again. An error, ctx's apart, means
	// that the store failed.
	Wait(ctx context.Context, s Slot) error
}

// A Slot is what one fill fills.
type Slot struct {
	Key     string // of the base entry
	Variant string // "" is the base entry itself
}

// Hash is for maps that hold very many slots. Two slots may have one Hash: whoever
// finds something by it compares the names.
func (s Slot) Hash(seed maphash.Seed) uint64 {
	h := maphash.String(seed, s.Key)
	if s.Variant != "" {
		h = bits.RotateLeft64(h, 32) ^ maphash.String(seed, s.Variant)
	}
	return h
}

// A Claim asks for the right to fill a slot.
type Claim struct {
	Slot

	Base  *Item         // what the caller found under Key; nil: nothing
	Seen  *Item         // what it found under Variant; nil: nothing, or no Variant
	Hold  time.Duration // how long the fill may take; must be positive
	Steal bool          // take the lease from its holder, who is thereby overtaken

	// Variants is how many variants the key may hold at the same time, over
	// all instances; 0: any number. One that is stored, stale ones too, can be
	// refilled whatever their number, and so can the base: a new one starts
	// with none. What has ended or was purged does not count; but a store that
	// does not see at once that a variant has gone may keep its place, for its
	// own name, until its life would have ended.
	Variants int
}

// A Lease is one fill's right to write. Commit or Release ends it, once; what
// comes after the first of them does nothing and returns ErrOvertaken.
type Lease interface {
	// Commit puts entries in the place of what the slot holds, all or none;
	// without entries it deletes the slot. A new base entry ends the life of
	// all variants of the one before. It returns
	//
	//	nil           stored; no purge that would drop it has returned before
	//	ErrOvertaken  a purge, a Steal or a newer fill came first, or others took
	//	              the key's last places for variants, or what an entry reuses
	//	              has gone; nothing is stored
	//	ErrTooLarge   the store never takes a value of this size; the slot is empty
	//
	// Any other error means that the store failed: the entries may or may not
	// be stored, and no purge that would drop them has returned in this
	// process since Acquire.
	Commit(ctx context.Context, entries ...Entry) error

	// Release ends the fill and leaves what is stored as it is.
	Release(ctx context.Context) error
}

// A Purger drops values, and the leases of the fills that would bring them back.
type Purger interface {
	// Purge drops what p names. When it returns nil, no Get in this process
	// returns what it dropped, and no fill that began before can be stored.
	// After an error the same holds for what this process keeps locally.
	Purge(ctx context.Context, p Purge) (Purged, error)
}

// A Purge says what to drop. The fields add up; the zero Purge drops nothing.
type Purge struct {
	Keys  []string // the base entry and all of its variants
	Tags  []string // all that carries one of them; O(1) per tag, whatever the number of entries
	Match string   // keys matching the glob (see Glob); scans, never for a request path
	All   bool

	Soft   bool // make stale instead of dropping; fills under way are dropped as well
	DryRun bool // count only
}

// Purged says what a Purge did.
type Purged struct {
	// Count is the number of base entries dropped by Keys and Match, or -1
	// where Tags or All took part, which the stores do not count.
	Count int
	// Token stands for this purge: with it, any instance shows what the purge
	// has left, see TokenReader. "" where no other instance could show anything else.
	Token string
}

// An Entry is what a fill stores.
type Entry struct {
	Variant string        // "" is the base entry
	Meta    []byte        // what Decoded decodes
	Body    []byte        // never copied, never decoded; the store keeps it, do not write to it
	Tags    []string      // whose purge drops it, besides its key's
	Life    time.Duration // how long keeping it makes sense: fresh and every stale window; must be positive

	// Reuses: it was made with the body of what the claim saw. It is not stored
	// if the base that the claim saw has gone, for it may have been purged when
	// the fill had begun, but before the fill's lease was there to be ended.
	Reuses bool
}

// A Stamp names one fill, or one soft purge. Stamps never repeat. The zero
// Stamp names nothing.
type Stamp [16]byte

var (
	// ErrNotFound: nothing usable is stored.
	ErrNotFound = errors.New("store: not found")
	// ErrHeld: somebody else fills the slot.
	ErrHeld = errors.New("store: slot is being filled")
	// ErrChanged: the slot is not as the caller saw it.
	ErrChanged = errors.New("store: slot changed since it was read")
	// ErrFull: the key may have no further variant.
	ErrFull = errors.New("store: key has all the variants it may have")
	// ErrTooLarge: the value does not fit into the store, whatever else is dropped.
	ErrTooLarge = errors.New("store: value is too large for the store")
	// ErrOvertaken: the fill has lost its right to write.
	ErrOvertaken = errors.New("store: fill was overtaken by a purge or a newer fill")
)

// A Recorder learns what a store did. Its methods must not block. Stores call
// it from any goroutine.
type Recorder interface {
	// StoreOp records one operation: op is "get", "acquire", "commit",
	// "release", "renew", "wait" or "purge", result is "ok", "miss", "held",
	// "changed", "full", "large", "overtaken", "unreadable" (a value that is damaged or
	// not ours, taken for a miss), "newer" (one of a later version of this
	// program), "timeout" or "error", or, where Redis says why it refuses,
	// "oom", "readonly", "loading", "noauth" or "wrongtype". A look-up that the
	// process's own memory answered is not recorded: hits are counted by the
	// callers. took is 0 where nothing left the process.
	StoreOp(op, result string, took time.Duration)
	// Purged records a purge by kind: "key", "tag", "match" or "all".
	Purged(kind string, soft bool, err error)
}

// A TokenReader is an optional ability of a Store whose instances learn of each
// other's purges with a delay.
type TokenReader interface {
	// After returns a Getter that shows nothing that was dropped by the purges
	// whose Purged.Token is among tokens, and by those that returned before, even if
	// this instance has not heard of them yet: it asks where it cannot know.
	// What is being made must not be shared with who has the token, if its
	// making began before they came: the store may have been out of reach.
	// nil: the store itself will do, and so will what is being made, since
	// none is a token, or younger than an instance can lag behind.
	After(tokens ...string) Getter
}

// A Truster is an optional ability of a Store whose instances learn of each
// other's purges: it tells for how long one that has lost touch with the others
// may go on as if nothing had been purged.
type Truster interface {
	Trust() time.Duration
}

// A Referrer is an optional ability of a Store: it leads back to what it keeps in
// this process's memory.
type Referrer interface {
	// Ref returns the way back to it, or nil: the store does not keep it, or it is
	// a variant.
	Ref(it *Item) *Ref
}

// A Locator is an optional ability of a Store: it tells which look-ups this process's
// memory answers.
type Locator interface {
	// Local tells whether it holds what slot's next look-up would find, as far as
	// is known without asking anybody else.
	Local(slot Slot) bool
}

// A Sizer is an optional ability of a Store: it tells what its memory holds.
type Sizer interface {
	LocalSize() LocalSize
}

// LocalSize is what a store keeps in this process's memory.
type LocalSize struct {
	Bytes     int64 // estimated, with overhead
	Budget    int64 // the bound of Bytes
	Entries   int64
	Evictions uint64 // entries dropped to keep within Budget, since the start
}

// Result returns what StoreOp calls an operation that ended with err: "" for an
// error that is none of this package's.
func Result(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrNotFound):
		return "miss"
	case errors.Is(err, ErrHeld):
		return "held"
	case errors.Is(err, ErrChanged):
		return "changed"
	case errors.Is(err, ErrFull):
		return "full"
	case errors.Is(err, ErrTooLarge):
		return "large"
	case errors.Is(err, ErrOvertaken):
		return "overtaken"
	}
	return ""
}
