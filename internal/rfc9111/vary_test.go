package rfc9111

import (
	"net/http"
	"slices"
	"testing"
)

func TestA14_Vary(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []string
		star  bool
	}{
		{"absent", nil, nil, false},
		{"empty", []string{"", " , "}, nil, false},
		{"one", []string{"Accept"}, []string{"Accept"}, false},
		{"all lines, sorted, once", []string{"b, A", "a,C"}, []string{"A", "B", "C"}, false},
		{"canonical", []string{"accept-LANGUAGE"}, []string{"Accept-Language"}, false},
		{"star", []string{"*"}, nil, true},
		{"star in any member", []string{"Accept, *"}, nil, true},
		{"star in any line", []string{"Accept", "Cookie ,\t* "}, nil, true},
		{"star within a name is a name", []string{"x*"}, []string{"X*"}, false},
		{"malformed", []string{"Accept Encoding"}, nil, true},
		{"malformed by quotes", []string{`Accept, "Cookie"`}, nil, true},
		{"malformed by a semicolon", []string{"Accept; Cookie"}, nil, true},
		{"malformed by a letter beyond ASCII", []string{"Äccept"}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			names, star := Vary(http.Header{"Vary": c.lines})
			if !slices.Equal(names, c.want) || star != c.star {
				t.Errorf("Vary(%q) = %q, %t, want %q, %t", c.lines, names, star, c.want, c.star)
			}
		})
	}
}

func TestA14_SelectingForm(t *testing.T) {
	h := http.Header{"A": {"x*y", "{z}"}, "B": {""}, "Accept-Language": {"EN;q=0.5 , de"}}
	const want = "A=x%2Ay,%7Bz%7D&Accept-Language=de,en;q=0.5&B=&C&D%26%25"
	if got := string(AppendSelecting([]byte("k|"), h, []string{"A", "Accept-Language", "B", "C", "D&%"})); got != "k|"+want {
		t.Errorf("AppendSelecting\n got %s\nwant %s", got, "k|"+want)
	}
}

func TestA14_Selecting(t *testing.T) {
	type lines = []string
	for _, c := range []struct {
		name, field string
		a, b        lines
		same        bool
	}{
		{"absent matches absent", "Foo", nil, nil, true},
		{"absent is not empty", "Foo", nil, lines{""}, false},
		{"value", "Foo", lines{"a"}, lines{"b"}, false},
		{"letter case counts", "Foo", lines{"a"}, lines{"A"}, false},
		{"order counts", "Foo", lines{"a,b"}, lines{"b,a"}, false},
		{"all lines", "Foo", lines{"a", "b"}, lines{"a", "c"}, false},
		{"lines joined", "Foo", lines{"a", "b"}, lines{"a,b"}, true},
		{"whitespace by a comma", "Foo", lines{"a,b"}, lines{" a \t, b "}, true},
		{"whitespace elsewhere", "Foo", lines{"a b"}, lines{"ab"}, false},
		{"whitespace doubled elsewhere", "Foo", lines{"a b"}, lines{"a  b"}, false},
		{"whitespace in quotes", "Foo", lines{`"a,b"`}, lines{`"a, b"`}, false},
		{"two lines are no quoted string", "Foo", lines{`"a`, `b"`}, lines{`"a,b"`}, false},
		{"escape forged", "Foo", lines{"a%2Cb"}, lines{"a,b"}, false},
		{"empty member", "Foo", lines{"a,"}, lines{"a"}, false},
		{"separator forged", "Foo", lines{"a&Bar=b"}, lines{"a"}, false},
		{"language case", "Accept-Language", lines{"en-GB, de"}, lines{"EN-gb, DE"}, true},
		{"language space", "Accept-Language", lines{"en;q=0.5,de"}, lines{" en ; q=0.5 ,\tde"}, true},
		{"language order", "Accept-Language", lines{"en, de"}, lines{"de, en"}, true},
		{"language lines", "Accept-Language", lines{"en", "de"}, lines{"de,en"}, true},
		{"language twice", "Accept-Language", lines{"en,en"}, lines{"en"}, true},
		{"language weight counts", "Accept-Language", lines{"en;q=0.5"}, lines{"en"}, false},
		{"language absent is not empty", "Accept-Language", nil, lines{""}, false},
		{"more languages than the stack holds", "Accept-Language",
			lines{"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s"}, lines{"s,r,q,p,o,n,m,l,k,j,i,h,g,f,e,d,c,b,a"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			names := []string{c.field}
			form := func(l lines) string {
				h := http.Header{}
				if l != nil {
					h[c.field] = l
				}
				return string(AppendSelecting(nil, h, names))
			}
			if a, b := form(c.a), form(c.b); (a == b) != c.same {
				t.Errorf("%q → %q, %q → %q: want same = %t", c.a, a, c.b, b, c.same)
			}
		})
	}
}

func TestA14_SelectingNamesCount(t *testing.T) {
	h := http.Header{"A": {"x"}}
	a, b := AppendSelecting(nil, h, []string{"A", "B"}), AppendSelecting(nil, h, []string{"A", "C"})
	if string(a) == string(b) {
		t.Errorf("two Vary fields share the form %q", a)
	}
}
