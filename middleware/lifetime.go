package middleware

import (
	"net/http"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

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
	if j.windows.Fresh+j.windows.Stale <= j.age {
		j.marks |= implicit | asked // it is the handler's word that it cannot be used as it is
	}
	if explicit || fresh > 0 || c.Is(asks) {
		j.keep = p.keepFor(q)
	}
	switch {
	case j.life() <= j.age, q.said.hasTTL && q.said.ttl <= 0:
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

// never is the lifetime of a status that has none, nor a heuristic one.
const never = -1

// ttl is the policy's lifetime for the response's status, and whether it names
// it. A redirect that leads nowhere has none: something is wrong with it.
func (p *Policy) ttl(q *question) (time.Duration, bool) {
	if 300 < q.status && q.status < 400 && q.header.Get("Location") == "" {
		return never, false
	}
	ttl, named := p.Statuses[q.status]
	return ttl, named
}

// asks are the directives by which a response without a lifetime says that a
// cache may keep it. One that says nothing is not kept for its validator: who
// writes no Cache-Control may answer by anything, with the same ETag for all.
const asks = rfc9111.NoCache | rfc9111.Public | rfc9111.MustRevalidate | rfc9111.ProxyRevalidate

// keepFor is how long past its use a response is kept because its validators let
// the handler confirm it. Only a 2xx has conditions (RFC 9110 §13.2.1).
func (p *Policy) keepFor(q *question) time.Duration {
	switch {
	case q.status != http.StatusOK && q.status != http.StatusNonAuthoritativeInfo, q.post:
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
