package middleware

import (
	"bytes"
	"errors"
	"io"
	"net/http"
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
