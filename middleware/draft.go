package middleware

import (
	"net/http"
	"slices"

	"github.com/reprise-go/reprise/internal/rfc9111"
)

// A draft is a response that may be stored, as the handler meant it: what it
// wrote, or what is stored with that put in.
type draft struct {
	status int
	header http.Header
	body   []byte
	span   rfc9111.Span // of a part, which has status 206
	size   int64
	etag   string   // that was made for the body before, or ""
	tags   []string // beside those the handler has said now
	reuses bool     // it has of the body that was stored
}

// draft puts together what the handler's response amounts to.
func (c *capture) draft() draft {
	old := c.ask.old
	switch {
	case c.bearing == confirms:
		return old.redraft(c.sent)
	case c.status == http.StatusPartialContent:
		d := draft{status: c.status, header: c.sent, body: c.body}
		d.span, d.size, _ = rfc9111.ContentRange(c.sent)
		d.span.Last = d.span.First + int64(len(c.body)) - 1 // RFC 9111 §3.3: what has come
		if old != nil && old.isPart() {
			d.join(old, c.x.rt.policy.Limits.Body)
		}
		if d.span.Len() == d.size {
			d.status = http.StatusOK
		}
		return d
	}
	return draft{status: c.status, header: c.sent, body: c.body}
}

// redraft returns r with the header fields of update, a 304 to a condition of
// ours or a 200 to a HEAD, in the place of its own (RFC 9111 §3.2). What r was
// made of, it is still made of: its tags stay.
func (r *response) redraft(update http.Header) draft {
	d := draft{status: r.status, header: rfc9111.Freshen(r.header(), update), body: r.body, span: r.span, size: r.size, reuses: true}
	if r.item != nil {
		d.tags = userTags(r.item.Tags)
	}
	if r.marks&generated != 0 && d.header.Get("Etag") == "" {
		d.etag = r.fieldValue("Etag")
	}
	return d
}

// join adds to d, a part, what old has of the same whole (RFC 9111 §3.4), if
// no gap is left and it is not more than limit. The newer one's fields win.
func (d *draft) join(old *response, limit int64) {
	first, second := old.span, d.span
	head, tail := old.body, d.body
	if first.First > second.First {
		first, second, head, tail = second, first, tail, head
	}
	if old.size != d.size || second.First > first.Last+1 || !sameWhole(old.header(), d.header) {
		return
	}
	joined := rfc9111.Span{First: first.First, Last: max(first.Last, second.Last)}
	if joined.Len() > limit {
		return
	}
	d.header = rfc9111.Freshen(old.header(), d.header)
	behind := min(second.Last+1-first.First, int64(len(head))) // where head goes on, if it does
	d.body = slices.Concat(head[:second.First-first.First], tail, head[behind:])
	if old.item != nil {
		d.tags = userTags(old.item.Tags)
	}
	d.span, d.reuses = joined, true
}

// isPart tells whether d has not all of its whole.
func (d *draft) isPart() bool { return d.status == http.StatusPartialContent }
