package rfc9111

import (
	"math"
	"net/http"
	"testing"
)

var rangeCases = []struct {
	name  string
	lines []string
	want  ByteRange
	ok    bool
}{
	{"absent", nil, ByteRange{}, false},
	{"both ends", []string{"bytes=0-499"}, ByteRange{0, 499}, true},
	{"one byte", []string{"bytes=7-7"}, ByteRange{7, 7}, true},
	{"to the end", []string{"bytes=500-"}, ByteRange{500, -1}, true},
	{"suffix", []string{"bytes=-500"}, ByteRange{-1, 500}, true},
	{"suffix of nothing", []string{"bytes=-0"}, ByteRange{-1, 0}, true},
	{"unit in any case", []string{"BytES=0-1"}, ByteRange{0, 1}, true},
	{"unit of letters beyond ASCII", []string{"byteſ=0-1"}, ByteRange{}, false},
	{"leading zeros", []string{"bytes=000000000000000000000000-01"}, ByteRange{0, 1}, true},
	{"empty members", []string{"bytes=, ,\t0-1 ,,"}, ByteRange{0, 1}, true},
	{"space before a comma", []string{"bytes= ,0-1"}, ByteRange{0, 1}, true},
	{"space about the line", []string{" bytes=0-1\t"}, ByteRange{0, 1}, true},
	{"space behind =", []string{"bytes= 0-1"}, ByteRange{}, false},
	{"tab behind =", []string{"bytes=\t0-1"}, ByteRange{}, false},
	{"space before =", []string{"bytes =0-1"}, ByteRange{}, false},
	{"space in between", []string{"bytes=0 -1"}, ByteRange{}, false},
	{"space in between, behind", []string{"bytes=0- 1"}, ByteRange{}, false},
	{"two ranges", []string{"bytes=0-1,2-3"}, ByteRange{}, false},
	{"same range twice", []string{"bytes=0-1,0-1"}, ByteRange{}, false},
	{"two lines", []string{"bytes=0-1", "bytes=0-1"}, ByteRange{}, false},
	{"second line empty", []string{"bytes=0-1", ""}, ByteRange{}, false},
	{"empty line", []string{""}, ByteRange{}, false},
	{"no range", []string{"bytes="}, ByteRange{}, false},
	{"no range, commas", []string{"bytes=,,"}, ByteRange{}, false},
	{"unit alone", []string{"bytes"}, ByteRange{}, false},
	{"another unit", []string{"items=0-1"}, ByteRange{}, false},
	{"dash alone", []string{"bytes=-"}, ByteRange{}, false},
	{"no dash", []string{"bytes=5"}, ByteRange{}, false},
	{"two dashes", []string{"bytes=0-1-2"}, ByteRange{}, false},
	{"negative suffix", []string{"bytes=--5"}, ByteRange{}, false},
	{"sign", []string{"bytes=+0-1"}, ByteRange{}, false},
	{"letters", []string{"bytes=a-b"}, ByteRange{}, false},
	{"digits beyond ASCII", []string{"bytes=٣-"}, ByteRange{}, false},
	{"end before start", []string{"bytes=5-4"}, ByteRange{}, false},
	{"largest", []string{"bytes=0-9223372036854775806"}, ByteRange{0, math.MaxInt64 - 1}, true},
	{"a length beyond int64", []string{"bytes=0-9223372036854775807"}, ByteRange{}, false},
	{"beyond int64", []string{"bytes=0-9223372036854775808"}, ByteRange{}, false},
	{"far beyond int64", []string{"bytes=99999999999999999999999-"}, ByteRange{}, false},
	{"suffix beyond int64", []string{"bytes=-99999999999999999999999"}, ByteRange{}, false},
}

func TestA18_OneRange(t *testing.T) {
	for _, c := range rangeCases {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := OneRange(c.lines); got != c.want || ok != c.ok {
				t.Errorf("OneRange(%q) = %v, %t, want %v, %t", c.lines, got, ok, c.want, c.ok)
			}
		})
	}
}

func TestA18_Of(t *testing.T) {
	for _, c := range []struct {
		name string
		r    ByteRange
		size int64
		want Span
		ok   bool
	}{
		{"within", ByteRange{2, 4}, 10, Span{2, 4}, true},
		{"all", ByteRange{0, 9}, 10, Span{0, 9}, true},
		{"last clamped", ByteRange{8, 99}, 10, Span{8, 9}, true},
		{"to the end", ByteRange{8, -1}, 10, Span{8, 9}, true},
		{"first is the size", ByteRange{10, -1}, 10, Span{}, false},
		{"first beyond the size", ByteRange{11, 12}, 10, Span{}, false},
		{"suffix", ByteRange{-1, 3}, 10, Span{7, 9}, true},
		{"suffix longer than all", ByteRange{-1, 99}, 10, Span{0, 9}, true},
		{"suffix of nothing", ByteRange{-1, 0}, 10, Span{}, false},
		{"of nothing", ByteRange{0, -1}, 0, Span{}, false},
		{"of nothing, both ends", ByteRange{0, 0}, 0, Span{}, false},
		{"suffix of nothing at all", ByteRange{-1, 5}, 0, Span{}, false},
		{"size unknown", ByteRange{2, 4}, -1, Span{2, 4}, true},
		{"size unknown, to the end", ByteRange{2, -1}, -1, Span{}, false},
		{"size unknown, suffix", ByteRange{-1, 2}, -1, Span{}, false},
		{"made by hand: nothing", ByteRange{-1, -1}, 10, Span{}, false},
		{"made by hand: backwards", ByteRange{5, 4}, 10, Span{}, false},
		{"made by hand: negative", ByteRange{-2, 4}, 10, Span{}, false},
		{"made by hand: size negative", ByteRange{2, 4}, -2, Span{}, false},
		{"made by hand: largest", ByteRange{0, math.MaxInt64}, -1, Span{}, false},
		{"made by hand: least", ByteRange{math.MinInt64, math.MinInt64}, math.MaxInt64, Span{}, false},
		{"largest size", ByteRange{0, -1}, math.MaxInt64, Span{0, math.MaxInt64 - 1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := c.r.Of(c.size); got != c.want || ok != c.ok {
				t.Errorf("%v.Of(%d) = %v, %t, want %v, %t", c.r, c.size, got, ok, c.want, c.ok)
			}
		})
	}
}

var contentRangeCases = []struct {
	name  string
	lines []string
	want  Span
	size  int64
	ok    bool
}{
	{"absent", nil, Span{}, 0, false},
	{"of a known size", []string{"bytes 2-4/10"}, Span{2, 4}, 10, true},
	{"of an unknown size", []string{"bytes 2-4/*"}, Span{2, 4}, -1, true},
	{"all", []string{"bytes 0-9/10"}, Span{0, 9}, 10, true},
	{"unit in any case", []string{" BYTES 0-9/10 "}, Span{0, 9}, 10, true},
	{"another unit", []string{"items 0-9/10"}, Span{}, 0, false},
	{"unsatisfied", []string{"bytes */10"}, Span{}, 0, false},
	{"end is the size", []string{"bytes 0-10/10"}, Span{}, 0, false},
	{"end beyond the size", []string{"bytes 0-11/10"}, Span{}, 0, false},
	{"of nothing", []string{"bytes 0-0/0"}, Span{}, 0, false},
	{"backwards", []string{"bytes 4-2/10"}, Span{}, 0, false},
	{"no size", []string{"bytes 0-9"}, Span{}, 0, false},
	{"empty size", []string{"bytes 0-9/"}, Span{}, 0, false},
	{"no end", []string{"bytes 0-/10"}, Span{}, 0, false},
	{"no start", []string{"bytes -9/10"}, Span{}, 0, false},
	{"as in Range", []string{"bytes=0-9/10"}, Span{}, 0, false},
	{"two spaces", []string{"bytes  0-9/10"}, Span{}, 0, false},
	{"tab", []string{"bytes\t0-9/10"}, Span{}, 0, false},
	{"spaces within", []string{"bytes 0 - 9/10"}, Span{}, 0, false},
	{"sign", []string{"bytes +0-9/10"}, Span{}, 0, false},
	{"list", []string{"bytes 0-9/10, bytes 0-9/10"}, Span{}, 0, false},
	{"two lines", []string{"bytes 0-9/10", "bytes 0-9/10"}, Span{}, 0, false},
	{"empty", []string{""}, Span{}, 0, false},
	{"largest", []string{"bytes 0-9223372036854775805/9223372036854775806"}, Span{0, math.MaxInt64 - 2}, math.MaxInt64 - 1, true},
	{"beyond int64", []string{"bytes 0-9/9223372036854775808"}, Span{}, 0, false},
	{"a length beyond int64", []string{"bytes 0-9223372036854775807/*"}, Span{}, 0, false},
}

func TestA18_ContentRange(t *testing.T) {
	for _, c := range contentRangeCases {
		t.Run(c.name, func(t *testing.T) {
			got, size, ok := ContentRange(http.Header{"Content-Range": c.lines})
			if got != c.want || size != c.size || ok != c.ok {
				t.Errorf("ContentRange(%q) = %v, %d, %t, want %v, %d, %t", c.lines, got, size, ok, c.want, c.size, c.ok)
			}
		})
	}
}

func TestA18_Span(t *testing.T) {
	s := Span{2, 4}
	if s.Len() != 3 || (Span{0, math.MaxInt64 - 1}).Len() != math.MaxInt64 {
		t.Errorf("Len: got %d and %d", s.Len(), Span{0, math.MaxInt64 - 1}.Len())
	}
	for other, want := range map[Span]bool{{2, 4}: true, {3, 3}: true, {1, 4}: false, {2, 5}: false, {5, 6}: false, {0, 1}: false} {
		if s.Contains(other) != want {
			t.Errorf("%v.Contains(%v) = %t, want %t", s, other, !want, want)
		}
	}
}

func TestA18_Missing(t *testing.T) {
	for _, c := range []struct {
		name             string
		have, want, more Span
		ok               bool
	}{
		{"the end is missing", Span{0, 4}, Span{2, 9}, Span{5, 9}, true},
		{"the end is missing, same start", Span{2, 4}, Span{2, 9}, Span{5, 9}, true},
		{"the start is missing", Span{5, 9}, Span{2, 7}, Span{2, 4}, true},
		{"the start is missing, same end", Span{5, 9}, Span{2, 9}, Span{2, 4}, true},
		{"adjoins before", Span{0, 4}, Span{5, 9}, Span{5, 9}, true},
		{"adjoins behind", Span{5, 9}, Span{0, 4}, Span{0, 4}, true},
		{"one byte between, before", Span{0, 3}, Span{5, 9}, Span{}, false},
		{"one byte between, behind", Span{6, 9}, Span{0, 4}, Span{}, false},
		{"there already", Span{0, 9}, Span{2, 4}, Span{}, false},
		{"the same", Span{2, 4}, Span{2, 4}, Span{}, false},
		{"missing on both sides", Span{4, 5}, Span{2, 9}, Span{}, false},
		{"backwards have", Span{4, 0}, Span{2, 9}, Span{}, false},
		{"backwards want", Span{0, 4}, Span{9, 2}, Span{}, false},
		{"negative", Span{-3, 4}, Span{2, 9}, Span{}, false},
		{"at the end of int64", Span{0, 4}, Span{5, math.MaxInt64}, Span{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := Missing(c.have, c.want); got != c.more || ok != c.ok {
				t.Errorf("Missing(%v, %v) = %v, %t, want %v, %t", c.have, c.want, got, ok, c.more, c.ok)
			}
		})
	}
}

func TestA18_CountRanges(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  int
	}{
		{"absent", nil, 0},
		{"one", []string{"bytes=0-1"}, 1},
		{"three", []string{"bytes=0-1,2-3, 4-5"}, 3},
		{"all lines", []string{"bytes=0-1,2-3", "bytes=4-5"}, 3},
		{"empty members count", []string{",,,"}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CountRanges(c.lines); got != c.want {
				t.Errorf("CountRanges(%q) = %d, want %d", c.lines, got, c.want)
			}
		})
	}
}

func TestA18_IfRange(t *testing.T) {
	const monday, mondayToo = "Mon, 04 Mar 2030 05:06:07 GMT", "Monday, 04-Mar-30 05:06:07 GMT"
	modified := "Last-Modified: " + monday
	for _, c := range []struct {
		name, line string
		stored     http.Header
		want       bool
	}{
		{"same tag", `"a"`, header(`Etag: "a"`), true},
		{"space about it", ` "a" `, header(`Etag: "a"`), true},
		{"another tag", `"b"`, header(`Etag: "a"`), false},
		{"no tag stored", `"a"`, header(modified), false},
		{"weak on both sides", `W/"a"`, header(`Etag: W/"a"`), false},
		{"weak asked", `W/"a"`, header(`Etag: "a"`), false},
		{"weak stored", `"a"`, header(`Etag: W/"a"`), false},
		{"list", `"a", "b"`, header(`Etag: "a"`), false},
		{"star", "*", header(`Etag: "a"`), false},
		{"malformed on both sides", "a", header("Etag: a"), false},
		{"date, a second old", monday, header(modified, "Date: "+at(s)), true},
		{"date, as old as the response", monday, header(modified, "Date: "+at(0)), false},
		{"date later than the response", monday, header(modified, "Date: "+at(-s)), false},
		{"date without a Date", monday, header(modified), false},
		{"date, Date malformed", monday, header(modified, "Date: x"), false},
		{"date, Dates that differ", monday, header(modified, "Date: "+at(s), "Date: "+at(2*s)), false},
		{"date, Date of two-digit year", monday, header(modified, "Date: Tuesday, 05-Mar-30 05:06:07 GMT"), false},
		{"date in an old form on both sides", mondayToo, header("Last-Modified: "+mondayToo, "Date: "+at(s)), true},
		{"date in another form", mondayToo, header(modified, "Date: "+at(s)), false},
		{"an earlier date", at(-s), header(modified, "Date: "+at(s)), false},
		{"a later date", at(s), header(modified, "Date: "+at(5*s)), false},
		{"no Last-Modified stored", monday, header(`Etag: "a"`, "Date: "+at(s)), false},
		{"no date on both sides", "x", header("Last-Modified: x", "Date: "+at(s)), false},
		{"empty", "", header(`Etag: "a"`, "Last-Modified: ", "Date: "+at(s)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := IfRange(c.line, c.stored); got != c.want {
				t.Errorf("IfRange(%q, %v) = %t, want %t", c.line, c.stored, got, c.want)
			}
		})
	}
}
