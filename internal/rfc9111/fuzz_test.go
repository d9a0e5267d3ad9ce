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
		{"a,b", " a \t, b"}, {"a\nb", "a,b"}, {"\"a\nb\"", "\"a,b\""}, {"", "a"}, {"a%2Cb", "a,b"}, {"a&X=b", "a"}, {"en, DE;q=0.5", "de ; Q=0.5,en"}, {"a,", "a"},
	} {
		f.Add(seed[0], seed[1], seed[1], seed[0], uint8(15))
		f.Add(seed[0], seed[0], seed[1], seed[1], uint8(15))
		f.Add(seed[0], "", seed[1], "", uint8(5))
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
	f.Fuzz(func(t *testing.T, cc, expires, date, age, modified string, clock, took int64, status int) {
		received := time.Unix(within(clock, maxUnix), within(took, 1e9)).UTC()
		requested := received.Add(-time.Duration(took))
		h := http.Header{}
		for name, value := range map[string]string{"Cache-Control": cc, "Expires": expires, "Date": date, "Age": age, "Last-Modified": modified} {
			if value != "" {
				h[name] = []string{value}
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

func (m model) lifetime() (time.Duration, bool) {
	switch {
	case m.c.Has&SMaxAge != 0:
		return m.c.SMaxAge, true
	case m.c.Has&MaxAge != 0:
		return m.c.MaxAge, true
	case len(m.h["Expires"]) == 0:
		return 0, false
	}
	expires, ok := refDate(m.h["Expires"][0], m.received)
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
	modified, ok := refDate(m.h["Last-Modified"][0], m.received)
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
