package middleware

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// reloads bounds how often clients may force one key past the cache, by
// no-cache and the like: a loop of reloads must not become a load on the
// handler. Each key has so many at once, and as many in each ten seconds.
//
// It remembers keys in a table of fixed size (32 KiB). A key that needs the
// place of another takes it, so that nobody is refused for somebody else's
// reloads; what is forgotten so costs the handler some.
type reloads struct {
	seed  maphash.Seed
	every uint64 // how long one reload counts, in milliseconds
	slots [4096]atomic.Uint64
}

// A slot has, of its key, the upper 24 bits of the hash, and in the lower 40
// when all reloads so far will have been counted off, in milliseconds since 1970
// modulo 34 years: the theoretical arrival time of the generic cell rate
// algorithm (ITU-T I.371).
const slotTime = 1<<40 - 1

// reloadSpan is the time in which as many reloads as the limit are allowed.
const reloadSpan = uint64(10 * time.Second / time.Millisecond)

func newReloads(most int) *reloads {
	return &reloads{seed: maphash.MakeSeed(), every: max(reloadSpan/uint64(most), 1)}
}

// allow tells whether a reload of key is within the bound, and counts it, if it
// is to.
func (l *reloads) allow(key string, at instant, count bool) bool {
	hash := maphash.String(l.seed, key)
	slot := &l.slots[hash%uint64(len(l.slots))]
	whose, now := hash&^slotTime, uint64(at)/uint64(time.Millisecond)&slotTime
	for {
		was, until := slot.Load(), now
		if was&^slotTime == whose {
			until = max(was&slotTime, now)
		}
		until += l.every
		if until-now > reloadSpan {
			return false
		}
		if !count || slot.CompareAndSwap(was, whose|until&slotTime) {
			return true
		}
	}
}
