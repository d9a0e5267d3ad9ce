package middleware

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

// A remembered key is the one keyfunc.Default makes, whatever the request that
// comes after one with the same request line; and so is one that is not remembered.
func TestARememberedKeyIsTheKey(t *testing.T) {
	table := newKeyTable()
	base := func() *http.Request { return httptest.NewRequest("GET", "/a%2Fb/c?x=1", nil) }
	for name, change := range map[string]func(*http.Request){
		"the same":      func(r *http.Request) {},
		"host":          func(r *http.Request) { r.Host = "other.example" },
		"TLS":           func(r *http.Request) { r.TLS = &tls.ConnectionState{} },
		"path":          func(r *http.Request) { r.URL.Path = "/c" },
		"raw path":      func(r *http.Request) { r.URL.RawPath = "" },
		"query":         func(r *http.Request) { r.URL.RawQuery = "y=2" },
		"request line":  func(r *http.Request) { r.RequestURI = "/other" },
		"made by hand":  func(r *http.Request) { r.RequestURI = "" },
		"HEAD":          func(r *http.Request) { r.Method = "HEAD" },
		"forced query":  func(r *http.Request) { r.RequestURI, r.URL.ForceQuery = "/a?", true },
		"long":          func(r *http.Request) { r.RequestURI = "/" + string(make([]byte, 2000)) },
		"absolute form": func(r *http.Request) { r.RequestURI = "http://example.com/a%2Fb/c?x=1" },
	} {
		for _, order := range [][]func(*http.Request){{func(*http.Request) {}, change}, {change, func(*http.Request) {}}, {change, change}} {
			for _, c := range order {
				r := base()
				c(r)
				want, err := keyfunc.Default(nil, r)
				if err != nil {
					t.Fatal(err)
				}
				for _, remembered := range []bool{false, true} {
					key, _, err := table.of(r)
					if err != nil || key != string(want) {
						t.Errorf("%s: %q, want %q (%v)", name, key, want, err)
					}
					if m := table.add(r, key); m != nil && m.key != key {
						t.Errorf("%s: %q is remembered, want %q", name, m.key, key)
					} else if may := name != "made by hand" && name != "long"; remembered && may && m == nil {
						t.Errorf("%s: not remembered", name)
					}
				}
			}
		}
	}
}

// A request that has been changed since its key was made is not remembered by it.
func TestAnotherRequestsKeyIsNotRemembered(t *testing.T) {
	table, r := newKeyTable(), httptest.NewRequest("GET", "/account", nil)
	key, _, err := table.of(r)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Path = "/beta/account"
	if m := table.add(r, key); m != nil {
		t.Errorf("%+v", m)
	}
	if again, m, err := table.of(r); m != nil || again == key || err != nil {
		t.Errorf("%q, %+v, %v", again, m, err)
	}
}

// What is remembered outlives the request: it must hold nothing of its memory.
func TestARememberedKeyIsItsOwn(t *testing.T) {
	for name, target := range map[string]string{
		"short":   "/a/b?x=1&y=2",
		"escaped": "/a%2Fb/%63?x=%31",
		"root":    "/",
		"long":    "/" + strings.Repeat("a/b", 30) + "?" + strings.Repeat("x=1&", 10),
		"of all":  "/" + strings.Repeat("a", len(madeKey{}.room)-1),
	} {
		table := newKeyTable()
		line := []byte(target)
		u, err := url.ParseRequestURI(view(line)) // shares memory, as a server's does
		if err != nil {
			t.Fatal(err)
		}
		first := &http.Request{Method: "GET", Host: "shop.example", RequestURI: view(line), URL: u}
		key, _, err := table.of(first)
		if err != nil {
			t.Fatal(err)
		}
		table.add(first, strings.Clone(key))
		clear(line)

		again := httptest.NewRequest("GET", target, nil)
		again.Host = first.Host
		if m, _, _ := table.find(again); m == nil || m.key != key || m.uri != target {
			t.Errorf("%s: %+v is remembered of %q", name, m, target)
		}
	}
}
