package middleware

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/reprise-go/reprise/internal/rfc9111"
)

const wholeText = "0123456789"

// partOf is the part of wholeText from first to last, with an ETag.
func partOf(first, last int64, etag string) *response {
	r := &response{
		status: http.StatusPartialContent, body: []byte(wholeText[first : last+1]),
		span: rfc9111.Span{First: first, Last: last}, size: int64(len(wholeText)),
	}
	r.setHeader(http.Header{"Etag": {etag}, "X-Old": {"1"}})
	return r
}

// Every part joined to every other: without a gap it is all of both, and
// otherwise the newer one is as it was (RFC 9111 §3.4).
func TestA18_PartsAreJoined(t *testing.T) {
	size := int64(len(wholeText))
	for a := range size {
		for b := a; b < size; b++ {
			for c := range size {
				for d := c; d < size; d++ {
					newer := partOf(c, d, `"v1"`)
					draft := newer.redraft(http.Header{})
					draft.join(partOf(a, b, `"v1"`), size)
					want := rfc9111.Span{First: c, Last: d}
					joins := c <= b+1 && a <= d+1
					if joins {
						want = rfc9111.Span{First: min(a, c), Last: max(b, d)}
					}
					if draft.span != want || string(draft.body) != wholeText[want.First:want.Last+1] {
						t.Fatalf("%d-%d and %d-%d: %v %q", a, b, c, d, draft.span, draft.body)
					}
				}
			}
		}
	}
}

func TestA18_PartsAreNotJoined(t *testing.T) {
	for name, c := range map[string]struct {
		old   *response
		etag  string
		size  int64
		limit int64
	}{
		"of another whole": {partOf(0, 4, `"v1"`), `"v2"`, 10, 10},
		"by a weak tag":    {partOf(0, 4, `W/"v1"`), `W/"v1"`, 10, 10},
		"without a tag":    {partOf(0, 4, ""), "", 10, 10},
		"of another size":  {partOf(0, 4, `"v1"`), `"v1"`, 11, 10},
		"over the limit":   {partOf(0, 4, `"v1"`), `"v1"`, 10, 9},
	} {
		d := partOf(5, 9, c.etag).redraft(http.Header{})
		d.size = c.size
		d.join(c.old, c.limit)
		if d.status != http.StatusPartialContent || string(d.body) != "56789" {
			t.Errorf("%s: %d %q", name, d.status, d.body)
		}
	}
}

func TestAPartReaderReadsWhereThePartIs(t *testing.T) {
	p := &partReader{part: partOf(3, 6, "")}
	if n, err := p.Seek(0, io.SeekEnd); n != 10 || err != nil {
		t.Errorf("the end is at %d, %v", n, err)
	}
	if _, err := p.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := io.CopyN(&got, p, 3); err != nil || got.String() != "456" {
		t.Errorf("read %q, %v", got.String(), err)
	}
	for _, at := range []int64{0, 2, 7, 9, 10} {
		if _, err := p.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if n, err := p.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("at %d it reads %d bytes", at, n)
		}
	}
	if _, err := p.Seek(-1, io.SeekStart); err == nil {
		t.Error("before the beginning")
	}
}
