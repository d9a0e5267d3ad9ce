package middleware

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// reloads bounds how often clients may force one key past the cache, by
// no-cache and the like: a loop of reloads must not become a load on the
// handler. It counts in a table of fixed size, so that two keys may share a
// count; then a reload gets what is stored a little early.
type reloads struct {
	seed  maphash.Seed
	most  uint32
	slots [256]atomic.Uint64 // the time slice in the upper half, its count in the lower
}

// reloadSlice is the time in which reloads are counted.
const reloadSlice = 10 * time.Second

func newReloads(most int) *reloads { return &reloads{seed: maphash.MakeSeed(), most: uint32(most)} }

// allow counts a reload of key, and tells whether it is within the bound.
func (l *reloads) allow(key string, now instant) bool {
	slot := &l.slots[maphash.String(l.seed, key)%uint64(len(l.slots))]
	slice := uint64(now) / uint64(reloadSlice) << 32
	for {
		was := slot.Load()
		is := was
		if was>>32<<32 != slice {
			is = slice
		}
		if uint32(is) >= l.most {
			return false
		}
		if slot.CompareAndSwap(was, is+1) {
			return true
		}
	}
}
