package middleware

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A handlerError is a response that something stored may stand in for.
type handlerError struct{ status int }

func (e handlerError) Error() string { return fmt.Sprintf("middleware: handler answered %d", e.status) }

// finish says, when the handler has returned, what its response is worth.
func (c *capture) finish() (swr.Made[*response], error) {
	if c.mode == undecided {
		c.WriteHeader(http.StatusOK)
	}
	switch {
	case c.mode == pipe:
		return swr.Made[*response]{Drop: c.gone}, nil
	case c.failing:
		return swr.Made[*response]{}, handlerError{c.status}
	case c.length >= 0 && int64(len(c.body)) != c.length, c.ctx.Err() != nil:
		c.why = ReasonTruncated // or the handler ended because its time did
		return swr.Made[*response]{}, nil
	case slices.ContainsFunc(slices.Collect(maps.Keys(c.header)), isTrailer):
		c.why = ReasonStream
		return swr.Made[*response]{}, nil
	}
	return c.keep()
}

// keep judges once more, with all that the handler said, and makes what is
// stored.
func (c *capture) keep() (swr.Made[*response], error) {
	q := c.question()
	p := &c.x.rt.policy
	j := p.judge(&q)
	var tags []string
	if j.why == ReasonNone {
		tags, j.why = c.x.tags(q.said.tags)
	}
	var names []string
	if j.why == ReasonNone {
		// The names of the record stay: what was selected by them is still
		// there, and a URL whose responses vary by turns keeps its variants.
		names, j.why = p.union(slices.Concat(c.x.names, j.names))
	}
	if c.why = j.why; c.why != ReasonNone {
		return swr.Made[*response]{Drop: c.displaces(&q)}, nil
	}
	v := c.response(&q, &j)
	keep, ok := c.x.entries(v, names, tags)
	if !ok {
		c.why = ReasonVaryOn
		return swr.Made[*response]{}, nil
	}
	return swr.Made[*response]{Value: v, Keep: keep, Shared: true}, nil
}

// response is what is stored: the handler's without what is not for others.
func (c *capture) response(q *question, j *judgement) *response {
	p := &c.x.rt.policy
	h := c.sent.Clone()
	rfc9111.RemoveHopByHop(h) // RFC 9111 §3.1
	rfc9111.RemoveFields(h, p.Advanced.StripHeaders)
	rfc9111.RemoveFields(h, []string{"Age", "Content-Length", "X-Cache"}) // said anew each time
	c.complete(h, q.received)

	v := &response{
		status: c.status, body: exact(c.body), started: instantOf(c.started), born: instantOf(q.received.Add(-j.age)),
		windows: j.windows, marks: j.marks,
	}
	if j.marks&implicit != 0 {
		v.windows.Fresh = jittered(v.windows.Fresh, p.Jitter)
	}
	v.setHeader(h)
	return v
}

// exact returns b without more spare room than an eighth: a store counts what it
// keeps by its length.
func exact(b []byte) []byte {
	if cap(b)-len(b) > len(b)/8 {
		return bytes.Clone(b)
	}
	return b
}

// complete adds what net/http would add behind our back at the first answer,
// so that the later ones are the same, and a validator where there is none.
func (c *capture) complete(h http.Header, received time.Time) {
	if h.Get("Date") == "" { // RFC 9110 §6.6.1
		h["Date"] = []string{received.UTC().Format(http.TimeFormat)}
	}
	if _, set := h["Content-Type"]; !set && len(c.body) > 0 && h.Get("Content-Encoding") == "" {
		h["Content-Type"] = []string{http.DetectContentType(c.body)}
	}
	if c.status == http.StatusOK && h.Get("Etag") == "" && !c.x.rt.policy.Advanced.NoETag {
		h["Etag"] = []string{etagOf(c.body)}
		c.sent["Etag"] = h["Etag"]
	}
}

// etagOf returns a strong validator (RFC 9110 §8.8.1). A cryptographic hash:
// two bodies that share it would be taken for one by every client.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// entries returns what to store for v: the response, or where something
// selects it, the variant, and the Vary record if that is not there already.
func (x *exchange) entries(v *response, names, tags []string) (keep []store.Entry, ok bool) {
	life := v.windows.Life()
	if len(names) == 0 {
		return []store.Entry{{Meta: v.encode(), Body: v.body, Tags: tags, Life: life}}, true
	}
	known := slices.Equal(names, x.names)
	x.selectBy(names)
	if x.unselected {
		return nil, false
	}
	v.selected, v.by = bytes.Clone(x.selected), names
	if !known {
		record := response{names: names}
		keep = append(keep, store.Entry{Meta: record.encode(), Life: 2 * life})
	}
	return append(keep, store.Entry{Variant: string(x.variant[:]), Meta: v.encode(), Body: v.body, Tags: tags, Life: life}), true
}

// maxTag is how long a tag may be, in bytes.
const maxTag = 256

// tags returns all tags of the response, once each.
func (x *exchange) tags(said []string) ([]string, Reason) {
	p := &x.rt.policy
	tags := said
	if p.Tags != nil {
		tags = slices.Concat(tags, p.Tags(x.r))
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	if len(tags) > p.Limits.Tags {
		return nil, ReasonTags
	}
	for _, t := range tags {
		if t == "" || len(t) > maxTag {
			return nil, ReasonTags
		}
	}
	if tag := x.urlTag(); tag != "" {
		tags = append(tags, tag)
	}
	return tags, ReasonNone
}
