package middleware

import (
	"net/http"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

// The fields that an answer has beside those that are stored, in the order of
// their lines. The last one is left out where there can be no body.
const (
	lineStatus = iota // Cache-Status
	lineAge
	lineX      // X-Cache
	lineLength // Content-Length
	ownLines
)

// dated are the lines of a response's header as a hit has them for one second:
// those that are stored, and our own.
type dated struct {
	cache *Cache // several may share a store
	age   int64  // in seconds
	own   [ownLines]string
	lines []string  // handed out
	room  [8]string // for them, if they are few
}

// at returns the lines of a hit on r at now, made anew once a second.
func (r *response) at(now instant, c *Cache) *dated {
	age := int64(r.age(now) / time.Second)
	if d := r.dated.Load(); d != nil && d.age == age && d.cache == c {
		return d
	}
	ttl := int64((r.windows.Fresh+time.Second-1)/time.Second) - age
	d := &dated{cache: c, age: age, own: [ownLines]string{
		lineStatus: c.opts.name + "; hit; ttl=" + strconv.FormatInt(ttl, 10),
		lineAge:    strconv.FormatInt(age, 10), lineX: "HIT", lineLength: strconv.Itoa(len(r.body)),
	}}
	if len(r.lines)+ownLines <= len(d.room) {
		d.lines = append(append(d.room[:0], r.lines...), d.own[:]...)
	} else {
		d.lines = d.copy(r)
	}
	r.dated.Store(d)
	return d
}

// copy returns the lines of r at d, for one answer.
func (d *dated) copy(r *response) []string {
	return append(append(make([]string, 0, len(r.lines)+ownLines), r.lines...), d.own[:]...)
}

// forAll returns the lines of r at d, which all answers of this second have in
// common.
func (d *dated) forAll(r *response) []string {
	n := len(r.lines)
	if !d.cache.shares(identical(d.lines[:n], r.lines) && identical(d.lines[n:], d.own[:])) {
		return d.copy(r)
	}
	return d.lines
}

// shares tells whether answers may have values in common. They may not once an
// outer handler has written into what it found in a header, instead of setting
// fields: intact tells that nobody has yet.
func (c *Cache) shares(intact bool) bool {
	if !intact && !c.copies.Swap(true) {
		c.opts.logger.Error("a handler around the cache writes into the header's values; they are copied for each answer from now on")
	}
	return !c.copies.Load()
}

// A bypassed is what all answers that bypass the cache for one reason have in
// common: lines of Cache-Status and X-Cache, as handed out and as they should be.
type bypassed struct{ lines, pristine [2]string }

func newBypassed(name string, why Reason) *bypassed {
	lines := [2]string{name + "; fwd=bypass" + detail(why), xCache[swr.Bypass]}
	return &bypassed{lines, lines}
}

func (b *bypassed) stamp(h http.Header, c *Cache) {
	lines := b.lines[:]
	if !c.shares(identical(lines, b.pristine[:])) {
		lines = slices.Clone(b.pristine[:])
	}
	status := lines[:1:1]
	if len(h) > 0 { // rarely, and a look-up costs as much as a field
		if before := h["Cache-Status"]; len(before) > 0 {
			status = append(slices.Clip(before), status...)
		}
	}
	h["Cache-Status"] = status
	h["X-Cache"] = lines[1:2:2]
}

// identical tells whether a and b, which are of one length, are the very same strings.
func identical(a, b []string) bool {
	b = b[:len(a)]
	for i := range a {
		if unsafe.StringData(a[i]) != unsafe.StringData(b[i]) || len(a[i]) != len(b[i]) {
			return false
		}
	}
	return true
}

// setFields puts an answer's fields in the place of what outer handlers set, with
// lines for values. Vary adds up; so does Cache-Status, if what is stored has none of
// its own. The whole answer has all fields, a 304 in its place those that are not
// about content.
func (r *response) setFields(h http.Header, lines []string, whole bool) {
	empty := len(h) == 0
	start := int32(0)
	for i := range r.fields {
		f := &r.fields[i]
		values := lines[start:f.end:f.end]
		start = f.end
		switch {
		case f.content && !whole:
			continue
		case !empty && f.name == "Vary":
			values = append(slices.Clip(h["Vary"]), values...)
		}
		h[f.name] = values
	}
	own := lines[start:]
	status := own[lineStatus : lineStatus+1 : lineStatus+1]
	if !empty || r.chained { // of caches nearer to the origin
		status = append(slices.Clip(h["Cache-Status"]), status...)
	}
	h["Cache-Status"] = status
	h["Age"] = own[lineAge : lineAge+1 : lineAge+1]
	h["X-Cache"] = own[lineX : lineX+1 : lineX+1]
	switch {
	case whole && bodyAllowed(r.status):
		h["Content-Length"] = own[lineLength : lineLength+1 : lineLength+1]
	case !whole && !empty:
		rfc9111.RemoveFields(h, contentFields)
	}
}
