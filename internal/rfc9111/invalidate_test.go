package rfc9111

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
)

func TestA21_Invalidates(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		want   bool
	}{
		{"POST", 200, true}, {"PUT", 204, true}, {"DELETE", 302, true}, {"PATCH", 399, true}, {"POST", 304, true},
		{"M-SEARCH", 200, true}, {"get", 200, true},
		{"POST", 100, false}, {"POST", 400, false}, {"POST", 404, false}, {"DELETE", 500, false},
		{"GET", 200, false}, {"HEAD", 200, false}, {"OPTIONS", 200, false}, {"TRACE", 200, false},
	} {
		if got := Invalidates(c.method, c.status); got != c.want {
			t.Errorf("Invalidates(%s, %d) = %t, want %t", c.method, c.status, got, c.want)
		}
	}
}

func TestA21_SameOriginTargets(t *testing.T) {
	const base = "http://example.com/a/b?q=1"
	for _, c := range []struct {
		name, base string
		h          http.Header
		want       []string
	}{
		{"none", base, http.Header{}, nil},
		{"absolute path", base, header("Location: /x?y=1"), []string{"http://example.com/x?y=1"}},
		{"relative path", base, header("Content-Location: ../c"), []string{"http://example.com/c"}},
		{"query alone", base, header("Location: ?q=2"), []string{"http://example.com/a/b?q=2"}},
		{"both", base, header("Location: /x", "Content-Location: /y"), []string{"http://example.com/x", "http://example.com/y"}},
		{"both the same", base, header("Location: /x", "Content-Location: http://example.com/x#top"), []string{"http://example.com/x"}},
		{"fragment", base, header("Location: /x#top"), []string{"http://example.com/x"}},
		{"empty path", base, header("Location: http://example.com"), []string{"http://example.com/"}},
		{"host in capitals", base, header("Location: HTTP://EXAMPLE.com/X"), []string{"http://EXAMPLE.com/X"}},
		{"port the scheme implies", base, header("Location: http://example.com:80/x"), []string{"http://example.com:80/x"}},
		{"port the base has", "https://example.com:443/", header("Location: https://example.com/x"), []string{"https://example.com/x"}},
		{"user info", base, header("Location: http://u:p@example.com/x"), []string{"http://example.com/x"}},
		{"IPv6", "http://[::1]:8080/", header("Location: http://[::1]:8080/x"), []string{"http://[::1]:8080/x"}},
		{"escaped path kept", base, header("Location: /a%2Fb"), []string{"http://example.com/a%2Fb"}},
		{"other host", base, header("Location: http://example.org/x"), nil},
		{"other host without scheme", base, header("Location: //example.org/x"), nil},
		{"other port", base, header("Location: http://example.com:8080/x"), nil},
		{"other scheme", base, header("Location: https://example.com/x"), nil},
		{"other scheme, same port", base, header("Location: https://example.com:80/x"), nil},
		{"opaque", base, header("Location: mailto:a@example.com"), nil},
		{"no host with scheme", base, header("Location: http:x"), nil},
		{"unparseable", base, header("Location: http://[::1", "Content-Location: /y"), []string{"http://example.com/y"}},
		{"empty", base, http.Header{"Location": {""}}, nil},
		{"base not absolute", "/a/b", header("Location: /x"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := url.Parse(c.base)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, target := range SameOriginTargets(u, c.h) {
				got = append(got, target.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if u.String() != c.base {
				t.Errorf("changed its argument to %q", u)
			}
		})
	}
}
