package middleware

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
)

// content returns what http.ServeContent answers conditions and ranges from:
// the body of a 200, whole or in part, and nil for any other response.
func (r *response) content() io.ReadSeeker {
	switch {
	case r.isPart():
		return &partReader{part: r}
	case r.status == http.StatusOK:
		return bytes.NewReader(r.body)
	}
	return nil
}

// A partReader reads a part at the place where it is in the whole. Where the
// part does not reach it fails; exchange.within has made sure that nobody asks.
type partReader struct {
	part *response
	at   int64
}

var errOutside = errors.New("middleware: outside of the part that is stored")

func (p *partReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.part.size
	}
	if offset < 0 {
		return 0, errOutside
	}
	p.at = offset
	return offset, nil
}

func (p *partReader) Read(b []byte) (int, error) {
	if p.at < p.part.span.First || p.at > p.part.span.Last {
		return 0, errOutside
	}
	n := copy(b, p.part.body[p.at-p.part.span.First:])
	p.at += int64(n)
	return n, nil
}

// sendBody answers the client's conditions and ranges (RFC 9110 §13, §14) from
// v, and otherwise sends body. v is nil where that goes out as it is.
func (x *exchange) sendBody(v *response, status int, body []byte) {
	switch {
	case v == nil:
	case x.facts&hasConditional != 0 && v.notModified(x.r.Header, x.now):
		rfc9111.RemoveFields(x.w.Header(), contentFields)
		x.w.WriteHeader(http.StatusNotModified)
		return
	case x.facts&hasRange != 0 && x.ranged(v):
		if content := v.content(); content != nil {
			x.serveRange(v, content)
			return
		}
	}
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead && len(body) > 0 {
		x.w.Write(body)
	}
}

// contentFields are those of a 200 that its 304 does not have, as http.ServeContent
// sees it (RFC 9110 §15.4.5).
var contentFields = []string{"Content-Type", "Content-Length", "Content-Encoding"}

// notModified tells whether a client that has these conditions has r already
// (RFC 9111 §4.3.2). Where r has no Last-Modified, its Date counts.
func (r *response) notModified(request http.Header, now instant) bool {
	if r.status != http.StatusOK && !r.isPart() {
		return false
	}
	if lines := request["If-None-Match"]; len(lines) == 1 && lines[0] == r.etag && r.etag != "" {
		return true // what most of them send
	}
	modified := r.fieldLines("Last-Modified")
	if len(modified) == 0 {
		modified = r.fieldLines("Date")
	}
	return rfc9111.NotModified(request, r.fieldLines("Etag"), modified, now.time())
}

// serveRange answers a Range alone: the conditions have been answered.
func (x *exchange) serveRange(v *response, content io.ReadSeeker) {
	h := x.w.Header()
	delete(h, "Content-Length")
	if _, typed := h["Content-Type"]; !typed {
		h["Content-Type"] = nil // or it would be guessed
	}
	r := *x.r
	_, set, _ := strings.Cut(x.r.Header["Range"][0], "=")
	r.Header = http.Header{"Range": {"bytes=" + set}} // the one form that http.ServeContent understands
	http.ServeContent(x.w, &r, "", time.Time{}, content)
}

// ranged tells whether the client wants its ranges of v: it does without an
// If-Range, or if that holds (RFC 9110 §13.1.5).
func (x *exchange) ranged(v *response) bool {
	lines := x.r.Header["If-Range"]
	if len(lines) == 0 {
		return true
	}
	return len(lines) == 1 && rfc9111.IfRange(lines[0], v.headerForClients())
}
