package middleware

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

// A question is what judge needs to know of a request and the response to it.
type question struct {
	facts    facts
	control  rfc9111.Control // the request's, as honoured
	status   int
	header   http.Header // of the response
	part     bool        // of a 200 (RFC 9111 §3.3); status is 200
	post     bool        // the answer to a POST, for later GETs
	outer    []string    // Cache-Control of what is around us, where the response has none
	said     said
	asked    time.Time // when the handler was called
	received time.Time
}

// A judgement says whether a response may be stored, and how.
type judgement struct {
	why     Reason // why not; ReasonNone: it may
	windows swr.Windows
	keep    time.Duration // and how much longer the handler may confirm it
	age     time.Duration // when received
	marks   marks
	names   []string // what selects it, see response.names
	strip   []string // fields that are not for others, or not without asking
}

// life is how long the response is worth storing, from its birth.
func (j *judgement) life() time.Duration { return j.windows.Life() + j.keep }

// judge decides whether and for how long a response is stored (RFC 9111 §3).
// It does no I/O and does not look at the clock.
func (p *Policy) judge(q question) (j judgement) {
	c := p.controls(&q)
	j.strip = c.Fields
	if j.why = p.forbids(&q, c); j.why != ReasonNone {
		return j
	}
	if j.names, j.why = p.selectors(q.header); j.why != ReasonNone {
		return j
	}
	if q.facts&hasAuthorization != 0 && !rfc9111.MayShareAuthorized(c) { // RFC 9111 §3.5
		return judgement{why: ReasonAuthorization}
	}
	if rfc9111.MayShareAuthorized(c) {
		j.marks |= shared
	}
	if !rfc9111.MayServeStale(c) {
		j.marks |= firm
	}
	return p.lifetime(&q, c, j)
}

// controls returns what the response says to this cache: by a field that
// targets it, which is then all that counts (RFC 9213 §2.2) and takes Expires out
// of q, or by Cache-Control.
func (p *Policy) controls(q *question) rfc9111.Control {
	c, targeted := rfc9111.Targeted(q.header, p.Advanced.Targeted)
	if !targeted {
		lines := q.header["Cache-Control"]
		if len(lines) == 0 {
			lines = q.outer
		}
		return rfc9111.ParseControl(lines)
	}
	if len(q.header["Expires"]) > 0 {
		q.header = maps.Clone(q.header)
		delete(q.header, "Expires")
	}
	return c
}

// forbids tells what forbids storing, whatever the freshness.
func (p *Policy) forbids(q *question, c rfc9111.Control) Reason {
	switch {
	case q.said.noStore, c.Is(rfc9111.NoStore) && !c.Is(rfc9111.MustUnderstand): // §5.2.2.5
		return ReasonNoStore
	case c.Is(rfc9111.MustUnderstand) && !rfc9111.Understood(q.status): // §5.2.2.3, which lifts no-store
		return ReasonStatus
	case q.control.Is(rfc9111.NoStore): // §5.2.1.5
		return ReasonRequestNoStore
	case c.Is(rfc9111.Private) || slices.ContainsFunc(c.Fields, essential): // §5.2.2.7
		return ReasonPrivate
	case p.setsCookie(q.header, c):
		return ReasonSetCookie
	case !rfc9111.StorableStatus(q.status), q.status == http.StatusRequestedRangeNotSatisfiable && q.facts&hasRange != 0:
		return ReasonStatus
	case strings.HasPrefix(strings.ToLower(first(q.header["Content-Type"])), "text/event-stream"), len(q.header["Trailer"]) > 0:
		return ReasonStream
	case p.oversize(q.header):
		return ReasonSize
	}
	return ReasonNone
}

// essential tells whether a response cannot be understood without the field,
// so that one who withholds it withholds the whole.
func essential(field string) bool {
	switch field {
	case "Cache-Control", "Content-Encoding", "Content-Type", "Vary":
		return true
	}
	return false
}

// setsCookie tells whether what is stored of a response would have Set-Cookie.
func (p *Policy) setsCookie(h http.Header, c rfc9111.Control) bool {
	return len(h["Set-Cookie"]) > 0 && !p.Advanced.DangerouslyStoreSetCookie &&
		!slices.Contains(p.Advanced.StripHeaders, "Set-Cookie") && !slices.Contains(c.Fields, "Set-Cookie")
}

// oversize tells whether a response with header h is over the policy's limits,
// by what it promises.
func (p *Policy) oversize(h http.Header) bool {
	if n, ok := contentLength(h); ok && n > p.Limits.Body {
		return true
	}
	size := 0
	for name, values := range h {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	return size > p.Limits.Header
}

// contentLength returns what h promises, if it does. Most handlers leave that to
// net/http, and an error for it would be an allocation.
func contentLength(h http.Header) (n int64, ok bool) {
	line := first(h["Content-Length"])
	if line == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(line, 10, 64)
	return n, err == nil && n >= 0
}

// first returns the first of a field's lines, or "".
func first(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// selectors returns what selects the response among variants: its own Vary
// (RFC 9111 §4.1) and what the policy adds. A response that varies by
// credentials is not shared, unless the policy names them.
func (p *Policy) selectors(h http.Header) ([]string, Reason) {
	names, star := rfc9111.Vary(h)
	if star {
		return nil, ReasonVaryOn
	}
	for _, name := range names {
		if (name == "Cookie" || name == "Authorization") && !slices.Contains(p.Vary, name) {
			return nil, ReasonVaryOn
		}
	}
	var cookies []string
	for _, c := range p.Cookies.Vary {
		cookies = append(cookies, cookiePrefix+c)
	}
	return p.union(slices.Concat(names, p.Vary, cookies))
}

// union sorts names, fields before cookies, and takes each once.
func (p *Policy) union(names []string) ([]string, Reason) {
	slices.SortFunc(names, func(a, b string) int {
		ca, cb := strings.HasPrefix(a, cookiePrefix), strings.HasPrefix(b, cookiePrefix)
		switch {
		case ca == cb:
			return strings.Compare(a, b)
		case ca:
			return 1
		default:
			return -1
		}
	})
	names = slices.Compact(names)
	if len(names) > p.Limits.VaryOn {
		return nil, ReasonVaryOn
	}
	return names, ReasonNone
}

// forAll tells whether what a response says that is not stored for reason why
// holds for the resource, and not for one request: then an older one must not be
// used any more.
func (q *question) forAll(why Reason) bool {
	if q.facts&(hasAuthorization|hasCookie) != 0 || q.part {
		return false
	}
	switch why {
	case ReasonNoStore, ReasonNoCache, ReasonPrivate, ReasonStatus, ReasonNoFreshness, ReasonVaryOn:
	default:
		return false
	}
	switch q.status {
	case http.StatusPartialContent, http.StatusNotModified: // of this request's own range and conditions
		return false
	}
	return q.status < 400 || aboutResource(q.status)
}

// aboutResource tells whether an error says something of the resource, rather
// than of the request, or of the server's state.
func aboutResource(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusGone, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}
