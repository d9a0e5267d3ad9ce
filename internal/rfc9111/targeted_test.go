package rfc9111

import (
	"net/http"
	"reflect"
	"testing"
)

var targetedCases = []struct {
	name  string
	lines []string
	want  Control
	ok    bool
}{
	{"absent", nil, Control{}, false},
	{"empty", []string{""}, Control{}, false},
	{"spaces", []string{"  "}, Control{}, false},
	{"max-age", []string{"max-age=60"}, Control{Has: MaxAge, MaxAge: 60 * s}, true},
	{"all numbers", []string{"max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4"}, Control{Has: MaxAge | SMaxAge | StaleWhileRevalidate | StaleIfError,
		MaxAge: s, SMaxAge: 2 * s, StaleWhileRevalidate: 3 * s, StaleIfError: 4 * s}, true},
	{"all flags", []string{"no-store, no-cache, private, public", "must-revalidate, proxy-revalidate, must-understand, no-transform, immutable"},
		Control{Has: NoStore | NoCache | Private | Public | MustRevalidate | ProxyRevalidate | MustUnderstand | NoTransform | Immutable}, true},
	{"zero is stated", []string{"max-age=0"}, Control{Has: MaxAge}, true},
	{"2^31", []string{"max-age=2147483648"}, Control{Has: MaxAge, MaxAge: Forever}, true},
	{"saturates", []string{"max-age=999999999999999"}, Control{Has: MaxAge, MaxAge: Forever}, true},
	{"more digits than an Integer has", []string{"max-age=9999999999999999"}, Control{}, false},
	{"several lines", []string{"max-age=60", "no-store"}, Control{Has: MaxAge | NoStore, MaxAge: 60 * s}, true},
	{"unknown alone is not empty", []string{"none"}, Control{}, true},
	{"unknown of any type", []string{`a, b=1.5, c="x", d=:YQ==:, e=(1 2);q, f=@1, g=%"a", h=x, max-age=1`}, Control{Has: MaxAge, MaxAge: s}, true},
	{"directives of requests are unknown", []string{"max-stale=x, min-fresh=1, only-if-cached=2"}, Control{}, true},
	{"parameters ignored", []string{"max-age=60;x=1;y, private;a=b"}, Control{Has: MaxAge | Private, MaxAge: 60 * s}, true},
	{"true in full", []string{"private=?1"}, Control{Has: Private}, true},
	{"false is absent", []string{"private=?0, no-store=?0"}, Control{}, true},
	{"the last one counts", []string{"max-age=60, no-store, max-age=5, no-store=?0"}, Control{Has: MaxAge, MaxAge: 5 * s}, true},
	{"A8 no-cache of fields", []string{`no-cache="b, A"`}, Control{Has: NoCacheFields, Fields: []string{"A", "B"}}, true},
	{"A8 private of fields", []string{`private="set-cookie", no-cache="Set-Cookie"`}, Control{Has: PrivateFields | NoCacheFields, Fields: []string{"Set-Cookie"}}, true},
	{"A8 bad list is the whole", []string{`private="a b", no-cache=""`}, Control{Has: Private | NoCache}, true},
	{"A8 quotes in the list are the whole", []string{`private="\"", no-cache="a\\"`}, Control{Has: Private | NoCache}, true},
	{"no-cache of a token", []string{"no-cache=set-cookie"}, Control{}, false},
	{"no-cache of an inner list", []string{`no-cache=("a")`}, Control{}, false},
	{"capitals", []string{"MaX-aGe=60"}, Control{}, false},
	{"capital inside", []string{"max-Age=60"}, Control{}, false},
	{"space before =", []string{"max-age =60"}, Control{}, false},
	{"space behind =", []string{"max-age= 60"}, Control{}, false},
	{"comma at the end", []string{"max-age=60,"}, Control{}, false},
	{"empty member", []string{"max-age=60,, public"}, Control{}, false},
	{"semicolons", []string{"max-age=60; public, no-store"}, Control{Has: MaxAge | NoStore, MaxAge: 60 * s}, true},
	{"rubbish behind a good member", []string{"max-age=10000, &&&"}, Control{}, false},
	{"number is a String", []string{`max-age="60"`}, Control{}, false},
	{"number is a Decimal", []string{"max-age=60.0"}, Control{}, false},
	{"number is a Token", []string{"max-age=x"}, Control{}, false},
	{"number is a Date", []string{"max-age=@60"}, Control{}, false},
	{"number is missing", []string{"max-age"}, Control{}, false},
	{"number is an inner list", []string{"max-age=(60)"}, Control{}, false},
	{"number is negative", []string{"max-age=-1"}, Control{}, false},
	{"minus zero is zero", []string{"max-age=-0"}, Control{Has: MaxAge}, true},
	{"flag is an Integer", []string{"no-store=1"}, Control{}, false},
	{"flag is a String", []string{`must-revalidate="true"`}, Control{}, false},
	{"flag is an inner list", []string{"public=()"}, Control{}, false},
	{"wrong type voids all", []string{"no-store, s-maxage=x"}, Control{}, false},
}

func TestA22_Targeted(t *testing.T) {
	for _, c := range targetedCases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := Targeted(http.Header{"Cdn-Cache-Control": c.lines}, []string{"Cdn-Cache-Control"})
			if !reflect.DeepEqual(got, c.want) || ok != c.ok {
				t.Errorf("Targeted(%q)\n got %+v, %t\nwant %+v, %t", c.lines, got, ok, c.want, c.ok)
			}
		})
	}
}

func TestA22_TargetedOrder(t *testing.T) {
	names := []string{"Reprise-Cache-Control", "Cdn-Cache-Control"}
	for _, c := range []struct {
		name string
		h    http.Header
		want Control
		ok   bool
	}{
		{"none", header("Cache-Control: max-age=1"), Control{}, false},
		{"the first", header("Reprise-Cache-Control: max-age=1", "Cdn-Cache-Control: max-age=2"), Control{Has: MaxAge, MaxAge: s}, true},
		{"the second alone", header("Cdn-Cache-Control: max-age=2"), Control{Has: MaxAge, MaxAge: 2 * s}, true},
		{"the first is void", header("Reprise-Cache-Control: no-store, max-age=x", "Cdn-Cache-Control: max-age=2"), Control{Has: MaxAge, MaxAge: 2 * s}, true},
		{"the first is empty", http.Header{"Reprise-Cache-Control": {""}, "Cdn-Cache-Control": {"max-age=2"}}, Control{Has: MaxAge, MaxAge: 2 * s}, true},
		{"both are void", header("Reprise-Cache-Control: A", "Cdn-Cache-Control: B"), Control{}, false},
		{"not on the list", header("Surrogate-Control: max-age=1"), Control{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := Targeted(c.h, names); !reflect.DeepEqual(got, c.want) || ok != c.ok {
				t.Errorf("Targeted(%v) = %+v, %t, want %+v, %t", c.h, got, ok, c.want, c.ok)
			}
		})
	}
}
