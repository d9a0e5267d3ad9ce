package middleware

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

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
	if v != nil && x.facts&(hasConditional|hasRange) != 0 {
		if content := v.content(); content != nil {
			x.serveContent(v, content)
			return
		}
	}
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead && len(body) > 0 {
		x.w.Write(body)
	}
}

func (x *exchange) serveContent(v *response, content io.ReadSeeker) {
	h := x.w.Header()
	delete(h, "Content-Length")
	if _, typed := h["Content-Type"]; !typed {
		h["Content-Type"] = nil // or it would be guessed
	}
	r := *x.r
	r.Header = x.conditions(v)
	http.ServeContent(x.w, &r, "", v.modified, content)
}

// conditions returns the client's conditions and range, as far as a cache has
// to answer them (RFC 9111 §4.3.2) and in the one form in which
// http.ServeContent understands them.
func (x *exchange) conditions(v *response) http.Header {
	h := make(http.Header, 4)
	if tags := x.r.Header["If-None-Match"]; len(tags) > 0 {
		h["If-None-Match"] = []string{strings.Join(tags, ", ")}
	} else if since := x.r.Header["If-Modified-Since"]; len(since) > 0 {
		x.since(h, v, since[0])
	}
	if x.facts&hasRange != 0 && x.ranged(v) {
		_, set, _ := strings.Cut(x.r.Header["Range"][0], "=")
		h["Range"] = []string{"bytes=" + set}
	}
	return h
}

// since puts an If-Modified-Since into h. Where v has no Last-Modified, its Date
// counts (RFC 9111 §4.3.2): http.ServeContent does not know that, and would send
// out what it is given for a Last-Modified.
func (x *exchange) since(h http.Header, v *response, line string) {
	t, ok := rfc9111.ParseDate(line, x.now.time())
	switch {
	case !ok: // RFC 9110 §13.1.3: no condition
	case !v.modified.IsZero():
		h["If-Modified-Since"] = []string{t.UTC().Format(http.TimeFormat)}
	case !v.date().After(t):
		h["If-None-Match"] = []string{"*"}
	}
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
