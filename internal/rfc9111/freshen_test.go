package rfc9111

import (
	"net/http"
	"reflect"
	"testing"
)

func TestA16_Freshen(t *testing.T) {
	for _, c := range []struct {
		name                 string
		stored, update, want http.Header
	}{
		{"nothing", nil, nil, header()},
		{"stored stays", header(`Etag: "a"`, "X-A: 1", "X-A: 2"), header(), header(`Etag: "a"`, "X-A: 1", "X-A: 2")},
		{"lines replaced, not joined", header("X-A: 1", "X-A: 2", "X-B: 3"), header("X-A: 4"), header("X-A: 4", "X-B: 3")},
		{"one line replaced by several", header("X-A: 1"), header("X-A: 2", "X-A: 3"), header("X-A: 2", "X-A: 3")},
		{"field added", header("X-A: 1"), header("X-B: 2"), header("X-A: 1", "X-B: 2")},
		{"what governs freshness", header("Cache-Control: max-age=1", "Expires: 0", "Vary: A"), header("Cache-Control: max-age=2", "Expires: 1", "Vary: B"),
			header("Cache-Control: max-age=2", "Expires: 1", "Vary: B")},
		{"Expires survives a new Cache-Control", header("Expires: 0"), header("Cache-Control: max-age=2"), header("Expires: 0", "Cache-Control: max-age=2")},
		{"Content-Length never", header("Content-Length: 5"), header("Content-Length: 0"), header("Content-Length: 5")},
		{"Content-Length not even added", header(), header("Content-Length: 0"), header()},
		{"what the stored bytes depend upon", header("Content-Encoding: gzip", "Content-Digest: a"),
			header("Content-Encoding: br", "Content-Range: bytes 0-1/2", "Content-Digest: b"), header("Content-Encoding: gzip", "Content-Digest: a")},
		{"other Content fields", header("Content-Type: a/b", "Content-Language: en", "Content-Location: /a", "Content-Foo: 1"),
			header("Content-Type: c/d", "Content-Language: de", "Content-Location: /b", "Content-Foo: 2"),
			header("Content-Type: c/d", "Content-Language: de", "Content-Location: /b", "Content-Foo: 2")},
		{"a field without lines is none", header("Content-Type: a/b"), http.Header{"Content-Type": nil, "X-A": {}}, header("Content-Type: a/b")},
		{"Date and Age go", header("Date: x", "Age: 9", "X-A: 1"), header(), header("X-A: 1")},
		{"Date and Age are the new ones", header("Date: x", "Age: 9"), header("Date: y", "Age: 1"), header("Date: y", "Age: 1")},
		{"Set-Cookie comes", header(), header("Set-Cookie: a=b"), header("Set-Cookie: a=b")},
		{"A11 hop-by-hop", header("X-A: 1"), header("Connection: close, x-b", "X-B: 2", "Keep-Alive: 5", "Transfer-Encoding: chunked", "Trailer: X", "Upgrade: h2c",
			"Te: trailers", "Proxy-Authenticate: a", "Proxy-Authorization: b", "Proxy-Authentication-Info: c", "Proxy-Connection: d"), header("X-A: 1")},
		{"A11 Connection of the update concerns the update", header("X-A: 1"), header("Connection: X-A", "X-A: 2"), header("X-A: 1")},
		{"A11 stored ones do not last", header("Connection: X-A", "X-A: 1", "Trailer: X"), header("X-B: 2"), header("X-B: 2")},
	} {
		t.Run(c.name, func(t *testing.T) {
			stored, update := c.stored.Clone(), c.update.Clone()
			if got := Freshen(c.stored, c.update); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if !reflect.DeepEqual(c.stored, stored) || !reflect.DeepEqual(c.update, update) {
				t.Errorf("wrote to its arguments: %v, %v", c.stored, c.update)
			}
		})
	}
}

func TestA16_FreshenSharesNoRoom(t *testing.T) {
	stored, update := append(make([]string, 0, 4), "1"), append(make([]string, 0, 4), "2")
	h := Freshen(http.Header{"A": stored}, http.Header{"B": update})
	_ = append(h["A"], "x")
	_ = append(h["B"], "x")
	if stored[:2][1] != "" || update[:2][1] != "" {
		t.Errorf("an append wrote behind a slice of the arguments: %q, %q", stored[:2], update[:2])
	}
}
