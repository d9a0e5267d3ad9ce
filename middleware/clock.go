package middleware

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/internal/clock"
)

// An instant is a time of day, in nanoseconds since 1970.
type instant int64

func instantOf(t time.Time) instant { return instant(t.UnixNano()) }

func (i instant) time() time.Time { return time.Unix(0, int64(i)) }

// since is never negative: the clocks of two machines may disagree, and one
// clock may be set back.
func (i instant) since(earlier instant) time.Duration { return time.Duration(max(i-earlier, 0)) }

// A watch tells the time, also as header fields have it.
type watch struct {
	clock.Clock
	date atomic.Pointer[date]
}

// A date is one second as header fields have it (RFC 9110 §5.6.7).
type date struct {
	second int64
	text   string
}

func (w *watch) now() instant { return instant(w.Read().Nanos) }

// dateOf returns t as header fields have it, made once a second.
func (w *watch) dateOf(t time.Time) string {
	if d := w.date.Load(); d != nil && d.second == t.Unix() {
		return d.text
	}
	d := &date{t.Unix(), t.UTC().Format(http.TimeFormat)}
	w.date.Store(d)
	return d.text
}
