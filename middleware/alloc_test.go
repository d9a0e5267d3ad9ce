package middleware

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/heap"
	"github.com/reprise-go/reprise/internal/measure"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// bounded fails t if f, which decodes n bytes that others have written, allocates
// more than twice as many and 4 KiB.
func bounded(t testing.TB, n int, f func()) {
	t.Helper()
	limit := 2*n + 4<<10
	if got := measure.Allocated(limit, f); got > limit {
		t.Errorf("%d bytes are allocated to decode %d", got, n)
	}
}

// TestDecodingIsBounded decodes the worst that can be made.
func TestDecodingIsBounded(t *testing.T) {
	number := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	front := []byte{metaFormat, kindEntry, 0x90, 0x03, 0, 0, 0, 0, 0, 0} // status 200, no windows, no marks
	metas := map[string][]byte{"nothing": nil, "huge count": append(bytes.Clone(front), 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)}
	for _, n := range []int{1, 50, 100, 120, 200, 1000, 1366, 2048, 2049, 2200, 4096, 5000, 20_000, 100_000} {
		fields, long := append(append(bytes.Clone(front), 0), number(n)...), append(append(bytes.Clone(front), 0), number(n)...)
		for i := range n {
			fields = append(fields, 2, byte(i), byte(i>>8), 0)
			long = appendStrings(appendString(long, fmt.Sprint("Field-", i)), []string{"a value of 20 bytes."})
		}
		lines := append(append(bytes.Clone(front), 0, 1, 1, 'A'), number(n)...)
		names := append([]byte{metaFormat, kindRecord}, number(n)...)
		metas[fmt.Sprint(n, " fields without lines")] = fields
		metas[fmt.Sprint(n, " common fields")] = long
		metas[fmt.Sprint(n, " empty lines")] = append(lines, make([]byte, n)...)
		metas[fmt.Sprint(n, " lines that end early")] = append(lines, make([]byte, n-1)...)
		metas[fmt.Sprint(n, " names")] = append(names, make([]byte, n)...)
		metas[fmt.Sprint(n, " bytes that select")] = append(appendString(bytes.Clone(front), make([]byte, n)), 0)
		metas[fmt.Sprint(n, " bytes of a date")] = append(appendString(append(bytes.Clone(front), 0, 1), "Last-Modified"), appendStrings(nil, []string{strings.Repeat("x", n)})...)
	}
	for name, meta := range metas {
		t.Run(name, func(t *testing.T) {
			it := &store.Item{Meta: meta}
			bounded(t, len(meta), func() { _, _ = decodeResponse(it) })
		})
	}
}

// TestHeadersOfManyFieldsDecode: what is refused for the bound is no header that
// anybody sends.
func TestHeadersOfManyFieldsDecode(t *testing.T) {
	for _, n := range []int{0, 1, 10, 50, 100} {
		h := http.Header{"Vary": {"Accept", "Accept-Encoding"}}
		for i := range n {
			h[fmt.Sprint("X-Field-", i)] = []string{"a value of 20 bytes."}
		}
		r := &response{status: 200}
		r.setHeader(h)
		if _, err := decodeResponse(&store.Item{Meta: r.encode()}); err != nil {
			t.Errorf("%d fields: %v", n, err)
		}
	}
}

// What could not be decoded again is not stored, and the client is none the worse.
func TestAHeaderThatDoesNotDecodeIsNotStored(t *testing.T) {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(st)
	if err != nil {
		t.Fatal(err)
	}
	for _, vary := range []string{"", "Accept"} {
		runs := 0
		h := c.Handler(Policy{Name: "fields " + vary, TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			runs++
			if vary != "" {
				w.Header().Set("Vary", vary)
			}
			for i := range 400 {
				w.Header()[fmt.Sprint("X", i)] = []string{"1"}
			}
		}))
		for want := 1; want < 3; want++ {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/"+vary, nil))
			status := w.Header().Get("Cache-Status")
			if want == 1 && !strings.HasSuffix(status, "detail=size") || strings.Contains(status, "stored") || runs != want || w.Header().Get("X399") != "1" {
				t.Errorf("after %d runs: %s", runs, status)
			}
		}
	}
}

// What is counted of a response's lines is what they take.
func TestTheLinesOfASecondAreCounted(t *testing.T) {
	const perLine = 16
	for n := range 40 {
		r := &response{lines: make([]string, n)}
		d := r.at(1, &Cache{})
		counted := r.memory() - (&response{}).memory() - heap.Size(n*perLine)
		taken := 0
		if cap(d.lines) > len(d.room) {
			taken = heap.Size(cap(d.lines) * perLine)
		}
		if taken != counted {
			t.Errorf("%d lines: with our own they take %d bytes, %d are counted", n, taken, counted)
		}
	}
}
