package rfc9111

import (
	"net/http"
	"time"
)

// Lifetime returns the freshness lifetime that a response states itself, and
// whether it states one. received is when it arrived; it stands in for a Date
// that is missing or unreadable.
//
// RFC 9111 §4.2.1: s-maxage, else max-age, else Expires − Date. §5.3: an
// Expires that is no date, "0" above all, is in the past; two that differ leave
// the response stale.
func Lifetime(h http.Header, c Control, received time.Time) (life time.Duration, explicit bool) {
	switch {
	case c.Is(SMaxAge):
		return c.SMaxAge, true
	case c.Is(MaxAge):
		return c.MaxAge, true
	}
	lines := h["Expires"]
	if len(lines) == 0 {
		return 0, false
	}
	expires, ok := single(lines, received)
	if !ok {
		return 0, true
	}
	return clamp(expires.Sub(dateOf(h, received))), true
}

// Heuristic returns a lifetime for a response that states none: a tenth of the
// time since its Last-Modified (RFC 9111 §4.2.2). ok tells whether the section
// allows one, which takes a status of HeuristicStatus, or public. It is at most
// 29 years, a tenth of the longest time.Duration.
func Heuristic(status int, h http.Header, c Control, received time.Time) (life time.Duration, ok bool) {
	if c.Is(MaxAge|SMaxAge) || len(h["Expires"]) > 0 {
		return 0, false
	}
	if !HeuristicStatus(status) && !(c.Is(Public) && StorableStatus(status)) {
		return 0, false
	}
	modified, ok := single(h["Last-Modified"], received)
	if !ok {
		return 0, false
	}
	since := dateOf(h, received).Sub(modified)
	if since < 0 {
		return 0, false
	}
	return clamp(since / 10), true
}

// Age returns the Age a response came with: the first member of the first line
// (RFC 9111 §5.1). What is not a number of seconds is ignored.
func Age(h http.Header) time.Duration {
	lines := h["Age"]
	if len(lines) == 0 {
		return 0
	}
	first, _, _ := nextMember(lines[0])
	age, _ := seconds(first)
	return age
}

// InitialAge returns how old a response was when it arrived: the
// corrected_initial_age of RFC 9111 §4.2.3, never negative. requested is when
// the request for it was made.
func InitialAge(h http.Header, requested, received time.Time) time.Duration {
	age := Age(h) + clamp(received.Sub(requested))
	// Date has no fraction: to compare it with a finer clock would make each
	// response up to a second old at birth, and max-age=1 useless.
	apparent := received.Truncate(time.Second).Sub(dateOf(h, received.Truncate(time.Second)))
	return clamp(max(age, apparent))
}

// dateOf returns the Date of a response, or instead (RFC 9110 §6.6.1: a
// recipient with a clock replaces a missing Date by the time of receipt).
func dateOf(h http.Header, instead time.Time) time.Time {
	if lines := h["Date"]; len(lines) > 0 {
		if t, ok := ParseDate(lines[0], instead); ok {
			return t
		}
	}
	return instead
}

// single reads a field that holds one date. Lines that differ hold none.
func single(lines []string, now time.Time) (time.Time, bool) {
	if len(lines) == 0 {
		return time.Time{}, false
	}
	for _, line := range lines[1:] {
		if line != lines[0] {
			return time.Time{}, false
		}
	}
	return ParseDate(lines[0], now)
}
