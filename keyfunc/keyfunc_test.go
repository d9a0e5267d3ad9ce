package keyfunc_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

// request is what net/http's server makes of "GET uri" for host.
func request(t testing.TB, host, uri string) *http.Request {
	t.Helper()
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{Method: "GET", Host: host, RequestURI: uri, URL: u, Header: http.Header{}}
}

func keyOf(t testing.TB, f keyfunc.Func, r *http.Request) string {
	t.Helper()
	key, err := f(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

func TestDefaultReads(t *testing.T) {
	for _, tt := range []struct{ host, uri, want string }{
		{"example.com", "/", "GET|http|example.com|/"},
		{"example.com", "/?", "GET|http|example.com|/|"},
		{"example.com", "/?&", "GET|http|example.com|/|&"},
		{"example.com", "/?=", "GET|http|example.com|/|="},
		{"example.com", "/products/42?locale=en&currency=USD", "GET|http|example.com|/products/42|currency=USD&locale=en"},
		{"EXAMPLE.com:8080", "/", "GET|http|EXAMPLE.com:8080|/"},
		{"[::1]:80", "/", "GET|http|%x5B::1%x5D:80|/"},
		{"", "/", "GET|http||/"},
		{"h", "/a%2fb", "GET|http|h|/a%2fb"},
		{"h", "/a%2Fb", "GET|http|h|/a%2Fb"},
		{"h", "/caf%C3%A9", "GET|http|h|/caf%C3%A9"},
		{"h", "/caf\xc3\xa9", "GET|http|h|/caf%xC3%xA9"},
		{"h", "//", "GET|http|h|//"},
		{"h", "/a/../b", "GET|http|h|/a/../b"},
		{"h", "/a!(b)'", "GET|http|h|/a!(b)'"},
		{"h", "/me;x=1/a.css", "GET|http|h|/me;x=1/a.css"},
		{"h", "/%00", "GET|http|h|/%00"},
		{"h", "/a|b<c>", "GET|http|h|/a%x7Cb%x3Cc%x3E"},
		{"h", "/{a}/*", "GET|http|h|/%x7Ba%x7D/%x2A"},
		{"h", "http://h/p?b&a", "GET|http|h|http://h/p|a&b"},
		{"h", "http://h", "GET|http|h|http://h"},
		{"h", "/?x=2;y=1&a=1", "GET|http|h|/|x=2;y=1&a=1"},
		{"h", "/?b=%zz&a=1", "GET|http|h|/|b=%x25zz&a=1"},
		{"h", "/?b=1&&a=1", "GET|http|h|/|&a=1&b=1"},
		{"h", "/?b=2&a=2&b=1&a=1", "GET|http|h|/|a=2&a=1&b=2&b=1"},
		{"h", "/?a=2&%61=1&A=3", "GET|http|h|/|A=3&a=2&%61=1"},
		{"h", "/?a+c=1&a%20b=2", "GET|http|h|/|a%20b=2&a+c=1"},
		{"h", "/?ab=1&a=2&abc=3", "GET|http|h|/|a=2&ab=1&abc=3"},
		{"h", "/?q=a?b|c", "GET|http|h|/|q=a%x3Fb%x7Cc"},
	} {
		if got := keyOf(t, keyfunc.Default, request(t, tt.host, tt.uri)); got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.host, tt.uri, got, tt.want)
		}
	}
}

// Different requests, different entries; and what must be one, is one.
func TestDefaultTellsApart(t *testing.T) {
	targets := []string{
		"/", "//", "/?", "/?&", "/?=", "/??", "/a/b", "/a%2fb", "/a%2Fb", "/a//b", "/a/b/", "/a/./b", "/x/../a/b", "/a%2f..%2fb", "/a;/b", "/a%3b/b", "/A/b",
		"http://h/a/b", "HTTP://h/a/b", "http://H/a/b", "http://h:80/a/b", "https://h/a/b", "http://h",
		"/?x=1&y=2", "/?x=1;y=2", "/?x=1%3By=2", "/?x=1%26y=2", "/?x=1&x=2", "/?x=2&x=1", "/?x=1&%78=2", "/?%78=2&x=1", "/?x=%zz", "/?x=%25zz", "/?x", "/?x=",
		"/?x=1&y=2&", "/?&&x=1&y=2", "/?X=1&y=2", "/?x=1+2", "/?x=1%202", "/?a|b", "/|a", "/?a%7Cb", "/?a%x7Cb", "/%7C", "/|", "/%25x7C",
	}
	seen := map[string]string{}
	for _, uri := range targets {
		for _, host := range []string{"h", "H", "h:80", "h.", ""} {
			key := keyOf(t, keyfunc.Default, request(t, host, uri))
			if other, twice := seen[key]; twice {
				t.Errorf("%s %s and %s have one key: %s", host, uri, other, key)
			}
			seen[key] = host + " " + uri
		}
	}
	for _, same := range [][2]string{{"/?a=1&b=2", "/?b=2&a=1"}, {"/?b=1&a=1&a=2", "/?a=1&a=2&b=1"}, {"/?&a", "/?a&"}} {
		if a, b := keyOf(t, keyfunc.Default, request(t, "h", same[0])), keyOf(t, keyfunc.Default, request(t, "h", same[1])); a != b {
			t.Errorf("%s and %s differ: %s, %s", same[0], same[1], a, b)
		}
	}
}

func TestDefaultMethodAndScheme(t *testing.T) {
	r := request(t, "h", "/p?a=1")
	want := keyOf(t, keyfunc.Default, r)
	for _, method := range []string{"HEAD", "", "POST", "DELETE", "QUERY"} {
		r.Method = method
		if got := keyOf(t, keyfunc.Default, r); got != want {
			t.Errorf("%s: got %s, want %s", method, got, want)
		}
	}
	r.TLS = &tls.ConnectionState{}
	if got := keyOf(t, keyfunc.Default, r); got != "GET|https|h|/p|a=1" {
		t.Errorf("over TLS: %s", got)
	}
}

func TestDefaultAppends(t *testing.T) {
	dst := append(make([]byte, 0, 64), "before "...)
	got, err := keyfunc.Default(dst, request(t, "h", "/p"))
	if err != nil || string(got) != "before GET|http|h|/p" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err = keyfunc.Default(dst, &http.Request{Host: "h"}); !errors.Is(err, keyfunc.ErrNoURL) || string(got) != "before " {
		t.Errorf("without a URL: got %q, %v", got, err)
	}
}

// A request that a program makes has the key of the one that a client sends.
func TestDefaultWithoutRequestURI(t *testing.T) {
	for _, uri := range []string{"/", "/?", "/p?b=1&a=2", "/caf%C3%A9", "/a%2fb?x=%zz", "/a!b"} {
		r, err := http.NewRequest("GET", "http://h"+uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := keyOf(t, keyfunc.Default, request(t, "h", uri))
		if got := keyOf(t, keyfunc.Default, r); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
		r.Host = ""
		if got := keyOf(t, keyfunc.Default, r); got != want {
			t.Errorf("%s, host in the URL: got %s, want %s", uri, got, want)
		}
		if got := keyOf(t, keyfunc.Default, httptest.NewRequest("GET", uri, nil)); got != strings.Replace(want, "|h|", "|example.com|", 1) {
			t.Errorf("%s of httptest: got %s", uri, got)
		}
	}
	one := &http.Request{URL: &url.URL{Opaque: "a:b"}}
	two := &http.Request{URL: &url.URL{Opaque: "a:c"}}
	if keyOf(t, keyfunc.Default, one) == keyOf(t, keyfunc.Default, two) {
		t.Error("two opaque URLs have one key")
	}
}

func TestDefaultRouted(t *testing.T) {
	for _, tt := range []struct {
		name, uri string
		rewrite   func(*url.URL)
		want      string
	}{
		{"as parsed", "/shop/42", func(u *url.URL) {}, ""},
		{"prefix taken off", "/shop/42", func(u *url.URL) { u.Path = "/42" }, "|path</42>"},
		{"prefix and RawPath", "/shop/a%2fb", func(u *url.URL) { u.Path, u.RawPath = "/a/b", "/a%2fb" }, "|path</a/b></a%2fb>"},
		{"RawPath dropped", "/a%2fb", func(u *url.URL) { u.RawPath = "" }, "|path</a/b>"},
		{"RawPath invented", "/a%20b", func(u *url.URL) { u.RawPath = "/a%20b" }, "|path</a%x20b></a%20b>"},
		{"RawPath stale", "/a%2fb", func(u *url.URL) { u.Path = "/c" }, "|path</c></a%2fb>"},
		{"absolute form", "http://h/shop/42", func(u *url.URL) { u.Path = "/42" }, "|path</42>"},
		{"emptied", "/shop", func(u *url.URL) { u.Path = "" }, "|path<>"},
		{"query added", "/p", func(u *url.URL) { u.RawQuery = "b&a" }, "|query<a&b>"},
		{"query dropped", "/p?a", func(u *url.URL) { u.RawQuery = "" }, "|query<>"},
		{"semicolons replaced", "/p?b;a", func(u *url.URL) { u.RawQuery = "b&a" }, "|query<a&b>"},
		{"both", "/p", func(u *url.URL) { u.Path, u.RawQuery = "/q", "x>" }, "|path</q>|query<x%x3E>"},
	} {
		plain := keyOf(t, keyfunc.Default, request(t, "h", tt.uri))
		r := request(t, "h", tt.uri)
		tt.rewrite(r.URL)
		if got := keyOf(t, keyfunc.Default, r); got != plain+tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, plain+tt.want)
		}
	}
}

func TestDefaultReflected(t *testing.T) {
	names := keyfunc.ReflectedHeaders()
	for _, name := range []string{
		"Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Scheme",
		"X-Host", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Prefix",
	} {
		r := request(t, "h", "/p?a=1")
		r.Header.Set(name, "evil.example")
		if got, want := keyOf(t, keyfunc.Default, r), "GET|http|h|/p|a=1|"+name+"<evil.example>"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	all := request(t, "h", "/")
	want := "GET|http|h|/"
	for _, name := range names {
		all.Header[name] = []string{"1", ""}
		want += "|" + name + "<1><>"
	}
	if len(want) > 512 {
		want = want[:400] // what follows is hashed
	}
	for range 20 { // a map has no order, the key does
		if got := keyOf(t, keyfunc.Default, all); !strings.HasPrefix(got, want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	names[0] = "changed"
	if keyfunc.ReflectedHeaders()[0] == "changed" {
		t.Error("the list can be changed from outside")
	}
}

func TestDefaultReflectedValues(t *testing.T) {
	headers := []http.Header{
		nil,
		{"X-Host": {""}},
		{"X-Host": {"", ""}},
		{"X-Host": {"a", "b"}},
		{"X-Host": {"b", "a"}},
		{"X-Host": {"a,b"}},
		{"X-Host": {"a><b"}},
		{"X-Host": {"a"}, "X-Scheme": {"b"}},
		{"X-Host": {"a>|X-Scheme<b"}},
		{"X-Scheme": {"a"}},
		{"X-Forwarded-Host": {"a"}},
	}
	seen := map[string]int{}
	for i, h := range headers {
		r := request(t, "h", "/")
		r.Header = h
		key := keyOf(t, keyfunc.Default, r)
		if j, twice := seen[key]; twice {
			t.Errorf("%v and %v have one key: %s", h, headers[j], key)
		}
		seen[key] = i
	}
	quiet := request(t, "h", "/")
	quiet.Header = http.Header{
		"X-Forwarded-For": {"192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}, "User-Agent": {"x"}, "X-Request-Id": {"1"}, "": {"x"}, "X-Host": {}, "Accept": {"*/*"},
	}
	if got := keyOf(t, keyfunc.Default, quiet); got != "GET|http|h|/" {
		t.Errorf("fields that are not reflected are in the key: %s", got)
	}
}
