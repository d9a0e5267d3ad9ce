package middleware

import (
	"bytes"
	"net/http"
	"reflect"
	"testing"
	"time"

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
		got.length != "4" || len(got.lines) != 4 {
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

// Whatever bytes come, decoding does not panic, and what decodes encodes to the
// same response again.
func FuzzDecodeResponse(f *testing.F) {
	f.Add(sample().encode())
	f.Add((&response{names: []string{"Accept"}}).encode())
	f.Add([]byte{metaFormat, kindEntry, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, meta []byte) {
		r, err := decodeResponse(&store.Item{Meta: meta})
		if err != nil {
			return
		}
		again, err := decodeResponse(&store.Item{Meta: r.encode()})
		if err != nil {
			t.Fatalf("does not decode again: %v", err)
		}
		if again.status != r.status || again.windows != r.windows || len(again.lines) != len(r.lines) || !reflect.DeepEqual(again.names, r.names) {
			t.Errorf("%+v became %+v", r, again)
		}
	})
}
