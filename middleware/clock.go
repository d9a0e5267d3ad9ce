package middleware

import (
	"net/http"
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
type clock struct {
	last atomic.Pointer[reading]
	date atomic.Pointer[date]
}

// A date is one second as header fields have it (RFC 9110 §5.6.7).
type date struct {
	second int64
	text   string
}

// A reading is one moment on the process's clock and on that of the day.
type reading struct {
	time.Time
	instant
}

// lot is one of sampled numbers, drawn by the time: cheaper than at random.
func (r *reading) lot() uint64 { return uint64(r.instant) * 0x9e3779b97f4a7c15 >> 32 % sampled }

func (c *clock) now() instant { return c.read().instant }

func (c *clock) read() reading {
	if r := c.last.Load(); r != nil {
		if d := time.Since(r.Time); d >= 0 && d < time.Second {
			return reading{r.Add(d), r.instant + instant(d)}
		}
	}
	t := time.Now()
	r := &reading{t, instantOf(t)}
	c.last.Store(r)
	return *r
}

// dateOf returns t as header fields have it, made once a second.
func (c *clock) dateOf(t time.Time) string {
	if d := c.date.Load(); d != nil && d.second == t.Unix() {
		return d.text
	}
	d := &date{t.Unix(), t.UTC().Format(http.TimeFormat)}
	c.date.Store(d)
	return d.text
}
