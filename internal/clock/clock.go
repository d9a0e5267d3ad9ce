// Package clock tells the time to who asks for it very often.
package clock

import (
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/store"
)

// A Clock tells the time of day for half the price of time.Now, which reads two
// clocks: it reads the monotonic one, and the other once a second, so that it
// follows when that is set. The zero value works; any goroutine may read it.
type Clock struct{ last atomic.Pointer[Reading] }

// A Reading is one moment on two clocks.
type Reading struct {
	Mono  time.Duration // what store.Monotonic returned
	Nanos int64         // of the clock of the day, in nanoseconds since 1970
}

// Read returns the time.
func (c *Clock) Read() Reading { return c.at(store.Monotonic()) }

// at returns the moment of which store.Monotonic said now: it may be over for a while,
// if the scheduler stopped who asked.
func (c *Clock) at(now time.Duration) Reading {
	r := c.last.Load()
	if r == nil || now-r.Mono >= time.Second {
		t := time.Now() // of both clocks
		r = &Reading{store.MonotonicAt(t), t.UnixNano()}
		c.last.Store(r)
	}
	return Reading{now, r.Nanos + int64(now-r.Mono)}
}

// Lot is one of n numbers, drawn by the time: cheaper than at random.
func (r *Reading) Lot(n uint64) uint64 { return uint64(r.Nanos) * 0x9e3779b97f4a7c15 >> 32 % n }
