package middleware

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A response is one response in the form in which it is served: decoded once,
// shared by all, never written to.
type response struct {
	item *store.Item // nil: just made, not read from the store

	status int
	fields []field  // what is stored of the header, as it goes out
	lines  []string // of all fields, one after another
	body   []byte
	length string // Content-Length

	started instant // when the handler that made it was called
	born    instant // when its age was 0
	windows swr.Windows
	marks   marks

	etag     bool      // it has an ETag
	modified time.Time // Last-Modified, or zero

	// selected is the normal form of the request fields that select this
	// variant, as keyed; empty where the URL has no variants.
	selected []byte
	// by are the names that selected it; known only when it was just made.
	by []string
	// names, in a Vary record, are what selects: field names, and cookies as
	// "cookie:name". A record has nothing else.
	names []string

	dated atomic.Pointer[dated]
}

// A field is a header field. Its lines are those of the response up to end,
// from where the field before ends.
type field struct {
	name string
	end  int
}

// marks are what later requests must know of how a response came about.
type marks uint8

const (
	implicit marks = 1 << iota // its freshness is the policy's, not its own
	shared                     // it may answer requests with Authorization (RFC 9111 §3.5)
)

// isRecord tells whether r only says which request fields select a variant.
func (r *response) isRecord() bool { return r.names != nil }

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

// dated are the header values that change once a second.
type dated struct {
	name    string // of the cache; several may share a store
	age     int64
	seconds string // of age
	hit     string // our member of Cache-Status for a hit
}

// at returns r's Age and Cache-Status, made anew once a second.
func (r *response) at(now instant, cacheName string) *dated {
	age := int64(r.age(now) / time.Second)
	if d := r.dated.Load(); d != nil && d.age == age && d.name == cacheName {
		return d
	}
	ttl := int64((r.windows.Fresh+time.Second-1)/time.Second) - age
	d := &dated{
		name:    cacheName,
		age:     age,
		seconds: strconv.FormatInt(age, 10),
		hit:     cacheName + "; hit; ttl=" + strconv.FormatInt(ttl, 10),
	}
	r.dated.Store(d)
	return d
}

// setHeader takes what is stored of h; the caller gives h away.
func (r *response) setHeader(h http.Header) {
	r.fields = make([]field, 0, len(h))
	for name, values := range h {
		r.lines = append(r.lines, values...)
		r.fields = append(r.fields, field{name, len(r.lines)})
		switch name {
		case "Etag":
			r.etag = true
		case "Last-Modified":
			r.modified, _ = http.ParseTime(h.Get(name))
		}
	}
	r.length = strconv.Itoa(len(r.body))
}

// bodyAllowed tells whether a response with status may have content
// (RFC 9110 §6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
