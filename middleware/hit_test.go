package middleware_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	reprise "github.com/reprise-go/reprise/middleware"
)

// discard is a ResponseWriter that costs next to nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// hits returns what serves one hit. Its allocations are the same at every size
// of body.
func hits(t testing.TB, s http.Handler) func() {
	r := httptest.NewRequest("GET", "/things/42?color=red", nil)
	r.Header.Set("User-Agent", "test")
	r.Header.Set("Accept", "*/*")
	w := &discard{make(http.Header)}
	serve := func() {
		w.header = make(http.Header) // as net/http does for each request
		s.ServeHTTP(w, r)
	}
	serve()
	serve()
	if got := w.header.Get("X-Cache"); got != "HIT" {
		t.Fatalf("X-Cache = %q", got)
	}
	return serve
}

func TestAHitAllocatesNothing(t *testing.T) {
	for _, vary := range []string{"", "Accept-Encoding"} {
		for _, size := range []int{10, 1 << 10, 256 << 10} {
			s := newSite(t, plain, with(say(string(bytes.Repeat([]byte("x"), size))), "Vary", vary))
			// Two are for the writer's own header map.
			if n := testing.AllocsPerRun(100, hits(t, s)) - 2; n > spare {
				t.Errorf("Vary %q, %d bytes: %v allocations", vary, size, n)
			}
			s.wantRuns(1)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	for _, size := range []int{1 << 10, 256 << 10} {
		body := bytes.Repeat([]byte("x"), size)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Type", "text/plain")
			h.Set("Content-Length", fmt.Sprint(size))
			h.Set("Cache-Control", "max-age=3600")
			h.Set("Etag", `"1"`)
			w.Write(body)
		})
		b.Run(fmt.Sprintf("bare/%dKB", size>>10), func(b *testing.B) {
			w, r := &discard{make(http.Header)}, httptest.NewRequest("GET", "/things/42?color=red", nil)
			b.ReportAllocs()
			for b.Loop() {
				w.header = make(http.Header)
				handler.ServeHTTP(w, r)
			}
		})
		b.Run(fmt.Sprintf("hit/%dKB", size>>10), func(b *testing.B) {
			serve := hits(b, newCache(b).Handler(reprise.Policy{Name: "bench"})(handler))
			b.ReportAllocs()
			for b.Loop() {
				serve()
			}
		})
	}
}
