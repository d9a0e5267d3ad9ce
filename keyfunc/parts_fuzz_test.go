package keyfunc_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

// FuzzPartsInjective: whatever a key holds, two requests have one key if and only
// if they are the same in all of it.
func FuzzPartsInjective(f *testing.F) {
	f.Add("/p?a", "A: 1\nA: 2", "", "/p?a", "A: 1><2", "", "t", "t")
	f.Add("/p", "Cookie: a=1; b=2", "", "/p", "Cookie: b=2;a=1\nCookie: c=3", "", "", "")
	f.Add("/p", "Cookie: a=1\nCookie: a=2", "", "/p", "Cookie: a=1;a=2", "", "", "")
	f.Add("/p", "Cookie: a", "", "/p", "Cookie: a=", "", "", "")
	f.Add("/p", "Cookie: a=", "", "/p", "", "", "", "")
	f.Add("/p", "A: ", "", "/p", "", "", "", "")
	f.Add("/p", "Cookie: a=1", "", "/p", "", "|cookie:a<1>", "", "")
	f.Add("/p", "", "x>|extra<x", "/p", "", "x", "a", "a>|text<a")
	f.Add("/p", "", "", "/p", "", "", "a", "b")
	f.Add("/p", "", "a", "/p", "", "b", "", "")
	f.Add("/p?|A<1>", "A: 1", "", "/p", "A: 1\nA: 1", "", "", "")
	f.Add("/p", "X-Host: h\nForwarded: host=i", "", "/p", "Forwarded: host=i\nX-Host: h", "", "", "")
	f.Add("/p", "X-Original-Url: /q", "", "/p", "X-Rewrite-Url: /q", "", "", "")
	f.Add("/p", "X-Scheme: %41", "%41", "/p", "X-Scheme: A", "A", "%", "%25")
	f.Add("/p", "Cookie: a=\u00a0", "", "/p", "Cookie: \u00a0a=; a=", "", "", "")
	f.Fuzz(func(t *testing.T, uri1, fields1, extra1, uri2, fields2, extra2, text1, text2 string) {
		one, two := build(false, "h", uri1, "", ""), build(false, "h", uri2, "", "")
		if one == nil || two == nil {
			return
		}
		addFields(one, fields1)
		addFields(two, fields2)
		keys, references := [2]string{}, [2]string{}
		for i, side := range []struct {
			r           *http.Request
			extra, text string
		}{{one, extra1, text1}, {two, extra2, text2}} {
			f, err := keyfunc.New(keyfunc.Parts{
				Headers: []string{"A", "Accept-Language"}, Cookies: []string{"a", "b"}, Text: side.text,
				Extra: func(*http.Request) (string, error) { return side.extra, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			keys[i] = keyOf(t, f, side.r)
			references[i] = fmt.Sprintf("%s %s %q %q", reference(side.r), referenceFields(side.r.Header), side.extra, side.text)
		}
		if (keys[0] == keys[1]) != (references[0] == references[1]) {
			t.Errorf("keys\n%s\n%s\nof\n%s\n%s", keys[0], keys[1], references[0], references[1])
		}
		if i := strings.IndexAny(keys[0], "*?[]{}\\^ \r\n\x00\x7f"); i >= 0 || len(keys[0]) > 512 {
			t.Errorf("%d bytes, special byte at %d: %s", len(keys[0]), i, keys[0])
		}
	})
}

func addFields(r *http.Request, fields string) {
	for _, line := range strings.Split(fields, "\n") {
		if name, value, found := strings.Cut(line, ": "); found {
			r.Header.Add(name, value)
		}
	}
}

// referenceFields spells out all fields and cookies that the keys of
// FuzzPartsInjective hold.
func referenceFields(h http.Header) string {
	var all strings.Builder
	for _, name := range append([]string{"A", "Accept-Language"}, keyfunc.ReflectedHeaders()...) {
		fmt.Fprintf(&all, "%q ", h[name])
	}
	for _, name := range []string{"a", "b"} {
		var values []string
		for _, pair := range strings.Split(strings.Join(h["Cookie"], ";"), ";") {
			n, value, _ := strings.Cut(pair, "=")
			if strings.Trim(n, " \t\r\n") == name {
				values = append(values, strings.Trim(value, " \t\r\n"))
			}
		}
		fmt.Fprintf(&all, "%q ", values)
	}
	return all.String()
}
