// Package clock tells the time to who asks for it very often.
package clock

import (
	"sync/atomic"
	"time"
)

// A Clock tells the time of day for half the price of time.Now, which reads two
// clocks: it reads the monotonic one, and the other once a second, so that it
// follows when that is set. The zero value works; any goroutine may read it.
type Clock struct{ last atomic.Pointer[Reading] }

// A Reading is one moment on the process's clock and on that of the day.
type Reading struct {
	time.Time
	Nanos int64 // since 1970
}

// Read returns the time.
func (c *Clock) Read() Reading {
	if r := c.last.Load(); r != nil {
		if d := time.Since(r.Time); d >= 0 && d < time.Second {
			return Reading{r.Add(d), r.Nanos + int64(d)}
		}
	}
	t := time.Now()
	r := &Reading{t, t.UnixNano()}
	c.last.Store(r)
	return *r
}

// Lot is one of n numbers, drawn by the time: cheaper than at random.
func (r *Reading) Lot(n uint64) uint64 { return uint64(r.Nanos) * 0x9e3779b97f4a7c15 >> 32 % n }
