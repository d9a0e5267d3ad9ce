package middleware

import (
	"net/http"
	"testing"
)

// The short way to the facts of a small header finds what the long one does, whatever
// is in it.
func TestFactsOfSmallHeaders(t *testing.T) {
	fields := []struct{ name, value string }{
		{"User-Agent", "test"}, {"Accept-Encoding", "gzip"}, {"Accept", "*/*"}, {"Accept", "text/html, Text/Event-Stream"},
		{"If-None-Match", `"one"`}, {"Authorization", "Bearer x"}, {"Cookie", "a=b"}, {"Range", "bytes=0-1"},
		{"Cache-Control", "no-cache"}, {"Upgrade", "websocket"}, {"X-Http-Method", "PUT"}, {"X-Forwarded-Host", "evil"}, {"Via", "1.1 a"},
	}
	short := 0
	for chosen := range 1 << len(fields) {
		h := make(http.Header)
		for i, f := range fields {
			if chosen>>i&1 == 1 {
				h.Add(f.name, f.value)
			}
		}
		want := factsOfAll(h)
		if got := factsOf(h); got != want {
			t.Fatalf("%v: %b, want %b", h, got, want)
		}
		if _, ok := factsOfFew(h); ok {
			short++
		}
	}
	if want := 1 << 5; short != want { // what the first five choose
		t.Errorf("%d headers went the short way, want %d", short, want)
	}
}
