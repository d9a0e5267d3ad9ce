package middleware

import (
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
	outer    []string    // Cache-Control of what is around us, where the response has none
	said     said
	asked    time.Time // when the handler was called
	received time.Time
}

// A judgement says whether a response may be stored, and how.
type judgement struct {
	why     Reason // why not; ReasonNone: it may
	windows swr.Windows
	age     time.Duration // when received
	marks   marks
	names   []string // what selects it, see response.names
}

// judge decides whether and for how long a response is stored (RFC 9111 §3).
// It does no I/O and does not look at the clock.
func (p *Policy) judge(q *question) (j judgement) {
	c := rfc9111.ParseControl(slices.Concat(q.header["Cache-Control"], q.outer))
	if j.why = p.forbids(q, c); j.why != ReasonNone {
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
	return p.lifetime(q, c, j)
}

// forbids tells what forbids storing, whatever the freshness.
func (p *Policy) forbids(q *question, c rfc9111.Control) Reason {
	switch {
	case q.said.noStore || c.Is(rfc9111.NoStore): // §5.2.2.5
		return ReasonNoStore
	case q.control.Is(rfc9111.NoStore): // §5.2.1.5
		return ReasonRequestNoStore
	case c.Is(rfc9111.Private | rfc9111.PrivateFields): // §5.2.2.7
		return ReasonPrivate
	case c.Is(rfc9111.NoCache | rfc9111.NoCacheFields): // §5.2.2.4: not used without asking, so not worth keeping
		return ReasonNoCache
	case len(q.header["Set-Cookie"]) > 0 && !p.Advanced.DangerouslyStoreSetCookie && !slices.Contains(p.Advanced.StripHeaders, "Set-Cookie"):
		return ReasonSetCookie
	case !rfc9111.StorableStatus(q.status):
		return ReasonStatus
	case q.status >= 300 && q.status < 400 && q.status != http.StatusMultipleChoices && q.header.Get("Location") == "":
		return ReasonStatus
	case strings.HasPrefix(strings.ToLower(q.header.Get("Content-Type")), "text/event-stream"), len(q.header["Trailer"]) > 0:
		return ReasonStream
	case p.oversize(q.header):
		return ReasonSize
	}
	return ReasonNone
}

// oversize tells whether a response with header h is over the policy's limits,
// by what it promises.
func (p *Policy) oversize(h http.Header) bool {
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n > p.Limits.Body {
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

// lifetime completes j with how long the response is fresh and stale.
func (p *Policy) lifetime(q *question, c rfc9111.Control, j judgement) judgement {
	fresh, explicit := rfc9111.Lifetime(q.header, c, q.received)
	if !explicit || q.said.hasTTL {
		if q.facts&hasCookie != 0 && !p.Cookies.ignored() {
			return judgement{why: ReasonCookies}
		}
		if q.facts&hasAuthorization != 0 {
			return judgement{why: ReasonAuthorization}
		}
		j.marks |= implicit
		ttl, named := p.Statuses[q.status]
		switch {
		case q.said.hasTTL:
			ttl = q.said.ttl
		case !named:
			return judgement{why: ReasonStatus}
		}
		fresh = ttl
	}
	if q.relayed() {
		j.age = rfc9111.InitialAge(q.header, q.asked, q.received)
	}
	w := swr.Windows{Fresh: fresh, Stale: p.StaleWhileRevalidate, Error: p.StaleIfError}
	p.staleness(&w, c)
	j.windows = swr.Windows{Fresh: min(w.Fresh, maxWindow), Stale: min(w.Stale, maxWindow), Error: min(w.Error, maxWindow)}
	if fresh <= 0 || j.windows.Life() <= j.age {
		return judgement{why: ReasonNoFreshness}
	}
	return j
}

// maxWindow keeps sums of lifetimes and dates within what a Duration can hold.
const maxWindow = 20 * 365 * 24 * time.Hour

// relayed tells whether the response comes from elsewhere and was under way
// for a while: then that time counts (RFC 9111 §4.2.3). What the handler makes
// itself is new when it is done.
func (q *question) relayed() bool {
	return len(q.header["Age"])+len(q.header["Date"]) > 0
}

// staleness sets the windows in which the response may be served stale
// (RFC 9111 §4.2.4, RFC 5861). With s-maxage, only the response's own word
// counts, not the policy's: §5.2.2.10 with §4.2.4 would have neither, but a
// response that names both means what every CDN takes it to mean.
func (p *Policy) staleness(w *swr.Windows, c rfc9111.Control) {
	if c.Is(rfc9111.MustRevalidate | rfc9111.ProxyRevalidate) {
		w.Stale, w.Error = 0, 0
		return
	}
	if c.Is(rfc9111.SMaxAge) {
		w.Stale, w.Error = 0, 0
	}
	if c.Is(rfc9111.StaleWhileRevalidate) {
		w.Stale = c.StaleWhileRevalidate
	}
	if c.Is(rfc9111.StaleIfError) {
		w.Error = c.StaleIfError
	}
}

// displaces tells whether a response that is not stored for reason why means
// that an older one must not be used any more: what it says holds for the
// resource, not for one request.
func (q *question) displaces(why Reason) bool {
	if q.facts&(hasAuthorization|hasCookie) != 0 {
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
