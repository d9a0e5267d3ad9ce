package rfc9111

import (
	"math/bits"
	"net/http"
	"reflect"
	"testing"
	"time"
)

const s = time.Second

var controlCases = []struct {
	name  string
	lines []string
	want  Control
}{
	{"A2 no field", nil, Control{}},
	{"A2 empty line", []string{""}, Control{}},
	{"A2 empty members", []string{" , ,\t,no-store,"}, Control{Has: NoStore}},
	{"A2 any letter case", []string{"MaX-aGe=60, PUBLIC"}, Control{Has: MaxAge | Public, MaxAge: 60 * s}},
	{"A2 unknown ignored", []string{"foo, bar=1, max-age=60, max-agee=1, stale-while-revalidate-more=9"}, Control{Has: MaxAge, MaxAge: 60 * s}},
	{"A2 several lines", []string{"max-age=60", "s-maxage=5", "public"}, Control{Has: MaxAge | SMaxAge | Public, MaxAge: 60 * s, SMaxAge: 5 * s}},
	{"A2 any order", []string{"s-maxage=5,max-age=60"}, Control{Has: MaxAge | SMaxAge, MaxAge: 60 * s, SMaxAge: 5 * s}},
	{"A2 every response flag", []string{"no-store,no-cache,private,public,must-revalidate,proxy-revalidate,must-understand,no-transform,immutable"},
		Control{Has: NoStore | NoCache | Private | Public | MustRevalidate | ProxyRevalidate | MustUnderstand | NoTransform | Immutable}},

	{"A3 2^31 is the bound", []string{"max-age=2147483648"}, Control{Has: MaxAge, MaxAge: Forever}},
	{"A3 below the bound", []string{"max-age=2147483647"}, Control{Has: MaxAge, MaxAge: Forever - s}},
	{"A3 beyond int64 saturates", []string{"max-age=99999999999999999999999999999999999999"}, Control{Has: MaxAge, MaxAge: Forever}},
	{"A3 leading zeros", []string{"max-age=000000000000000000000000000060"}, Control{Has: MaxAge, MaxAge: 60 * s}},
	{"A3 quoted string is one token", []string{`ext="max-age=3600"`}, Control{}},
	{"A3 comma in a quoted string", []string{`ext="a, max-age=3600, b", max-age=1`}, Control{Has: MaxAge, MaxAge: s}},
	{"A3 escaped quote in a quoted string", []string{`ext="a\", max-age=3600", max-age=1`}, Control{Has: MaxAge, MaxAge: s}},
	{"A3 quoted argument", []string{`max-age="60"`}, Control{Has: MaxAge, MaxAge: 60 * s}},
	{"A3 zero is stated", []string{"max-age=0"}, Control{Has: MaxAge}},
	{"A3 no argument", []string{"max-age"}, Control{Has: MaxAge}},
	{"A3 empty argument", []string{"max-age="}, Control{Has: MaxAge}},
	{"A3 negative", []string{"max-age=-1"}, Control{Has: MaxAge}},
	{"A3 signed", []string{"max-age=+1"}, Control{Has: MaxAge}},
	{"A3 float", []string{"max-age=1.5"}, Control{Has: MaxAge}},
	{"A3 trailing letter", []string{"max-age=60s"}, Control{Has: MaxAge}},
	{"A3 single quotes", []string{"max-age='60'"}, Control{Has: MaxAge}},
	{"A3 space before the number", []string{"max-age= 60"}, Control{Has: MaxAge}},
	{"A3 space before =", []string{"max-age =60"}, Control{Has: MaxAge}},
	{"A3 half-quoted", []string{`max-age=60"`}, Control{Has: MaxAge | NoStore}},
	{"A3 same twice", []string{"max-age=60, max-age=060"}, Control{Has: MaxAge, MaxAge: 60 * s}},
	{"A3 conflict", []string{"max-age=60, max-age=30"}, Control{Has: MaxAge}},
	{"A3 conflict, other order, two lines", []string{"max-age=30", "max-age=60"}, Control{Has: MaxAge}},
	{"A3 conflict stays", []string{"max-age=60, max-age=30, max-age=30"}, Control{Has: MaxAge}},
	{"A3 conflict with invalid", []string{"s-maxage=60, s-maxage=x"}, Control{Has: SMaxAge}},
	{"A3 semicolons", []string{"max-age=60; public"}, Control{Has: MaxAge}},

	{"A7 private", []string{"private, max-age=60"}, Control{Has: Private | MaxAge, MaxAge: 60 * s}},
	{"A7 private behind a semicolon's head", []string{"private; max-age=60"}, Control{Has: Private}},
	{"A7 flag with an argument still forbids", []string{"no-store=1, must-revalidate=true"}, Control{Has: NoStore | MustRevalidate}},
	{"A7 backslash outside of quotes", []string{`foo\, no-store, bar=\"a", private`}, Control{Has: NoStore | Private}},
	{"A7 open quoted string", []string{`ext="a, private`}, Control{Has: NoStore}},
	{"A7 open quoted string ends with its line", []string{`ext="a`, "max-age=1"}, Control{Has: NoStore | MaxAge, MaxAge: s}},
	{"A7 permission with an argument is none", []string{"public=1, immutable=1, must-understand=1, public x"}, Control{}},

	{"A8 no-cache of fields", []string{`no-cache="b, A"`}, Control{Has: NoCacheFields, Fields: []string{"A", "B"}}},
	{"A8 private of fields", []string{`private="set-cookie"`}, Control{Has: PrivateFields, Fields: []string{"Set-Cookie"}}},
	{"A8 both, each field once", []string{`private="a,b"`, `no-cache="B"`}, Control{Has: PrivateFields | NoCacheFields, Fields: []string{"A", "B"}}},
	{"A8 whole beside fields", []string{`no-cache="a", no-cache`}, Control{Has: NoCache | NoCacheFields, Fields: []string{"A"}}},
	{"A8 token form is the whole", []string{"no-cache=set-cookie, private=true"}, Control{Has: NoCache | Private}},
	{"A8 empty list is the whole", []string{`no-cache="", private=" , "`}, Control{Has: NoCache | Private}},
	{"A8 empty argument is the whole", []string{`no-cache=, private=`}, Control{Has: NoCache | Private}},
	{"A8 bad name is the whole", []string{`private="a b"`}, Control{Has: Private}},
	{"A8 quoted pair is the whole", []string{`private="a\b"`}, Control{Has: Private}},
	{"A8 behind the quotes is the whole", []string{`private="a"b`}, Control{Has: Private}},

	{"A19 request", []string{"max-stale=10, min-fresh=5, only-if-cached"}, Control{Has: MaxStale | MinFresh | OnlyIfCached, MaxStale: 10 * s, MinFresh: 5 * s}},
	{"A19 max-stale of any age", []string{"max-stale"}, Control{Has: MaxStale, MaxStale: Forever}},
	{"A19 max-stale bounded beside unbounded", []string{"max-stale=7, max-stale"}, Control{Has: MaxStale, MaxStale: 7 * s}},
	{"A19 max-stale malformed", []string{"max-stale="}, Control{Has: MaxStale}},
	{"A19 max-stale malformed by a space", []string{"max-stale 5"}, Control{Has: MaxStale}},
	{"A19 the greater min-fresh", []string{"min-fresh=3, min-fresh=5, min-fresh=x"}, Control{Has: MinFresh, MinFresh: 5 * s}},

	{"A20 windows", []string{"stale-while-revalidate=30, stale-if-error=86400"}, Control{Has: StaleWhileRevalidate | StaleIfError, StaleWhileRevalidate: 30 * s, StaleIfError: 86400 * s}},
	{"A20 the smaller window", []string{"stale-while-revalidate=30, stale-while-revalidate=10, stale-if-error=1, stale-if-error=9"}, Control{Has: StaleWhileRevalidate | StaleIfError, StaleWhileRevalidate: 10 * s, StaleIfError: s}},
	{"A20 malformed window is none", []string{"stale-while-revalidate, stale-if-error=forever"}, Control{Has: StaleWhileRevalidate | StaleIfError}},
}

func TestParseControl(t *testing.T) {
	for _, c := range controlCases {
		t.Run(c.name, func(t *testing.T) {
			if got := ParseControl(c.lines); !reflect.DeepEqual(got, c.want) {
				t.Errorf("ParseControl(%q)\n got %+v\nwant %+v", c.lines, got, c.want)
			}
		})
	}
}

func TestRequestControl(t *testing.T) {
	for _, c := range []struct {
		name string
		h    http.Header
		want Directives
	}{
		{"A19 nothing", http.Header{}, 0},
		{"A19 a field is not a bypass", http.Header{"Cache-Control": {"max-age=60"}}, MaxAge},
		{"A19 Pragma alone", http.Header{"Pragma": {"No-Cache"}}, NoCache},
		{"A19 Pragma in a list", http.Header{"Pragma": {"foo", `x="no-cache", no-cache`}}, NoCache},
		{"A19 Pragma of another kind", http.Header{"Pragma": {`foo, "no-cache", no-store`}}, 0},
		{"A19 Pragma beside Cache-Control", http.Header{"Pragma": {"no-cache"}, "Cache-Control": {"max-stale=1"}}, MaxStale},
		{"A19 Pragma beside an empty Cache-Control", http.Header{"Pragma": {"no-cache"}, "Cache-Control": {""}}, 0},
		{"A19 no-cache with names", http.Header{"Cache-Control": {`no-cache="a"`}}, NoCache | NoCacheFields},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := RequestControl(c.h).Has; got != c.want {
				t.Errorf("RequestControl(%v) has %b, want %b", c.h, got, c.want)
			}
		})
	}
}

func TestDirectivesAreDistinct(t *testing.T) {
	all := []Directives{NoStore, NoCache, NoCacheFields, Private, PrivateFields, Public, MustRevalidate, ProxyRevalidate, MustUnderstand,
		NoTransform, Immutable, MaxAge, SMaxAge, StaleWhileRevalidate, StaleIfError, MaxStale, MinFresh, OnlyIfCached}
	var sum Directives
	for _, d := range all {
		sum |= d
	}
	if got := bits.OnesCount32(uint32(sum)); got != len(all) {
		t.Errorf("%d directives share %d bits", len(all), got)
	}
}

func TestIsAnyOf(t *testing.T) {
	c := Control{Has: NoStore | MaxAge}
	if !c.Is(Private|MaxAge) || c.Is(Private|Public) || c.Is(0) {
		t.Errorf("Is: got %t %t %t, want true false false", c.Is(Private|MaxAge), c.Is(Private|Public), c.Is(0))
	}
}

func TestForeverAddsUp(t *testing.T) {
	if sum := Forever + Forever + Forever + Forever; sum < Forever {
		t.Errorf("4 × Forever = %d overflows", sum)
	}
}
