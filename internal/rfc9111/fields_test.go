package rfc9111

import (
	"net/http"
	"reflect"
	"testing"
)

func TestA11_RemoveHopByHop(t *testing.T) {
	for _, c := range []struct {
		name    string
		h, want http.Header
	}{
		{"empty", http.Header{}, http.Header{}},
		{"per connection", header("Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: close", "Te: trailers", "Transfer-Encoding: chunked",
			"Upgrade: h2c", "Trailer: X", "Etag: x"), header("Etag: x")},
		{"per proxy", header("Proxy-Authenticate: Basic", "Proxy-Authentication-Info: a", "Proxy-Authorization: b", "Www-Authenticate: Basic"),
			header("Www-Authenticate: Basic")},
		{"named by Connection", header("Connection: X-One, x-TWO", "Connection: x-three", "X-One: 1", "X-Two: 2", "X-Three: 3", "X-Four: 4"),
			header("X-Four: 4")},
		{"Connection names itself first", header("Connection: connection, X-One", "X-One: 1"), http.Header{}},
		{"repeated lines stay", header("Link: a", "Link: b", "Unknown: c"), header("Link: a", "Link: b", "Unknown: c")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if RemoveHopByHop(c.h); !reflect.DeepEqual(c.h, c.want) {
				t.Errorf("got %v, want %v", c.h, c.want)
			}
		})
	}
}

func TestA8_RemoveFields(t *testing.T) {
	h := header("Set-Cookie: a", "Set-Cookie: b", "X-User: c", "Etag: d")
	c := ParseControl([]string{`private="set-cookie", no-cache="X-USER, absent"`})
	RemoveFields(h, c.Fields)
	if want := header("Etag: d"); !reflect.DeepEqual(h, want) {
		t.Errorf("got %v, want %v", h, want)
	}
}

func TestCanonicalize(t *testing.T) {
	shared := append(make([]string, 0, 4), "public")
	h := http.Header{"Cache-Control": shared, "cache-control": {"no-store"}, "CACHE-CONTROL": {"private"}, "etag": {"x"}, "Vary": {"y"}}
	Canonicalize(h)
	want := http.Header{"Cache-Control": {"public", "private", "no-store"}, "Etag": {"x"}, "Vary": {"y"}}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got %v, want %v", h, want)
	}
	if got := shared[:2][1]; got != "" {
		t.Errorf("wrote %q behind a slice that belongs to the handler", got)
	}
}
