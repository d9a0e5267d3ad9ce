package middleware

import (
	"sync/atomic"
	"time"
)

// An instant is a time of day, in nanoseconds since 1970.
type instant int64

func instantOf(t time.Time) instant { return instant(t.UnixNano()) }

func (i instant) time() time.Time { return time.Unix(0, int64(i)) }

// since is never negative: the clocks of two machines may disagree, and one
// clock may be set back.
func (i instant) since(earlier instant) time.Duration { return time.Duration(max(i-earlier, 0)) }

// A clock tells the time of day for half the price of time.Now, which reads two
// clocks: it reads the monotonic one, and the other once a second, so that it
// follows when that is set.
type clock struct{ last atomic.Pointer[reading] }

type reading struct {
	at  time.Time
	day instant
}

func (c *clock) now() instant {
	if r := c.last.Load(); r != nil {
		if d := time.Since(r.at); d >= 0 && d < time.Second {
			return r.day + instant(d)
		}
	}
	t := time.Now()
	c.last.Store(&reading{t, instantOf(t)})
	return instantOf(t)
}
