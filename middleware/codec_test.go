package middleware

import (
	"bytes"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

func sample() *response {
	r := &response{
		status: 203, body: []byte("body"), started: 56, born: 7,
		windows: swr.Windows{Fresh: time.Minute, Stale: time.Hour, Error: 2 * time.Hour},
		marks:   implicit | shared, selected: []byte("Accept=x"),
	}
	r.setHeader(http.Header{"A": {"1", "2"}, "Last-Modified": {"Mon, 02 Jan 2006 15:04:05 GMT"}, "Etag": {`"x"`}, "Suppressed": nil})
	return r
}

func TestAResponseSurvivesTheStore(t *testing.T) {
	want := sample()
	got, err := decodeResponse(&store.Item{Meta: want.encode(), Body: want.body})
	if err != nil {
		t.Fatal(err)
	}
	if got.status != want.status || got.started != want.started || got.born != want.born || got.windows != want.windows ||
		got.marks != want.marks || !bytes.Equal(got.selected, want.selected) || !bytes.Equal(got.body, want.body) ||
		len(got.lines) != 4 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	header := func(r *response) map[string][]string {
		h := make(map[string][]string)
		start := int32(0)
		for _, f := range r.fields {
			h[f.name] = r.lines[start:f.end]
			start = f.end
		}
		return h
	}
	if len(got.fields) != 4 || !reflect.DeepEqual(header(got), header(want)) {
		t.Errorf("header %v, want %v", header(got), header(want))
	}
	record := &response{names: []string{"Accept", "cookie:lang"}}
	got, err = decodeResponse(&store.Item{Meta: record.encode()})
	if err != nil || !reflect.DeepEqual(got.names, record.names) || !got.isRecord() {
		t.Errorf("record: %v, %v", got, err)
	}
}

func TestEveryTruncationAndEveryUnknownFormatIsRefused(t *testing.T) {
	meta := sample().encode()
	for n := range len(meta) {
		if _, err := decodeResponse(&store.Item{Meta: meta[:n]}); err == nil {
			t.Errorf("the first %d of %d bytes decode", n, len(meta))
		}
	}
	for i, b := range []byte{metaFormat + 1, 'x'} {
		changed := bytes.Clone(meta)
		changed[i] = b
		if _, err := decodeResponse(&store.Item{Meta: changed}); err == nil {
			t.Errorf("byte %d = %d decodes", i, b)
		}
	}
	if _, err := decodeResponse(&store.Item{Meta: append(bytes.Clone(meta), 0)}); err == nil {
		t.Error("a byte too many decodes")
	}
}

// FuzzDecodeResponse: whatever bytes come, they decode within the bound or are
// refused, and what decodes encodes to the same response again.
func FuzzDecodeResponse(f *testing.F) {
	part := sample()
	part.status, part.span, part.size = 206, rfc9111.Span{First: 3, Last: 6}, 10
	f.Add(sample().encode(), "body")
	f.Add(part.encode(), "body")
	f.Add(part.encode(), "bod")
	f.Add((&response{names: []string{"Accept"}}).encode(), "")
	f.Add([]byte{metaFormat, kindEntry, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "")
	many := append(sample().encode(), make([]byte, 400)...)
	f.Add(append([]byte{metaFormat, kindRecord, 0x90, 0x03}, many...), "")
	f.Add(append([]byte{metaFormat, kindEntry, 0x90, 0x03, 0, 0, 0, 0, 0, 0, 0, 1, 1, 'A', 0x90, 0x03}, make([]byte, 400)...), "")
	f.Fuzz(func(t *testing.T, meta []byte, body string) {
		it := &store.Item{Meta: meta, Body: []byte(body)}
		var r *response
		var err error
		bounded(t, len(meta), func() { r, err = decodeResponse(it) })
		if err != nil {
			return
		}
		again, err := decodeResponse(&store.Item{Meta: r.encode(), Body: it.Body})
		if err != nil {
			t.Fatalf("%+v does not decode again: %v", r, err)
		}
		same(t, again, r)
		if got := r.headerForClients(); len(got) > len(r.fields) {
			t.Errorf("%d fields are %q", len(r.fields), got)
		}
	})
}

// FuzzResponse: what is stored of a response is what comes back.
func FuzzResponse(f *testing.F) {
	f.Add(uint16(200), int64(5), int64(3), int64(60), int64(0), int64(1), uint8(3), "Accept=x", "A: 1\nA: 2\nLast-Modified: Mon, 02 Jan 2006 15:04:05 GMT", "body", uint8(0))
	f.Add(uint16(206), int64(-5), int64(-3), int64(0), int64(7), int64(0), uint8(31), "", "", "part", uint8(9))
	f.Add(uint16(999), int64(1)<<62, int64(-1)<<62, int64(1)<<60, int64(1)<<60, int64(1)<<60, uint8(255), "\x00", "\x00\xff:\nB", "", uint8(0))
	f.Fuzz(func(t *testing.T, status uint16, started, born, fresh, stale, fallback int64, mark uint8, selected, header, body string, first uint8) {
		window := func(n int64) time.Duration { return time.Duration(n & (1<<61 - 1)) }
		r := &response{
			status: 200 + int(status)%800, started: instant(started), born: instant(born), marks: marks(mark), body: []byte(body), selected: []byte(selected),
			windows: swr.Windows{Fresh: window(fresh), Stale: window(stale), Error: window(fallback)},
		}
		if r.isPart() {
			r.span = rfc9111.Span{First: int64(first), Last: int64(first) + int64(len(body)) - 1}
			r.size = r.span.Last + 1 + int64(mark)
		}
		h := http.Header{}
		for _, line := range strings.Split(header, "\n") {
			if name, value, found := strings.Cut(line, ": "); found {
				h[name] = append(h[name], value)
			} else if line != "" && h[name] == nil {
				h[name] = nil // as who wants no Date has it
			}
		}
		r.setHeader(h)
		it := &store.Item{Meta: r.encode(), Body: r.body}
		got, err := decodeResponse(it)
		if !decodable(len(r.fields), len(r.lines), len(it.Meta)) {
			if err == nil {
				t.Errorf("%d fields in %d bytes decode", len(r.fields), len(it.Meta))
			}
			return
		}
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		same(t, got, r)
		if len(h) > 0 && !reflect.DeepEqual(clipped(got.headerForClients()), clipped(h)) {
			t.Errorf("%q came back as %q", h, got.headerForClients())
		}
	})
}

// clipped has empty lists for nil ones.
func clipped(h http.Header) http.Header {
	for name, lines := range h {
		h[name] = append([]string{}, lines...)
	}
	return h
}

// same fails t where got is not stored as want.
func same(t *testing.T, got, want *response) {
	t.Helper()
	if got.status != want.status || got.started != want.started || got.born != want.born || got.windows != want.windows || got.marks != want.marks ||
		got.span != want.span || got.size != want.size || !bytes.Equal(got.selected, want.selected) || !bytes.Equal(got.body, want.body) ||
		!slices.Equal(got.fields, want.fields) || !slices.Equal(got.lines, want.lines) || !slices.Equal(got.names, want.names) ||
		got.etag != want.etag || got.chained != want.chained {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
