package middleware

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A handlerError is a response that something stored may stand in for.
type handlerError struct{ status int }

func (e handlerError) Error() string { return fmt.Sprintf("middleware: handler answered %d", e.status) }

// errUnfit is a response to a question of ours that fits nothing stored.
var errUnfit = errors.New("middleware: handler confirmed or completed something else than what is stored")

// finish says, when the handler has returned, what its response is worth.
func (c *capture) finish() (swr.Made[*response], error) {
	if c.mode == undecided {
		if c.ctx.Err() != nil && c.x.standsIn(c.old) { // its time ended first
			c.why, c.bearing = ReasonError, rescued
			return swr.Made[*response]{}, handlerError{http.StatusGatewayTimeout}
		}
		c.WriteHeader(http.StatusOK)
	}
	switch {
	case c.bearing == unfit:
		return swr.Made[*response]{}, errUnfit
	case c.bearing == confirms:
		return c.keep(c.draft())
	case c.bearing == describes:
		return c.describe()
	case c.mode == pipe, c.mode == mute:
		return swr.Made[*response]{Drop: c.gone}, nil
	case c.bearing == fails, c.bearing == rescued:
		return swr.Made[*response]{}, handlerError{c.status}
	case c.ctx.Err() != nil && c.mode == hold && c.x.standsIn(c.old): // the handler ended because its time did
		c.why, c.bearing = ReasonError, rescued
		return swr.Made[*response]{}, handlerError{http.StatusGatewayTimeout}
	case c.truncated():
		if c.bearing == completes {
			return swr.Made[*response]{}, errUnfit
		}
		c.why = ReasonTruncated
		return swr.Made[*response]{}, nil
	case hasTrailer(c.header):
		if c.bearing == completes {
			return swr.Made[*response]{}, errUnfit
		}
		c.why = ReasonStream
		return swr.Made[*response]{}, nil
	}
	return c.keep(c.draft())
}

// truncated tells whether the body is not what the header promises, or may not
// be because the handler was told to stop.
func (c *capture) truncated() bool {
	n := int64(len(c.body))
	switch {
	case c.bearing == completes && n != c.ask.rest.Len():
		return true
	case c.status == http.StatusPartialContent:
		// Less than its Content-Range says is a smaller part, if there is any of it.
		if span, _, ok := rfc9111.ContentRange(c.sent); ok && (n == 0 || n > span.Len()) {
			return true
		}
	}
	return c.length >= 0 && n != c.length || c.ctx.Err() != nil
}

// keep judges once more, with all that the handler said, and makes what is
// stored.
func (c *capture) keep(d draft) (swr.Made[*response], error) {
	q, j, tags := c.verdict(&d)
	made := swr.Made[*response]{Confirmed: c.bearing == confirms}
	if c.why = j.why; c.why != ReasonNone {
		// What is stored may be made of what its tags do not say.
		made.Drop = c.displaces(&q) || made.Confirmed && j.why == ReasonTags
		if !c.isAnswer() {
			made.Value = c.response(&d, &q, &j)
		}
		return made, nil
	}
	v := c.response(&d, &q, &j)
	v.tags = userTags(tags)
	if !c.isAnswer() {
		made.Value, c.extra = v, c.extras(j.strip)
	}
	if made.Confirmed && v.spares(c.old, tags) {
		return made, nil
	}
	keep, why := c.x.entries(v, j.names, tags, j.keep)
	if c.why = why; why != ReasonNone {
		return made, nil
	}
	for i := range keep {
		keep[i].Reuses = d.reuses
	}
	made.Value, made.Keep, made.Shared = v, keep, j.marks&asked == 0
	return made, nil
}

// verdict judges d, and adds to what judge decides by what it is a response to:
// its tags, and the names that select among what there is already.
func (c *capture) verdict(d *draft) (q question, j judgement, tags []string) {
	p := &c.x.rt.policy
	q = c.question(d.status, d.header)
	if d.isPart() {
		q.status, q.part = http.StatusOK, true
	}
	j = p.judge(q)
	switch {
	case d.isPart() && c.hasGood() && !c.old.isPart():
		j.why = ReasonPartial
	case j.why == ReasonNone && c.bearing != replaces && c.x.rt.credentialed(c.x.facts):
		// Its fields may be one user's: the lifetime that is stored is no leave to share them.
		j.why = p.judge(c.question(d.status, c.sent)).why
	}
	if j.why == ReasonNone {
		tags, j.why = c.x.tags(slices.Concat(d.tags, q.said.tags))
	}
	if j.why == ReasonNone {
		// The names of the record stay: what was selected by them is still
		// there, and a URL whose responses vary by turns keeps its variants.
		j.names, j.why = p.union(slices.Concat(c.x.names, j.names))
	}
	return q, j, tags
}

// extras returns what the handler said in the fields that are not stored: it is
// for its own client.
func (c *capture) extras(strip []string) http.Header {
	h := make(http.Header)
	for _, name := range slices.Concat(strip, c.x.rt.policy.Advanced.StripHeaders) {
		if lines, has := c.sent[name]; has {
			h[name] = lines
		}
	}
	return h
}

// spares tells whether old, which r confirms, may stay as it is: it is asked
// about each time, so that nothing but its header and tags counts, and those are
// the same. That spares a store of all of it at each request.
func (r *response) spares(old *response, tags []string) bool {
	if r.windows != (swr.Windows{}) || old.windows != r.windows || old.marks != r.marks || old.item == nil || !slices.Equal(tags, old.item.Tags) {
		return false
	}
	left, all := old.item.Expires().Sub(r.born.time()), old.item.Expires().Sub(old.born.time())
	a, b := r.header(), old.header()
	delete(a, "Date")
	delete(b, "Date")
	return left > all/2 && maps.EqualFunc(a, b, slices.Equal)
}

// describe compares the response to a HEAD with the stored one to a GET (RFC
// 9111 §4.3.5): it freshens what it describes, and ends what it does not.
func (c *capture) describe() (swr.Made[*response], error) {
	old := c.ask.old
	switch {
	case old == nil, c.status == http.StatusMethodNotAllowed, c.status >= 400 && !aboutResource(c.status):
		return swr.Made[*response]{}, nil
	case c.status == http.StatusPartialContent, c.x.facts&(hasAuthorization|hasCookie) != 0:
		return swr.Made[*response]{}, nil // of this request alone
	case !old.describedBy(c.status, c.sent):
		return swr.Made[*response]{Drop: true}, nil
	case len(c.sent["Etag"])+len(c.sent["Last-Modified"]) == 0:
		return swr.Made[*response]{}, nil // which says nothing of the body
	}
	made, err := c.keep(old.redraft(c.sent))
	made.Value = nil // the answer has gone out
	return made, err
}

// describedBy tells whether the response to a HEAD is about r, or about the
// whole that r is a part of.
func (r *response) describedBy(status int, h http.Header) bool {
	if r.isPart() {
		return status == http.StatusOK && rfc9111.Describes(r.header(), r.size, h)
	}
	return status == r.status && rfc9111.Describes(r.header(), int64(len(r.body)), h)
}

// response is what is stored: the handler's without what is not for others.
func (c *capture) response(d *draft, q *question, j *judgement) *response {
	p := &c.x.rt.policy
	h := headers.Get().(http.Header)
	defer recycle(h)
	maps.Copy(h, d.header)
	rfc9111.RemoveHopByHop(h) // RFC 9111 §3.1
	if j.why == ReasonNone {
		rfc9111.RemoveFields(h, p.Advanced.StripHeaders)
		rfc9111.RemoveFields(h, j.strip) // §5.2.2.4, §5.2.2.7
	}
	for _, name := range [...]string{"Age", "Content-Length", "X-Cache"} {
		delete(h, name) // said anew each time
	}
	if c.status == http.StatusPartialContent {
		delete(h, "Content-Range")
	}

	v := &c.made.response
	*v = response{
		fields: c.made.fields[:0], lines: c.made.lines[:0], status: d.status, body: exact(d.body), span: d.span, size: d.size,
		started: instantOf(c.started), born: instantOf(q.received.Add(-j.age)),
		windows: j.windows, marks: j.marks,
	}
	c.complete(h, d, v, q.received)
	if j.marks&implicit != 0 && j.marks&asked == 0 { // what is asked about may be explicit, and over
		v.windows.Fresh = jittered(v.windows.Fresh, p.Jitter)
	}
	v.setHeader(h)
	return v
}

// headers are emptied maps, for headers that are put together to be taken apart.
var headers = sync.Pool{New: func() any { return make(http.Header) }}

func recycle(h http.Header) {
	if len(h) <= 64 { // or to empty it is dear for whoever has it next
		clear(h)
		headers.Put(h)
	}
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
func (c *capture) complete(h http.Header, d *draft, v *response, received time.Time) {
	if first(h["Date"]) == "" { // RFC 9110 §6.6.1
		h["Date"] = c.take(1)
		h["Date"][0] = c.x.rt.cache.clock.dateOf(received)
	}
	if _, set := h["Content-Type"]; !set && len(d.body) > 0 && !d.isPart() && first(h["Content-Encoding"]) == "" {
		h["Content-Type"] = []string{http.DetectContentType(d.body)}
		c.sent["Content-Type"] = h["Content-Type"]
	}
	if d.status == http.StatusOK && first(h["Etag"]) == "" && !c.x.rt.policy.Advanced.NoETag {
		if d.etag == "" {
			d.etag = etagOf(d.body)
		}
		v.marks |= generated
		h["Etag"] = []string{d.etag}
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
func (x *exchange) entries(v *response, names, tags []string, longer time.Duration) (keep []store.Entry, why Reason) {
	keep = x.capture.kept[:0]
	own := store.Entry{Body: v.body, Tags: tags, Life: v.windows.Life() + longer}
	if len(names) > 0 {
		known := slices.Equal(names, x.names)
		x.selectBy(names)
		if x.unselected {
			return nil, ReasonVaryOn
		}
		v.selected, v.by = bytes.Clone(x.selected), names
		if !known {
			record := response{names: names}
			keep = append(keep, store.Entry{Meta: record.encode(), Life: 2 * own.Life})
		}
		own.Variant = string(x.variant[:])
	}
	if own.Meta = v.encode(); !decodable(len(v.fields), len(v.lines), len(own.Meta)) {
		return nil, ReasonSize
	}
	return append(keep, own), ReasonNone
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
		if t == "" || len(t) > maxTag || isURLTag(t) { // ours alone, see userTags
			return nil, ReasonTags
		}
	}
	if tag := x.urlTag(); tag != "" {
		tags = append(tags, tag)
	}
	return tags, ReasonNone
}
