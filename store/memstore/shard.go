package memstore

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

const shardCount = 128

// A shard holds the leases of a part of the keys: of one URL all, its variants'
// too, so that one purge ends them. Its mutex orders commits and purges.
type shard struct {
	mu     sync.Mutex
	leases map[string]fills // by key
	count  int              // of all leases
	sweep  int              // the count at which to look for those that nobody ended
}

// fills are the leases of one key, at least one.
type fills struct {
	base     *lease
	variants map[string]*lease
}

func (f fills) of(variant string) *lease {
	if variant == "" {
		return f.base
	}
	return f.variants[variant]
}

func (f fills) all(yield func(*lease) bool) {
	if f.base != nil && !yield(f.base) {
		return
	}
	for _, l := range f.variants {
		if !yield(l) {
			return
		}
	}
}

// minSweep is how many leases a shard holds before it looks for lapsed ones.
const minSweep = 32

var shardSeed = maphash.MakeSeed()

func (s *Store) shard(key string) *shard {
	return &s.shards[maphash.String(shardSeed, key)%shardCount]
}

func (sh *shard) init() { sh.leases, sh.sweep = make(map[string]fills), minSweep }

// put keeps l. Where many are kept, it first ends those that lapsed: a caller
// who never ends its fills must not fill the memory.
func (sh *shard) put(l *lease, now time.Duration) {
	if sh.count >= sh.sweep {
		for _, of := range sh.leases {
			for old := range of.all {
				if now >= old.until {
					sh.end(old)
				}
			}
		}
		// Twice what is left, so that the work is in proportion to the leases.
		sh.sweep = max(minSweep, 2*sh.count)
	}
	of := sh.leases[l.slot.Key]
	switch {
	case l.slot.Variant == "":
		of.base = l
	case of.variants == nil:
		of.variants = map[string]*lease{l.slot.Variant: l}
	default:
		of.variants[l.slot.Variant] = l
	}
	sh.leases[l.slot.Key] = of
	sh.count++
}

func (sh *shard) holder(slot store.Slot) *lease { return sh.leases[slot.Key].of(slot.Variant) }

// end ends l and wakes who waits for it. It tells whether l still stood.
func (sh *shard) end(l *lease) bool {
	of := sh.leases[l.slot.Key]
	if of.of(l.slot.Variant) != l {
		return false
	}
	if l.slot.Variant == "" {
		of.base = nil
	} else {
		delete(of.variants, l.slot.Variant)
	}
	if of.base == nil && len(of.variants) == 0 {
		delete(sh.leases, l.slot.Key)
	} else {
		sh.leases[l.slot.Key] = of
	}
	sh.count--
	if l.done != nil {
		close(l.done)
	}
	return true
}

// ended returns what is closed when l, which stands, ends.
func (sh *shard) ended(l *lease) <-chan struct{} {
	if l.done == nil {
		l.done = make(chan struct{})
	}
	return l.done
}

// endAll ends all leases of key.
func (sh *shard) endAll(key string) {
	for l := range sh.leases[key].all {
		sh.end(l)
	}
}
