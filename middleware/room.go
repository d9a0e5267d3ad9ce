package middleware

import (
	"net/http"

	"github.com/reprise-go/reprise/store"
)

// A room is for what is made of most responses, so that to make it is no
// allocation of its own.
type room struct {
	lines [16]string // of headers
	used  int        // of lines
	kept  [2]store.Entry
	made  struct {
		response response
		fields   [8]field
		lines    [8]string
	}
}

// take returns room for n lines.
func (r *room) take(n int) []string {
	if n > len(r.lines)-r.used {
		return make([]string, n)
	}
	r.used += n
	return r.lines[r.used-n : r.used : r.used]
}

// clone is h.Clone in r.
func (r *room) clone(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	n := 0
	for _, lines := range h {
		n += len(lines)
	}
	left, clone := r.take(n), make(http.Header, len(h))
	for name, lines := range h {
		if lines != nil { // or it would no longer be nil, by which net/http is told to send no Date
			n = copy(left, lines)
			lines, left = left[:n:n], left[n:]
		}
		clone[name] = lines
	}
	return clone
}
