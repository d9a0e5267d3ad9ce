package rfc9111

import (
	"math"
	"math/big"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func FuzzControl(f *testing.F) {
	for _, c := range controlCases {
		f.Add(strings.Join(c.lines, "\n"))
	}
	f.Add(`no-cache="a, b", private="\"", max-age="6\0"`)
	f.Fuzz(func(t *testing.T, field string) {
		lines := strings.Split(field, "\n")
		got, want := ParseControl(lines), refControl(lines)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("ParseControl(%q)\n got %+v\nwant %+v", lines, got, want)
		}
		got = RequestControl(http.Header{"Cache-Control": lines, "Pragma": {"no-cache"}})
		if want.Is(NoCacheFields) {
			want.Has |= NoCache
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("RequestControl(%q)\n got %+v\nwant %+v", lines, got, want)
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun Nov 16 08:49:37 1994",
		"sun, 06 nov 1994 08:49:37 gMT", "Sunday, 06-Nov-76 08:49:37 gmt", "Sun, 06  Nov 1994 8:49:37 GMT", "Sunday, 29-Feb-00 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37.5 EST", "Sun, 31 Apr 0000 23:59:60 GMT", "ſunday, 06-Nov-94 08:49:37 GMT",
	} {
		f.Add(seed, int64(1_800_000_000))
	}
	f.Fuzz(func(t *testing.T, in string, clock int64) {
		now := time.Unix(within(clock, maxUnix-100*366*86400), 0).UTC()
		for _, form := range []string{http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
			text := now.Format(form)
			if clock%2 == 0 {
				text = strings.ToLower(text)
			}
			if got, ok := ParseDate(text, now); !ok || !got.Equal(now) {
				t.Fatalf("ParseDate(%q) = %v, %t, want %v", text, got, ok, now)
			}
		}
		got, ok := ParseDate(in, now)
		want, wantOK := refDate(in, now)
		if ok != wantOK || ok && !got.Equal(want) {
			t.Fatalf("ParseDate(%q) = %v, %t, want %v, %t", in, got, ok, want, wantOK)
		}
		if !ok {
			return
		}
		// net/http refuses the zone in any case but one, and reads years of
		// two digits its own way.
		theirs, err := http.ParseTime(in[:len(in)-3] + strings.ToUpper(in[len(in)-3:]))
		if err != nil {
			t.Fatalf("http.ParseTime(%q): %v, we say %v", in, err, got)
		}
		if strings.Count(in, "-") == 2 {
			century := (got.Year() - theirs.Year()) / 100
			theirs = theirs.AddDate(100*century, 0, 0)
		}
		if !got.Equal(theirs) {
			t.Fatalf("ParseDate(%q) = %v, http.ParseTime says %v", in, got, theirs)
		}
	})
}

func FuzzVary(f *testing.F) {
	for _, seed := range []string{"", "*", "Accept, cookie\naccept", "a,,b", "Accept Encoding", "Äccept", "\"a,b\"", "a\n*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		lines := strings.Split(field, "\n")
		names, star := Vary(http.Header{"Vary": lines})
		var want []string
		wantStar := false
		for _, member := range strings.Split(strings.Join(lines, ","), ",") {
			switch member = strings.Trim(member, " \t"); {
			case member == "":
			case member == "*", !refToken.MatchString(member):
				wantStar = true
			default:
				want = append(want, http.CanonicalHeaderKey(member))
			}
		}
		slices.Sort(want)
		if want = slices.Compact(want); wantStar {
			want = nil
		}
		if star != wantStar || !slices.Equal(names, want) {
			t.Fatalf("Vary(%q) = %q, %t, want %q, %t", lines, names, star, want, wantStar)
		}
	})
}

// FuzzSelecting: two requests have one form if and only if they select alike.
func FuzzSelecting(f *testing.F) {
	for _, seed := range [][2]string{
		{"a,b", " a \t, b"}, {"a\nb", "a,b"}, {"\"a\nb\"", "\"a,b\""}, {"", "a"}, {"a%2Cb", "a,b"}, {"a&X=b", "a"}, {"en, DE;q=0.5", "de ; Q=0.5,en"}, {"a,", "a"}, {"en, de", "de"}, {"en, de", "en, fr"}, {"en", "en-us"},
	} {
		f.Add(seed[0], seed[1], seed[1], seed[0], uint8(15))
		f.Add(seed[0], seed[0], seed[1], seed[1], uint8(15))
		f.Add(seed[0], "", seed[1], "", uint8(5))
		f.Add("", seed[0], "", seed[1], uint8(10))
		f.Add(seed[0], seed[0], seed[0], seed[0], uint8(7)) // absent in the second
	}
	f.Fuzz(func(t *testing.T, foo1, lang1, foo2, lang2 string, present uint8) {
		names := []string{"Accept-Language", "Foo"}
		request := func(foo, lang string, present uint8) http.Header {
			h := http.Header{}
			if present&1 != 0 {
				h["Foo"] = strings.Split(foo, "\n")
			}
			if present&2 != 0 {
				h["Accept-Language"] = strings.Split(lang, "\n")
			}
			return h
		}
		a, b := request(foo1, lang1, present), request(foo2, lang2, present>>2)
		same := true
		for _, name := range names {
			inA, listA := refSelecting(name, a[name])
			inB, listB := refSelecting(name, b[name])
			same = same && inA == inB && slices.Equal(listA, listB)
		}
		formA, formB := string(AppendSelecting(nil, a, names)), string(AppendSelecting(nil, b, names))
		if (formA == formB) != same {
			t.Fatalf("%q → %s\n%q → %s\nwant same = %t", a, formA, b, formB, same)
		}
		if list, open := refList(a["Foo"]); !open && len(list) > 0 {
			a["Foo"] = []string{strings.Join(list, " ,\t ")}
			if spaced := string(AppendSelecting(nil, a, names)); spaced != formA {
				t.Fatalf("%q → %s, with spaces and in one line %s", list, formA, spaced)
			}
		}
		if i := strings.IndexAny(formA, "*?[]{}\\ \t\r\n\x00"); i >= 0 {
			t.Fatalf("%s holds %q", formA, formA[i])
		}
	})
}

// maxUnix is the end of the year 9999, where HTTP dates end too.
const maxUnix = 253402300800

// within maps n into [0, bound).
func within(n, bound int64) int64 { return (n%bound + bound) % bound }

// FuzzFreshness holds Lifetime, Heuristic and InitialAge against the formulas
// of the RFC in nanoseconds without bound.
func FuzzFreshness(f *testing.F) {
	const day = "Thu, 01 Jan 1970 00:00:00 GMT"
	f.Add("max-age=60", "", "", "10", "", int64(100), int64(2), 200)
	f.Add("s-maxage=99999999999, max-age=x", "", "", "99999999999999", "", int64(100), int64(2e9), 200)
	f.Add("", "Fri, 31 Dec 9999 23:59:59 GMT", day, "", "", int64(100), int64(2e9), 200)
	f.Add("public", "", day, "5, 6", "Mon, 01 Jan 0001 00:00:00 GMT", int64(maxUnix-1), int64(1), 201)
	f.Add("", "0", "x", "1.5", day, int64(1e9), int64(-1), 404)
	f.Add("", "", "", "", day, int64(1e9), int64(1.5e9), 404)
	f.Add("max-age=5\ns-maxage=6", "0\n1", day+"\n0", "7\n8", day+"\n"+day, int64(1e9), int64(0), 200)
	f.Add("", "Fri, 31 Dec 9999 23:59:59 GMT\n"+day, "", "", "", int64(1e9), int64(0), 200)
	f.Add("", "Fri, 31 Dec 9999 23:59:59 GMT\nFri, 31 Dec 9999 23:59:59 GMT", "", "", "", int64(1e9), int64(0), 200)
	f.Add("", "", "", "", day+"\n0", int64(1e9), int64(0), 200)
	f.Fuzz(func(t *testing.T, cc, expires, date, age, modified string, clock, took int64, status int) {
		received := time.Unix(within(clock, maxUnix), within(took, 1e9)).UTC()
		requested := received.Add(-time.Duration(took))
		h := http.Header{}
		for name, value := range map[string]string{"Cache-Control": cc, "Expires": expires, "Date": date, "Age": age, "Last-Modified": modified} {
			if value != "" {
				h[name] = strings.Split(value, "\n")
			}
		}
		c := refControl(h["Cache-Control"])
		m := model{h, c, received, requested}

		life, explicit := Lifetime(h, ParseControl(h["Cache-Control"]), received)
		wantLife, wantExplicit := m.lifetime()
		if life != wantLife || explicit != wantExplicit {
			t.Errorf("Lifetime(%q) = %v, %t, want %v, %t", h, life, explicit, wantLife, wantExplicit)
		}
		life, ok := Heuristic(status, h, ParseControl(h["Cache-Control"]), received)
		wantLife, wantOK := m.heuristic(status)
		if life != wantLife || ok != wantOK {
			t.Errorf("Heuristic(%d, %q) = %v, %t, want %v, %t", status, h, life, ok, wantLife, wantOK)
		}
		if got, want := InitialAge(h, requested, received), m.initialAge(); got != want {
			t.Errorf("InitialAge(%q) = %v, want %v", h, got, want)
		}
	})
}

// A model does the sums of RFC 9111 §4.2 with big.Int.
type model struct {
	h                   http.Header
	c                   Control
	received, requested time.Time
}

func nanos(t time.Time) *big.Int {
	n := big.NewInt(t.Unix())
	return n.Mul(n, big.NewInt(1e9)).Add(n, big.NewInt(int64(t.Nanosecond())))
}

// bounded brings n between 0 and 2^31 s.
func bounded(n *big.Int) time.Duration {
	if n.Sign() < 0 {
		return 0
	}
	if limit := big.NewInt(1 << 31 * 1e9); n.Cmp(limit) > 0 {
		n = limit
	}
	return time.Duration(n.Int64())
}

func (m model) date() (t time.Time, ok bool) {
	if len(m.h["Date"]) == 0 {
		return m.received, false
	}
	if t, ok = refDate(m.h["Date"][0], m.received); !ok {
		return m.received, false
	}
	return t, true
}

// single is the date in a field, which lines that differ are none.
func (m model) single(name string) (time.Time, bool) {
	if lines := slices.Compact(slices.Clone(m.h[name])); len(lines) > 1 {
		return time.Time{}, false
	}
	return refDate(m.h[name][0], m.received)
}

func (m model) lifetime() (time.Duration, bool) {
	switch {
	case m.c.Has&SMaxAge != 0:
		return m.c.SMaxAge, true
	case m.c.Has&MaxAge != 0:
		return m.c.MaxAge, true
	case len(m.h["Expires"]) == 0:
		return 0, false
	}
	expires, ok := m.single("Expires")
	if !ok {
		return 0, true
	}
	date, _ := m.date()
	return bounded(new(big.Int).Sub(nanos(expires), nanos(date))), true
}

func (m model) heuristic(status int) (time.Duration, bool) {
	listed := strings.Contains(" 200 203 204 300 301 308 404 405 410 414 501 ", " "+big.NewInt(int64(status)).String()+" ")
	barred := status < 200 || status > 599 || strings.Contains(" 206 304 428 429 431 511 ", " "+big.NewInt(int64(status)).String()+" ")
	if _, explicit := m.lifetime(); explicit || !listed && (barred || m.c.Has&Public == 0) || len(m.h["Last-Modified"]) == 0 {
		return 0, false
	}
	modified, ok := m.single("Last-Modified")
	date, _ := m.date()
	since := new(big.Int).Sub(nanos(date), nanos(modified))
	if !ok || since.Sign() < 0 {
		return 0, false
	}
	if limit := big.NewInt(math.MaxInt64); since.Cmp(limit) > 0 {
		since = limit // documented: more than 292 years count as 292
	}
	return bounded(since.Div(since, big.NewInt(10))), true
}

func (m model) initialAge() time.Duration {
	value := big.NewInt(0)
	if lines := m.h["Age"]; len(lines) > 0 {
		list, _ := refList(lines[:1])
		if age, ok := refSeconds(list[0]); ok && !strings.HasPrefix(list[0], `"`) {
			value.SetInt64(int64(age))
		}
	}
	delay := new(big.Int).Sub(nanos(m.received), nanos(m.requested))
	if delay.Sign() > 0 {
		value.Add(value, delay)
	}
	if date, ok := m.date(); ok {
		apparent := new(big.Int).Sub(big.NewInt(m.received.Unix()), big.NewInt(date.Unix()))
		if apparent.Mul(apparent, big.NewInt(1e9)); apparent.Cmp(value) > 0 {
			value = apparent
		}
	}
	return bounded(value)
}

// FuzzValidators holds StrongETag against the grammar, and what must follow
// from it against the rest.
func FuzzValidators(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a"`, `""`, "\"\xe4\"", `"a b"`, `"a"b"`, `"a", "b"`, "a", "\"a\"\n\"a\"", "\"a\"\n\"b\"", "Sun, 06 Nov 1994 08:49:37 GMT"} {
		f.Add(seed, seed, "Sun, 06 Nov 1994 08:49:38 GMT")
		f.Add(seed, `"a"`, "Sun, 06 Nov 1994 08:49:37 GMT")
	}
	f.Fuzz(func(t *testing.T, a, b, date string) {
		stored := http.Header{"Etag": strings.Split(a, "\n"), "Last-Modified": {a}, "Date": {date}}
		update := http.Header{"Etag": strings.Split(b, "\n")}
		tag, strong := StrongETag(stored)
		if want := strings.Trim(a, " \t"); strong != refStrong(want) || strong && tag != want {
			t.Fatalf("StrongETag(%q) = %q, %t", a, tag, strong)
		}
		other, otherStrong := StrongETag(update)
		confirms := Confirms(stored, update)
		switch {
		case strong && otherStrong && confirms != (tag == other):
			t.Fatalf("Confirms(%q, %q) = %t", a, b, confirms)
		case confirms && !Describes(stored, 0, update):
			t.Fatalf("a 304 with %q confirms %q, and a HEAD does not", b, a)
		case IfRange(b, stored) && strings.Trim(a, " \t") != strings.Trim(b, " \t"):
			t.Fatalf("IfRange(%q) holds for %q", b, a)
		case strong && otherStrong && IfRange(b, stored) != (tag == other):
			t.Fatalf("IfRange(%q) = %t for %q", b, !(tag == other), a)
		case strings.Contains(b, "W/") && IfRange(b, stored):
			t.Fatalf("IfRange(%q) holds", b)
		}
	})
}

// FuzzRange holds ranges against bitmaps of small representations.
func FuzzRange(f *testing.F) {
	for _, c := range rangeCases {
		f.Add(strings.Join(c.lines, "\n"), "bytes 2-4/10", uint8(10), uint8(0), uint8(4), uint8(5), uint8(9))
	}
	for _, c := range contentRangeCases {
		f.Add("bytes=-3", strings.Join(c.lines, "\n"), uint8(10), uint8(5), uint8(9), uint8(2), uint8(7))
	}
	for first := range uint8(8) {
		for last := range uint8(8) {
			f.Add("bytes=0-", "bytes 0-1/2", uint8(6), uint8(2), uint8(5), first, last)
		}
	}
	f.Fuzz(func(t *testing.T, field, part string, size, a, b, c, d uint8) {
		lines := strings.Split(field, "\n")
		r, ok := OneRange(lines)
		want, wantOK := refRange(field)
		if wantOK = wantOK && len(lines) == 1; !wantOK {
			want = ByteRange{}
		}
		if r != want || ok != wantOK {
			t.Fatalf("OneRange(%q) = %v, %t, want %v, %t", lines, r, ok, want, wantOK)
		}
		if ok && CountRanges(lines) < 1 {
			t.Fatalf("CountRanges(%q) = %d", lines, CountRanges(lines))
		}
		ofBitmap(t, r, int64(size%64))
		ofBitmap(t, ByteRange{int64(a%66) - 1, int64(b%66) - 1}, int64(size%64))
		if s, ok := r.Of(-1); ok != (r.First >= 0 && r.Last >= r.First) || ok && s != Span(r) {
			t.Fatalf("%v.Of(-1) = %v, %t", r, s, ok)
		}

		parts := strings.Split(part, "\n")
		s, whole, ok := ContentRange(http.Header{"Content-Range": parts})
		wantSpan, wantWhole, wantOK := refParts(part)
		if wantOK = wantOK && len(parts) == 1; !wantOK {
			wantSpan, wantWhole = Span{}, 0
		}
		if s != wantSpan || whole != wantWhole || ok != wantOK {
			t.Fatalf("ContentRange(%q) = %v, %d, %t, want %v, %d, %t", parts, s, whole, ok, wantSpan, wantWhole, wantOK)
		}
		if ok && s.Len() < 1 {
			t.Fatalf("ContentRange(%q) has %d bytes", parts, s.Len())
		}

		have, wanted := Span{int64(a % 64), int64(b % 64)}, Span{int64(c % 64), int64(d % 64)}
		more, ok := Missing(have, wanted)
		wantMore, wantOK := refMissing(have, wanted)
		if more != wantMore || ok != wantOK {
			t.Fatalf("Missing(%v, %v) = %v, %t, want %v, %t", have, wanted, more, ok, wantMore, wantOK)
		}
		if ok && !wanted.Contains(more) {
			t.Fatalf("Missing(%v, %v) = %v, which is not wanted", have, wanted, more)
		}
	})
}

// ofBitmap checks what r selects of size bytes.
func ofBitmap(t *testing.T, r ByteRange, size int64) {
	t.Helper()
	got, ok := r.Of(size)
	want, wantOK := refOf(r, size).span()
	if got != want || ok != wantOK {
		t.Fatalf("%v.Of(%d) = %v, %t, want %v, %t", r, size, got, ok, want, wantOK)
	}
}

// roomy makes a header of "Name: value" lines whose slices have room behind
// them, and returns the whole of each slice.
func roomy(text string) (http.Header, map[string][]string) {
	h, all := http.Header{}, map[string][]string{}
	for _, line := range strings.Split(text, "\n") {
		name, value, _ := strings.Cut(line, ":")
		if name = http.CanonicalHeaderKey(name); len(all[name]) < 3 {
			all[name] = append(all[name], value)
		}
	}
	for name, lines := range all {
		whole := make([]string, len(lines)+1)
		copy(whole, lines)
		h[name], all[name] = whole[:len(lines)], whole
	}
	return h, all
}

func FuzzFreshen(f *testing.F) {
	f.Add("Date: a\nAge: 5", "Etag: x")
	f.Add("Date: a\nAge: 5\nEtag: x\nContent-Length: 5\nExpires: 0", "Cache-Control: max-age=1\nContent-Length: 0\nDate: b\nContent-Encoding: br")
	f.Add("X-A: 1\nX-A: 2\nX-B: 3", "Connection: x-b, te\nX-B: 4\nTrailer: x\nX-A: 5\nx-c: 6")
	f.Add("Connection: x-a\nX-A: 1", "Connection:connection\nConnection: X-A\nContent-Range: bytes */5\nContent-Digest: x\nSet-Cookie: a")
	f.Add("0:", ":\nConnection: ,")
	f.Fuzz(func(t *testing.T, before, after string) {
		stored, storedAll := roomy(before)
		update, updateAll := roomy(after)
		storedWas, updateWas := stored.Clone(), update.Clone()
		h := Freshen(stored, update)
		for name := range h {
			_ = append(h[name], "written behind")
		}
		if !reflect.DeepEqual(stored, storedWas) || !reflect.DeepEqual(update, updateWas) {
			t.Fatalf("wrote to its arguments: %q, %q", stored, update)
		}
		for _, all := range []map[string][]string{storedAll, updateAll} {
			for name, whole := range all {
				if whole[len(whole)-1] != "" {
					t.Fatalf("%s: an append to the result writes into an argument", name)
				}
			}
		}
		want := http.Header{}
		for name, lines := range stored {
			if refPasses(name, stored) && name != "Date" && name != "Age" {
				want[name] = lines
			}
		}
		for name, lines := range update {
			body := name == "Content-Length" || name == "Content-Encoding" || name == "Content-Range" || name == "Content-Digest"
			if refPasses(name, update) && !body {
				want[name] = lines
			}
		}
		if !reflect.DeepEqual(h, want) {
			t.Fatalf("Freshen(%q, %q)\n got %q\nwant %q", stored, update, h, want)
		}
		if again := Freshen(h, update); h["Date"] == nil && h["Age"] == nil && !reflect.DeepEqual(again, h) {
			t.Fatalf("the same update again makes %q of %q", again, h)
		}
	})
}

func FuzzTargeted(f *testing.F) {
	for _, c := range targetedCases {
		f.Add(strings.Join(c.lines, "\n"))
	}
	f.Fuzz(func(t *testing.T, field string) {
		h := http.Header{"A-Cache-Control": strings.Split(field, "\n"), "B-Cache-Control": {"max-age=7"}}
		got, ok := Targeted(h, []string{"A-Cache-Control"})
		want, wantOK := refTargeted(h["A-Cache-Control"])
		if opaque := strings.ContainsAny(field, "%:"); ok && !wantOK || ok != wantOK && !opaque || ok && !reflect.DeepEqual(got, want) {
			t.Fatalf("Targeted(%q)\n got %+v, %t\nwant %+v, %t", field, got, ok, want, wantOK)
		}
		if !ok && !reflect.DeepEqual(got, Control{}) {
			t.Fatalf("Targeted(%q) is void and says %+v", field, got)
		}
		for _, d := range []time.Duration{got.MaxAge, got.SMaxAge, got.StaleWhileRevalidate, got.StaleIfError, got.MaxStale, got.MinFresh} {
			if d < 0 || d > Forever {
				t.Fatalf("Targeted(%q) states %v", field, d)
			}
		}
		if _, ok := Targeted(http.Header{"A": {"Max-age=1, " + field}}, []string{"A"}); ok {
			t.Fatalf("a field with a capital in a key and then %q is not void", field)
		}
		next, nextOK := Targeted(h, []string{"A-Cache-Control", "B-Cache-Control"})
		if !ok {
			got = Control{Has: MaxAge, MaxAge: 7 * s}
		}
		if !nextOK || !reflect.DeepEqual(next, got) {
			t.Fatalf("with another field behind %q: %+v, %t, want %+v", field, next, nextOK, got)
		}
	})
}

func FuzzCodings(f *testing.F) {
	for _, c := range codingCases {
		f.Add(strings.Join(c.lines, "\n"), uint8(7))
	}
	f.Add("x-compress;q=0, *", uint8(15))
	f.Fuzz(func(t *testing.T, field string, which uint8) {
		var produced []string
		for i, coding := range []string{"zstd", "br", "gzip", "compress"} {
			if which>>i&1 != 0 {
				produced = append(produced, coding)
			}
		}
		lines := strings.Split(field, "\n")
		accepts, refusesIdentity := refCodings(lines)
		var want []string
		for _, coding := range produced {
			if accepts(coding) {
				want = append(want, coding)
			}
		}
		if refusesIdentity {
			want = append(want, "identity;q=0")
		}
		form := string(AppendCodings(nil, lines, produced))
		if form != strings.Join(want, ", ") {
			t.Fatalf("AppendCodings(%q) = %q, want %q", lines, form, want)
		}
		if again := string(AppendCodings(nil, []string{form}, produced)); again != form {
			t.Fatalf("AppendCodings(%q) = %q, and of that %q", lines, form, again)
		}
		without := slices.Concat(lines, []string{"gzip;q=0"})
		if form := string(AppendCodings(nil, without, produced)); strings.Contains(form, "gzip") {
			t.Fatalf("AppendCodings(%q) = %q, which has what is refused", without, form)
		}
	})
}
