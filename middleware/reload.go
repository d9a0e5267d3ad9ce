package middleware

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"
)

// reloads bounds how often clients may force one key past the cache, by
// no-cache and the like: a loop of reloads must not become a load on the
// handler. It counts in a table of fixed size (32 KiB). A key that needs the
// place of another takes it, so that nobody is refused for somebody else's
// reloads; a count that is lost so costs the handler some.
type reloads struct {
	seed  maphash.Seed
	most  uint64
	slots [4096]atomic.Uint64 // whose and when in the upper 48 bits, the count in the lower 16
}

// reloadSlice is the time in which reloads are counted.
const reloadSlice = 10 * time.Second

func newReloads(most int) *reloads {
	return &reloads{seed: maphash.MakeSeed(), most: uint64(min(most, math.MaxUint16))}
}

// allow counts a reload of key, and tells whether it is within the bound.
func (l *reloads) allow(key string, now instant) bool {
	hash := maphash.String(l.seed, key)
	slice := uint64(now) / uint64(reloadSlice)
	whose := hash>>40<<40 | slice<<40>>24
	slot := &l.slots[hash%uint64(len(l.slots))]
	for {
		was := slot.Load()
		is := was
		if was>>16<<16 != whose {
			is = whose
		}
		if is&math.MaxUint16 >= l.most {
			return false
		}
		if slot.CompareAndSwap(was, is+1) {
			return true
		}
	}
}
