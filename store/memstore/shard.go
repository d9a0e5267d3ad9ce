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
	leases map[string]map[string]*lease // by key, by variant
	count  int                          // of all leases
	sweep  int                          // the count at which to look for those that nobody ended
}

// minSweep is how many leases a shard holds before it looks for lapsed ones.
const minSweep = 32

var shardSeed = maphash.MakeSeed()

func (s *Store) shard(key string) *shard {
	return &s.shards[maphash.String(shardSeed, key)%shardCount]
}

func (sh *shard) init() { sh.leases, sh.sweep = make(map[string]map[string]*lease), minSweep }

// put keeps l. Where many are kept, it first ends those that lapsed: a caller
// who never ends its fills must not fill the memory.
func (sh *shard) put(l *lease, now time.Duration) {
	if sh.count >= sh.sweep {
		for _, of := range sh.leases {
			for _, old := range of {
				if now >= old.until {
					sh.end(old)
				}
			}
		}
		// Twice what is left, so that the work is in proportion to the leases.
		sh.sweep = max(minSweep, 2*sh.count)
	}
	of := sh.leases[l.slot.Key]
	if of == nil {
		of = make(map[string]*lease, 1)
		sh.leases[l.slot.Key] = of
	}
	of[l.slot.Variant] = l
	sh.count++
}

func (sh *shard) holder(slot store.Slot) *lease { return sh.leases[slot.Key][slot.Variant] }

// end ends l and wakes who waits for it. It tells whether l still stood.
func (sh *shard) end(l *lease) bool {
	of := sh.leases[l.slot.Key]
	if of[l.slot.Variant] != l {
		return false
	}
	delete(of, l.slot.Variant)
	if len(of) == 0 {
		delete(sh.leases, l.slot.Key)
	}
	sh.count--
	close(l.done)
	return true
}

// endAll ends all leases of key.
func (sh *shard) endAll(key string) {
	for _, l := range sh.leases[key] {
		sh.end(l)
	}
}
