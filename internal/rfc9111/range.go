package rfc9111

import (
	"math"
	"net/http"
	"strings"
	"time"
)

// ByteRange is one byte range as a request asks for it (RFC 9110 §14.1.2). First
// -1: the last Last bytes. Last -1: from First to the end.
type ByteRange struct{ First, Last int64 }

// Span is the bytes from First to Last of a representation, both included, the
// first byte being 0. Those that this package makes are in order, and end below
// math.MaxInt64, so that every length fits.
type Span struct{ First, Last int64 }

// Len returns how many bytes s has.
func (s Span) Len() int64 { return s.Last - s.First + 1 }

// Contains tells whether s has all bytes of t.
func (s Span) Contains(t Span) bool { return s.First <= t.First && t.Last <= s.Last }

// valid tells whether s is what this package makes.
func (s Span) valid() bool { return 0 <= s.First && s.First <= s.Last && s.Last < math.MaxInt64 }

// OneRange reads the lines of a Range field that asks for exactly one range of
// bytes (RFC 9110 §14.1, §14.2). More than one line, another unit, several
// ranges, or anything malformed is no such field. Whitespace and empty members
// are taken where the list rule has them (§5.6.1): by a comma.
func OneRange(lines []string) (ByteRange, bool) {
	if len(lines) != 1 {
		return ByteRange{}, false
	}
	unit, set, _ := strings.Cut(trimOWS(lines[0]), "=")
	if !equalFold(unit, "bytes") {
		return ByteRange{}, false
	}
	if set != "" && isOWS(set[0]) && !strings.HasPrefix(trimOWS(set), ",") {
		return ByteRange{}, false // "bytes= 0-1": no comma beside that space
	}
	var spec string
	n := 0
	members([]string{set}, func(member string) bool {
		spec = member
		n++
		return n == 1
	})
	if n != 1 {
		return ByteRange{}, false
	}
	return byteRange(spec)
}

// byteRange reads one range-spec (RFC 9110 §14.1.1).
func byteRange(spec string) (ByteRange, bool) {
	from, to, ok := strings.Cut(spec, "-")
	if !ok || from == "" && to == "" {
		return ByteRange{}, false
	}
	r := ByteRange{-1, -1}
	if from != "" {
		if r.First, ok = position(from); !ok {
			return ByteRange{}, false
		}
	}
	if to != "" {
		if r.Last, ok = position(to); !ok {
			return ByteRange{}, false
		}
	}
	if from != "" && to != "" && r.First > r.Last {
		return ByteRange{}, false // RFC 9110 §14.1.1: invalid
	}
	return r, true
}

// Of returns the bytes that r selects of a representation of size bytes, if any
// (RFC 9110 §14.1.2). Of an unknown size, -1, only a range with both ends
// selects any: what they are if they exist.
func (r ByteRange) Of(size int64) (Span, bool) {
	s := Span(r)
	switch {
	case size < -1 || r.First < -1 || r.Last < -1:
		return Span{}, false
	case size == -1: // as it is
	case r.First == -1:
		s = Span{max(size-r.Last, 0), size - 1}
		if r.Last < 1 {
			return Span{}, false
		}
	case r.First >= size:
		return Span{}, false
	case r.Last == -1 || r.Last >= size:
		s.Last = size - 1
	}
	if !s.valid() {
		return Span{}, false
	}
	return s, true
}

// ContentRange reads the Content-Range of a 206 with one part (RFC 9110 §14.4).
// size is that of the whole representation, -1 if it is not known. The form for
// a range that cannot be satisfied, and an end at or beyond size, are not ok.
func ContentRange(h http.Header) (s Span, size int64, ok bool) {
	lines := h["Content-Range"]
	if len(lines) != 1 {
		return Span{}, 0, false
	}
	unit, rest, _ := strings.Cut(trimOWS(lines[0]), " ")
	bounds, whole, slash := strings.Cut(rest, "/")
	from, to, dash := strings.Cut(bounds, "-")
	if !equalFold(unit, "bytes") || !slash || !dash {
		return Span{}, 0, false
	}
	first, ok1 := position(from)
	last, ok2 := position(to)
	size, ok3 := int64(-1), whole == "*"
	if !ok3 {
		size, ok3 = position(whole)
	}
	if s = (Span{first, last}); !ok1 || !ok2 || !ok3 || !s.valid() || size != -1 && last >= size {
		return Span{}, 0, false
	}
	return s, size, true
}

// Missing returns the one span to ask for where have is stored and want is
// wanted (RFC 9111 §3.3, §3.4): with have it covers want without a gap, and has no
// byte of have. There is none where have is far from want, covers it, or leaves
// something of it on both sides.
func Missing(have, want Span) (Span, bool) {
	if !have.valid() || !want.valid() {
		return Span{}, false
	}
	before, behind := have.First <= want.First, want.Last <= have.Last
	switch {
	case before == behind: // covers, or lies within
		return Span{}, false
	case before && have.Last >= want.First-1:
		return Span{have.Last + 1, want.Last}, true
	case behind && have.First <= want.Last+1:
		return Span{want.First, have.First - 1}, true
	}
	return Span{}, false
}

// CountRanges returns how many ranges a Range field asks for at most: its
// members, empty ones too, over all lines. It is 0 if there is no line.
func CountRanges(lines []string) int {
	n := len(lines)
	for _, line := range lines {
		n += strings.Count(line, ",")
	}
	return n
}

// IfRange tells whether the condition of an If-Range, line, holds for the stored
// response, so that Range counts (RFC 9110 §13.1.5).
//
// An entity tag is compared strongly. A date must be the stored Last-Modified byte
// for byte, and that one must be strong by §8.8.2.2: followed by a Date at least
// one second later (RFC 7232 said 60). A handler takes both from one clock, which
// is what the section asks beyond that. The Date must be an IMF-fixdate, as all
// senders now write it: another form has no century of its own.
func IfRange(line string, stored http.Header) bool {
	line = trimOWS(line)
	if _, ok := opaqueTag(line); ok {
		tag, strong := StrongETag(stored)
		return strong && tag == line
	}
	value, ok := sameLines(stored["Last-Modified"])
	if !ok || value != line {
		return false
	}
	value, ok = sameLines(stored["Date"])
	if !ok {
		return false
	}
	date, ok := parseIMF(value)
	if !ok {
		return false
	}
	modified, ok := ParseDate(line, date)
	return ok && !date.Before(modified.Add(time.Second))
}

// position reads a number of bytes: digits only, below math.MaxInt64.
func position(s string) (int64, bool) {
	var n int64
	for i := range len(s) {
		c := s[i]
		if c < '0' || '9' < c {
			return 0, false
		}
		d := int64(c - '0')
		if n > (math.MaxInt64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, s != ""
}
