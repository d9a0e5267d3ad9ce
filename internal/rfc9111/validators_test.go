package rfc9111

import (
	"net/http"
	"testing"
)

func TestA16_StrongETag(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string
		ok    bool
	}{
		{"absent", nil, "", false},
		{"strong", []string{`"a"`}, `"a"`, true},
		{"empty is one", []string{`""`}, `""`, true},
		{"space about it", []string{" \t\"a\" "}, `"a"`, true},
		{"bytes beyond ASCII", []string{"\"\xe4\x80\""}, "\"\xe4\x80\"", true},
		{"backslash is a byte like others", []string{`"a\"`}, `"a\"`, true},
		{"weak", []string{`W/"a"`}, "", false},
		{"small w", []string{`w/"a"`}, "", false},
		{"no quotes", []string{"a"}, "", false},
		{"one quote", []string{`"`}, "", false},
		{"half-quoted", []string{`"a`}, "", false},
		{"quote within", []string{`"a"b"`}, "", false},
		{"list", []string{`"a", "b"`}, "", false},
		{"space within", []string{`"a b"`}, "", false},
		{"tab within", []string{"\"a\tb\""}, "", false},
		{"control within", []string{"\"a\x00\""}, "", false},
		{"DEL within", []string{"\"a\x7f\""}, "", false},
		{"empty line", []string{""}, "", false},
		{"star", []string{"*"}, "", false},
		{"two lines", []string{`"a"`, `"a"`}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := StrongETag(http.Header{"Etag": c.lines}); got != c.want || ok != c.ok {
				t.Errorf("StrongETag(%q) = %q, %t, want %q, %t", c.lines, got, ok, c.want, c.ok)
			}
		})
	}
}

func TestA16_Confirms(t *testing.T) {
	const monday, tuesday = "Last-Modified: Mon, 04 Mar 2030 05:06:07 GMT", "Last-Modified: Tue, 05 Mar 2030 05:06:07 GMT"
	const mondayToo = "Last-Modified: Monday, 04-Mar-30 05:06:07 GMT"
	for _, c := range []struct {
		name           string
		stored, update http.Header
		want           bool
	}{
		{"same strong tag", header(`Etag: "a"`), header(`Etag: "a"`), true},
		{"another strong tag", header(`Etag: "a"`), header(`Etag: "b"`), false},
		{"another letter case", header(`Etag: "a"`), header(`Etag: "A"`), false},
		{"strong tag where a weak one is stored", header(`Etag: W/"a"`), header(`Etag: "a"`), false},
		{"strong tag where none is stored", header(monday), header(`Etag: "a"`, monday), false},
		{"strong tag decides, not the date", header(`Etag: "a"`, monday), header(`Etag: "a"`, tuesday), true},
		{"another strong tag, same date", header(`Etag: "a"`, monday), header(`Etag: "b"`, monday), false},
		{"weak tags", header(`Etag: W/"a"`), header(`Etag: W/"a"`), true},
		{"weak tag where a strong one is stored", header(`Etag: "a"`), header(`Etag: W/"a"`), true},
		{"another weak tag", header(`Etag: W/"a"`), header(`Etag: W/"b"`), false},
		{"weak tag decides, not the date", header(`Etag: W/"a"`, monday), header(`Etag: W/"a"`, tuesday), true},
		{"another weak tag, same date", header(`Etag: W/"a"`, monday), header(`Etag: W/"b"`, monday), false},
		{"weak tag where none is stored, same date", header(monday), header(`Etag: W/"a"`, monday), true},
		{"weak tag where none is stored, another date", header(monday), header(`Etag: W/"a"`, tuesday), false},
		{"weak tag where none is stored, no date", header(monday), header(`Etag: W/"a"`), false},
		{"weak tag where nothing is stored", header(), header(`Etag: W/"a"`, monday), false},
		{"same date", header(monday), header(monday), true},
		{"same date, tag stored", header(`Etag: "a"`, monday), header(monday), true},
		{"another date", header(monday), header(tuesday), false},
		{"another date, tag stored", header(`Etag: "a"`, monday), header(tuesday), false},
		{"same date in another form", header(monday), header(mondayToo), false},
		{"date where none is stored", header(`Etag: "a"`), header(monday), false},
		{"no validator", header(`Etag: "a"`, monday), header("Cache-Control: max-age=1"), true},
		{"no validator on either side", header(), header(), true},
		{"malformed tag", header(`Etag: a`), header(`Etag: a`), false},
		{"malformed tag, same date", header(monday), header(`Etag: a`, monday), false},
		{"stored tag malformed", header(`Etag: "a" x`), header(`Etag: "a"`), false},
		{"stored tag malformed, weak", header(`Etag: W/"a" x`), header(`Etag: W/"a"`), false},
		{"stored tag malformed, only dates compared", header(`Etag: a`, monday), header(monday), true},
		{"tag twice", header(`Etag: "a"`, `Etag: "a"`), header(`Etag: "a"`, `Etag: "a"`), true},
		{"tags that differ", header(`Etag: "a"`), header(`Etag: "a"`, `Etag: "b"`), false},
		{"stored tags that differ", header(`Etag: "a"`, `Etag: "b"`), header(`Etag: "a"`), false},
		{"dates that differ", header(monday), header(monday, tuesday), false},
		{"empty tag line", header(`Etag: "a"`), http.Header{"Etag": {""}}, false},
		{"tag field without a line", header(`Etag: "a"`), http.Header{"Etag": nil}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Confirms(c.stored, c.update); got != c.want {
				t.Errorf("Confirms(%v, %v) = %t, want %t", c.stored, c.update, got, c.want)
			}
		})
	}
}

func TestA17_Describes(t *testing.T) {
	const monday, tuesday = "Last-Modified: Mon, 04 Mar 2030 05:06:07 GMT", "Last-Modified: Tue, 05 Mar 2030 05:06:07 GMT"
	for _, c := range []struct {
		name         string
		stored, head http.Header
		length       int64
		want         bool
	}{
		{"nothing said", header(`Etag: "a"`, monday), header(), 5, true},
		{"all the same", header(`Etag: "a"`, monday), header(`Etag: "a"`, monday, "Content-Length: 5"), 5, true},
		{"same tag weakly", header(`Etag: W/"a"`), header(`Etag: "a"`), 5, true},
		{"same tag weakly, other way", header(`Etag: "a"`), header(`Etag: W/"a"`), 5, true},
		{"another tag", header(`Etag: "a"`), header(`Etag: "b"`), 5, false},
		{"tag where none is stored", header(monday), header(`Etag: "a"`, monday), 5, false},
		{"malformed tag", header(`Etag: a`), header(`Etag: a`), 5, false},
		{"tags that differ", header(`Etag: "a"`), header(`Etag: "a"`, `Etag: "b"`), 5, false},
		{"another date", header(`Etag: "a"`, monday), header(`Etag: "a"`, tuesday), 5, false},
		{"date where none is stored", header(`Etag: "a"`), header(`Etag: "a"`, monday), 5, false},
		{"another length", header(), header("Content-Length: 6"), 5, false},
		{"stored Content-Length does not count", header("Content-Length: 6"), header("Content-Length: 6"), 5, false},
		{"length twice", header(), header("Content-Length: 5", "Content-Length: 5"), 5, true},
		{"lengths that differ", header(), header("Content-Length: 5", "Content-Length: 6"), 5, false},
		{"length signed", header(), header("Content-Length: +5"), 5, false},
		{"length empty", header(), http.Header{"Content-Length": {""}}, 0, false},
		{"length beyond int64", header(), header("Content-Length: 99999999999999999999"), 5, false},
		{"length stored is unknown", header(), header("Content-Length: 5"), -1, false},
		{"length stored is unknown and not asked", header(), header(), -1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Describes(c.stored, c.length, c.head); got != c.want {
				t.Errorf("Describes(%v, %d, %v) = %t, want %t", c.stored, c.length, c.head, got, c.want)
			}
		})
	}
}
