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
func (p *Policy) judge(q *question) (j judgement) {
	c := p.controls(q)
	j.strip = c.Fields
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
	if !rfc9111.MayServeStale(c) {
		j.marks |= firm
	}
	return p.lifetime(q, c, j)
}

// controls returns what the response says to this cache: by a field that
// targets it, which is then all that counts (RFC 9213 §2.2), or by Cache-Control.
func (p *Policy) controls(q *question) rfc9111.Control {
	c, targeted := rfc9111.Targeted(q.header, p.Advanced.Targeted)
	if !targeted {
		return rfc9111.ParseControl(slices.Concat(q.header["Cache-Control"], q.outer))
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
	case !rfc9111.StorableStatus(q.status):
		return ReasonStatus
	case strings.HasPrefix(strings.ToLower(q.header.Get("Content-Type")), "text/event-stream"), len(q.header["Trailer"]) > 0:
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

// lifetime completes j with how long the response is fresh and stale, and how
// long the handler may confirm it.
func (p *Policy) lifetime(q *question, c rfc9111.Control, j judgement) judgement {
	fresh, explicit := rfc9111.Lifetime(q.header, c, q.received)
	switch {
	case c.Is(rfc9111.NoCache): // §5.2.2.4: fresh or not, the handler is asked
		fresh, j.marks = 0, j.marks|implicit
	case !explicit || q.said.hasTTL:
		fresh, j.marks = p.implicitLifetime(q, c), j.marks|implicit
	}
	if q.relayed() {
		j.age = rfc9111.InitialAge(q.header, q.asked, q.received)
	}
	j.windows = p.staleness(fresh, c)
	if j.windows.Fresh+j.windows.Stale == 0 {
		j.marks |= implicit // it is the handler's word that it cannot be used as it is
	}
	if explicit || fresh > 0 || c.Is(asks) {
		j.keep = p.keepFor(q)
	}
	switch {
	case j.life() <= j.age:
		j.why = p.lifeless(q, c, explicit)
	case j.marks&implicit == 0:
	case q.facts&hasCookie != 0 && !p.Cookies.ignored():
		j.why = ReasonCookies
	case q.facts&hasAuthorization != 0:
		j.why = ReasonAuthorization
	case q.post: // RFC 9110 §9.3.3
		j.why = ReasonMethod
	}
	return j
}

// implicitLifetime is the policy's freshness for a response without its own.
func (p *Policy) implicitLifetime(q *question, c rfc9111.Control) time.Duration {
	if q.said.hasTTL {
		return q.said.ttl
	}
	ttl, _ := p.ttl(q)
	if ttl == 0 && p.Advanced.Heuristic {
		ttl, _ = rfc9111.Heuristic(q.status, q.header, c, q.received)
	}
	return ttl
}

// ttl is the policy's lifetime for the response's status, and whether it has
// one. A redirect that leads nowhere has none: something is wrong with it.
func (p *Policy) ttl(q *question) (time.Duration, bool) {
	if 300 < q.status && q.status < 400 && q.header.Get("Location") == "" {
		return 0, false
	}
	ttl, named := p.Statuses[q.status]
	return ttl, named
}

// asks are the directives by which a response without a lifetime says that a
// cache may keep it. One that says nothing is not kept for its validator: who
// writes no Cache-Control may answer by anything, with the same ETag for all.
const asks = rfc9111.NoCache | rfc9111.Public | rfc9111.MustRevalidate | rfc9111.ProxyRevalidate

// keepFor is how long past its use a response is kept because its
// validators let the handler confirm it. Only a 200 is (RFC 9110 §13.2.1), and
// a handler who said SetTTL(0) means less than that.
func (p *Policy) keepFor(q *question) time.Duration {
	switch {
	case q.status != http.StatusOK && q.status != http.StatusNonAuthoritativeInfo, q.said.hasTTL && q.said.ttl <= 0, q.post:
		return 0
	case len(q.header["Etag"]) == 1 || len(q.header["Last-Modified"]) == 1:
		return p.Advanced.Keep
	}
	return 0
}

// lifeless is why a response that is of no use for any time is not stored.
func (p *Policy) lifeless(q *question, c rfc9111.Control, explicit bool) Reason {
	_, named := p.ttl(q)
	switch {
	case c.Is(rfc9111.NoCache):
		return ReasonNoCache
	case !explicit && !q.said.hasTTL && !named:
		return ReasonStatus
	}
	return ReasonNoFreshness
}

// maxWindow keeps sums of lifetimes and dates within what a Duration can hold.
const maxWindow = 20 * 365 * 24 * time.Hour

// relayed tells whether the response comes from elsewhere and was under way
// for a while: then that time counts (RFC 9111 §4.2.3). What the handler makes
// itself is new when it is done.
func (q *question) relayed() bool {
	return len(q.header["Age"])+len(q.header["Date"]) > 0
}

// staleness returns the windows of a response that is fresh for so long, and
// in which it may be served stale (RFC 9111 §4.2.4, RFC 5861). With s-maxage,
// only the response's own word counts, not the policy's: §5.2.2.10 with §4.2.4
// would have neither, but a response that names both means what every CDN takes
// it to mean. Nor does the policy's count for what was never fresh.
func (p *Policy) staleness(fresh time.Duration, c rfc9111.Control) swr.Windows {
	w := swr.Windows{Fresh: min(max(fresh, 0), maxWindow)}
	if c.Is(rfc9111.MustRevalidate | rfc9111.ProxyRevalidate | rfc9111.NoCache) {
		return w
	}
	if !c.Is(rfc9111.SMaxAge) && fresh > 0 {
		w.Stale, w.Error = p.StaleWhileRevalidate, p.StaleIfError
	}
	if c.Is(rfc9111.StaleWhileRevalidate) {
		w.Stale = c.StaleWhileRevalidate
	}
	if c.Is(rfc9111.StaleIfError) {
		w.Error = c.StaleIfError
	}
	w.Stale, w.Error = min(w.Stale, maxWindow), min(w.Error, maxWindow)
	return w
}

// displaces tells whether a response that is not stored for reason why means
// that an older one must not be used any more: what it says holds for the
// resource, not for one request.
func (q *question) displaces(why Reason) bool {
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
