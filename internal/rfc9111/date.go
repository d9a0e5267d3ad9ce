package rfc9111

import (
	"strings"
	"time"
)

// ParseDate reads an HTTP-date (RFC 9110 §5.6.7) in one of its three forms, in
// any letter case. now is what the two-digit year of the RFC 850 form is read
// against: a date more than 50 years ahead of it is one of the past.
//
// http.ParseTime is not used because it takes doubled spaces and a one-digit
// hour, refuses "gMT", takes zones other than GMT in the RFC 850 form and
// fractions of a second in all, and reads two-digit years from a fixed window.
// As there, the name of the weekday need not be the right one, and there is no
// second 60.
func ParseDate(s string, now time.Time) (time.Time, bool) {
	comma := strings.IndexByte(s, ',')
	switch {
	case comma < 0:
		return parseAsctime(s)
	case comma == 3:
		return parseIMF(s)
	default:
		return parseRFC850(s, comma, now)
	}
}

// parseIMF reads "Sun, 06 Nov 1994 08:49:37 GMT".
func parseIMF(s string) (time.Time, bool) {
	if !shaped(s, "aaa, 00 aaa 0000 00:00:00 GMT") || !isWeekday(s[:3], 3) {
		return time.Time{}, false
	}
	return date(number(s[12:16]), s[8:11], number(s[5:7]), s[17:25])
}

// parseRFC850 reads "Sunday, 06-Nov-94 08:49:37 GMT".
func parseRFC850(s string, comma int, now time.Time) (time.Time, bool) {
	day, rest := s[:comma], s[comma:]
	if !shaped(rest, ", 00-aaa-00 00:00:00 GMT") || !isWeekday(day, 0) {
		return time.Time{}, false
	}
	limit := now.UTC().AddDate(50, 0, 0)
	year := limit.Year() - limit.Year()%100 + number(rest[9:11])
	t, ok := date(year, rest[5:8], number(rest[2:4]), rest[12:20])
	if ok && t.After(limit) {
		return date(year-100, rest[5:8], number(rest[2:4]), rest[12:20])
	}
	return t, ok
}

// parseAsctime reads "Sun Nov  6 08:49:37 1994".
func parseAsctime(s string) (time.Time, bool) {
	if !shaped(s, "aaa aaa 00 00:00:00 0000") && !shaped(s, "aaa aaa  0 00:00:00 0000") {
		return time.Time{}, false
	}
	if !isWeekday(s[:3], 3) {
		return time.Time{}, false
	}
	return date(number(s[20:24]), s[4:7], number(strings.TrimLeft(s[8:10], " ")), s[11:19])
}

// shaped tells whether s looks like form, where 0 stands for a digit, a for a
// letter, a capital for itself in any case, and all else for itself.
func shaped(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		switch f, c := form[i], lower(s[i]); {
		case f == '0':
			if c < '0' || '9' < c {
				return false
			}
		case f == 'a':
			if c < 'a' || 'z' < c {
				return false
			}
		case lower(f) != c:
			return false
		}
	}
	return true
}

// isWeekday tells whether s names a weekday by its first n letters, or in full
// where n is 0.
func isWeekday(s string, n int) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := d.String()
		if n > 0 {
			name = name[:n]
		}
		if equalFold(s, name) {
			return true
		}
	}
	return false
}

// date puts the parts of a date together. clock is "15:04:05".
func date(year int, month string, day int, clock string) (time.Time, bool) {
	m := monthOf(month)
	hour, minute, second := number(clock[:2]), number(clock[3:5]), number(clock[6:])
	if m == 0 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, m, day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // time.Date makes March of February 30
}

func monthOf(name string) time.Month {
	for m := time.January; m <= time.December; m++ {
		if equalFold(name, m.String()[:3]) {
			return m
		}
	}
	return 0
}

// equalFold compares ASCII only: strings.EqualFold takes "ſunday" for Sunday.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// number reads a few digits that shaped has seen.
func number(s string) (n int) {
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
