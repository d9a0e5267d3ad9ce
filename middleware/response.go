package middleware

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/reprise-go/reprise/internal/heap"
	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A response is one response in the form in which it is served: decoded once,
// shared by all, never written to.
type response struct {
	// What a hit reads comes first: the memory of what is asked for seldom is far away.
	item    *store.Item // nil: just made, not read from the store
	born    instant     // when its age was 0
	windows swr.Windows
	status  int
	dated   atomic.Pointer[dated]
	fields  []field  // what is stored of the header, as it goes out
	lines   []string // of all fields, one after another
	body    []byte
	marks   marks
	chained bool // Cache-Status is among the fields

	etag    string  // if it is a strong one
	started instant // when the handler that made it was called

	// Of a part (RFC 9111 §3.3), which has status 206: which bytes body is, and
	// of how many.
	span rfc9111.Span
	size int64

	// selected is the normal form of the request fields that select this
	// variant, as keyed; empty where the URL has no variants.
	selected []byte
	// by are the names that selected it, and tags the user's; known only when it
	// was just made.
	by   []string
	tags []string
	// names, in a Vary record, are what selects: field names, and cookies as
	// "cookie:name". A record has nothing else.
	names []string
}

// A field is a header field. Its lines are those of the response up to end,
// from where the field before ends.
type field struct {
	name    string
	end     int32
	content bool // of a 200, and not of its 304
}

// marks are what later requests must know of how a response came about.
type marks uint8

const (
	implicit  marks = 1 << iota // its freshness is the policy's, not its own
	shared                      // it may answer requests with Authorization (RFC 9111 §3.5)
	firm                        // it must not be used stale (RFC 9111 §4.2.4)
	generated                   // its ETag is ours, and says nothing to the handler
	asked                       // the handler is asked about it each time: it was never fresh
)

// isRecord tells whether r only says which request fields select a variant.
func (r *response) isRecord() bool { return r.names != nil }

// isPart tells whether r holds not all of a response with status 200.
func (r *response) isPart() bool { return r.status == http.StatusPartialContent }

// header returns what is stored of r's header, as the handler made it.
func (r *response) header() http.Header {
	h := r.headerForClients()
	if r.marks&generated != 0 {
		delete(h, "Etag")
	}
	return h
}

// headerForClients returns what is stored of r's header, an ETag of ours too.
func (r *response) headerForClients() http.Header {
	h := make(http.Header, len(r.fields)+1)
	start := int32(0)
	for _, f := range r.fields {
		h[f.name] = r.lines[start:f.end:f.end]
		start = f.end
	}
	return h
}

// fieldLines returns the lines of the field name.
func (r *response) fieldLines(name string) []string {
	start := int32(0)
	for i := range r.fields {
		f := &r.fields[i]
		if f.name == name {
			return r.lines[start:f.end:f.end]
		}
		start = f.end
	}
	return nil
}

// fieldValue returns the first line of the field name.
func (r *response) fieldValue(name string) string {
	return first(r.fieldLines(name))
}

// validators returns the ETag and Last-Modified by which the handler can
// confirm r (RFC 9111 §4.3.1), or "".
func (r *response) validators() (etag, modified string) {
	if r.marks&generated == 0 {
		etag = r.fieldValue("Etag")
	}
	return etag, r.fieldValue("Last-Modified")
}

// userTags are the tags that r was made with, but for our own.
func (r *response) userTags() []string {
	if r.item != nil {
		return userTags(r.item.Tags)
	}
	return r.tags
}

// confirmable tells whether the handler can confirm r: conditions apply to a 2xx
// alone (RFC 9110 §13.2.1), and a malformed ETag confirms nothing.
func (r *response) confirmable() bool {
	if r.status != http.StatusOK && r.status != http.StatusNonAuthoritativeInfo && !r.isPart() {
		return false
	}
	etag, modified := r.validators()
	if etag == "" && modified == "" {
		return false
	}
	h := r.header()
	return rfc9111.Confirms(h, h)
}

// age is how old the response is at now (RFC 9111 §4.2.3).
func (r *response) age(now instant) time.Duration { return now.since(r.born) }

// state is what anybody may do with the response at now.
func (r *response) state(now instant) swr.State {
	age := r.age(now)
	if r.item != nil && r.item.Soft() {
		age = max(age, r.windows.Fresh)
	}
	return r.windows.At(age)
}

// setHeader takes what is stored of h.
func (r *response) setHeader(h http.Header) {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	r.fields, r.lines = slices.Grow(r.fields, len(h)), slices.Grow(r.lines, n)
	for name, values := range h {
		r.lines = append(r.lines, values...)
		r.fields = append(r.fields, field{name: name, end: int32(len(r.lines))})
	}
	r.derive()
}

// derive notes what each answer needs of the header and the body.
func (r *response) derive() {
	for i := range r.fields {
		f := &r.fields[i]
		f.content = slices.Contains(contentFields, f.name)
		r.chained = r.chained || f.name == "Cache-Status"
	}
	r.etag, _ = rfc9111.StrongTag(r.fieldLines("Etag"))
}

// bodyAllowed tells whether a response with status may have content
// (RFC 9110 §6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// askedOften is how many times a response is decoded before its form stays ready.
// Tests set it to 1.
var askedOften uint32 = 4

// memory is what r takes of the heap beside its item, with the lines of one second, in
// bytes.
func (r *response) memory() int {
	const perLine, texts = int(unsafe.Sizeof("")), 64 // of dated
	n := heap.Size(int(unsafe.Sizeof(*r))) + heap.Size(int(unsafe.Sizeof(dated{}))) + texts +
		heap.Size(len(r.fields)*int(unsafe.Sizeof(field{}))) + heap.Size(len(r.names)*perLine) + heap.Size(len(r.lines)*perLine)
	if lines := len(r.lines) + ownLines; lines > len(dated{}.room) {
		n += heap.Size(lines * perLine)
	}
	return n
}
