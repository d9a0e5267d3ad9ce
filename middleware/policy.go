package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/keyfunc"
)

// A Policy says how one route, or a group of routes, is cached. It is a value:
// derive one from another by assignment. The zero Policy (with a Name) follows
// the response's own header fields, as RFC 9111 says.
type Policy struct {
	_ [0]func()

	Name string // in metrics, logs and explain; required, unique per Cache

	// TTL is the freshness lifetime of a response that does not state one
	// itself: implicit freshness. 0: such a response is not stored, but for
	// what Advanced.Heuristic and Advanced.Keep allow. Implicit freshness is for
	// plain requests: not for those with Authorization, nor, unless Cookies
	// says otherwise, for those with cookies.
	TTL time.Duration
	// StaleWhileRevalidate is how long past its freshness a response is served
	// while it is refreshed behind (RFC 5861 §3), and StaleIfError how long it
	// stands in for a 500, 502, 503 or 504, a panic, and a handler that takes
	// longer than Limits.Fill (§4), where the response does not say so itself
	// and nothing in it forbids it. 0: not.
	StaleWhileRevalidate time.Duration
	StaleIfError         time.Duration
	// Statuses gives statuses beside 200, 203, 301 and 308 an implicit
	// lifetime; nil: 404 and 410 for min(TTL, 10s). 0: not this status.
	Statuses map[int]time.Duration
	Jitter   float64 // of implicit lifetimes, ± this part; 0: 0.1, negative: none, at most 0.5

	// Key tells resources apart; nil: keyfunc.Default.
	Key keyfunc.Func
	// Vary lists request fields that always select a variant, whatever the
	// response's Vary says.
	Vary    []string
	Cookies Cookies

	Condition func(*http.Request) bool     // false: bypass; nil: always
	Tags      func(*http.Request) []string // beside those that Tag adds

	Limits   Limits
	Advanced Advanced
}

// Cookies says what implicit freshness does with a request's cookies. The zero
// value: requests with cookies use only responses with explicit freshness.
type Cookies struct {
	Ignore bool     // they never matter here
	Vary   []string // these select a variant; others are ignored
	Bypass []string // a request with any of these is a bypass; others are ignored
}

// ignored tells whether c lets a request with cookies use implicit freshness.
func (c Cookies) ignored() bool { return c.Ignore || len(c.Vary)+len(c.Bypass) > 0 }

// Limits bound one policy's entries. 0 is the default.
type Limits struct {
	Body     int64         // bytes of a stored body; 0: 1 MiB
	Header   int           // bytes of a stored header; 0: 64 KiB
	Fill     time.Duration // of a handler whose response others wait for; 0: 30 s
	Wait     time.Duration // for somebody else's handler; 0: 5 s
	Tags     int           // of one response; 0: 64
	VaryOn   int           // fields that select a variant; 0: 32
	Selected int           // bytes of what selects a variant; 0: 4 KiB
	Variants int           // stored at the same time for one key; 0: 64
	Key      int           // bytes of a key, else the request is a bypass; 0: 1 KiB
	Waiters  int           // requests that wait for one run of the handler, else it runs for them alone; 0: 65,536
	Reloads  int           // that clients may force of one key by no-cache or max-age, in each 10 s; 0: 20
}

// Advanced is what few routes need.
type Advanced struct {
	ClientDirectives Directives
	// Heuristic gives a response that has a Last-Modified, and no lifetime of
	// its own or of the policy's, a tenth of its age (RFC 9111 §4.2.2).
	Heuristic bool
	// Targeted lists the response fields that speak to this cache in the place
	// of Cache-Control and Expires, the first valid one before all others
	// (RFC 9213). nil: CDN-Cache-Control; empty: none.
	Targeted []string
	// Keep is how long past its use, fresh or stale, a 200 is kept so that the
	// handler can confirm it by a 304 instead of making it again (RFC 9111
	// §4.3). It takes an ETag or a Last-Modified of the handler's own, and a
	// lifetime, no-cache, public or must-revalidate. 0: 1 h, negative: not at
	// all, and handlers are never asked for a 304.
	Keep time.Duration
	// Encodings lists the codings that handlers choose from by Accept-Encoding,
	// such as br and gzip, best first. Requests that accept the same ones share
	// a variant, and a handler sees no others. nil: all that clients send
	// counts; empty: none of it.
	Encodings []string
	// Languages lists the languages that handlers choose from by
	// Accept-Language, as de or pt-BR, the default first. Requests that prefer
	// the same one share a variant, and a handler sees no others. nil: what
	// clients send counts, whatever its letter case, whitespace and order.
	Languages []string
	// EarlyRefresh has a request now and then refresh what is still fresh, behind
	// it, the more probably the nearer the end of its freshness is and the longer
	// its handler took: so that what is asked for often is hardly ever waited for,
	// and not all instances come at the end together. It is the β of XFetch
	// (Vattani et al., Optimal Probabilistic Cache Stampede Prevention, 2015): 1
	// is its optimum, more refreshes earlier. 0: not; at most 100.
	EarlyRefresh float64
	// StorePOST stores the answer to a POST that has explicit freshness and the
	// POST's own URL in Content-Location for later GETs (RFC 9110 §9.3.3).
	StorePOST    bool
	NoETag       bool     // do not add an ETag, made from the body, to a 200 that has none
	StripHeaders []string // response fields that are never stored: request ids, Server-Timing
	// DangerouslyStoreSetCookie stores responses with Set-Cookie, and gives
	// one client's cookies to all others.
	DangerouslyStoreSetCookie bool
}

// Directives says which of a client's own Cache-Control directives count.
type Directives uint8

const (
	HonourDirectives Directives = iota
	IgnoreReload                // no-cache, max-age and min-fresh do not reach the handler
	IgnoreDirectives            // nor do no-store and only-if-cached count
)

// A PolicyError is one thing that is wrong with a Policy.
type PolicyError struct {
	Policy, Field string
	Value         any
	Reason        string
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("middleware: policy %q: %s = %v: %s", e.Policy, e.Field, e.Value, e.Reason)
}

// Validate reports everything that is wrong with p, as joined *PolicyErrors.
func (p Policy) Validate() error {
	var errs []error
	check := func(ok bool, field string, value any, reason string) {
		if !ok {
			errs = append(errs, &PolicyError{p.Name, field, value, reason})
		}
	}
	check(p.Name != "", "Name", p.Name, "required")
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"TTL", p.TTL}, {"StaleWhileRevalidate", p.StaleWhileRevalidate}, {"StaleIfError", p.StaleIfError},
		{"Limits.Fill", p.Limits.Fill}, {"Limits.Wait", p.Limits.Wait},
	} {
		check(d.value >= 0, d.field, d.value, "negative")
	}
	for status, ttl := range p.Statuses {
		field := fmt.Sprintf("Statuses[%d]", status)
		check(rfc9111.StorableStatus(status), field, status, "not a status that is stored whole")
		check(ttl >= 0, field, ttl, "negative")
	}
	check(p.Jitter <= 0.5, "Jitter", p.Jitter, "more than 0.5")
	for _, name := range slices.Concat(p.Vary, p.Cookies.Vary, p.Cookies.Bypass, p.Advanced.StripHeaders, p.Advanced.Targeted) {
		check(isToken(name), "Vary, Cookies, StripHeaders, Targeted", name, "not a field or cookie name")
	}
	for _, coding := range p.Advanced.Encodings {
		check(isToken(coding) && coding != "*", "Advanced.Encodings", coding, "not a content coding")
	}
	for _, language := range p.Advanced.Languages {
		check(isToken(language) && language != "*", "Advanced.Languages", language, "not a language tag")
	}
	check(!p.Cookies.Ignore || len(p.Cookies.Vary)+len(p.Cookies.Bypass) == 0, "Cookies", p.Cookies, "Ignore excludes Vary and Bypass")
	for field, n := range map[string]int64{
		"Limits.Body": p.Limits.Body, "Limits.Header": int64(p.Limits.Header), "Limits.Tags": int64(p.Limits.Tags),
		"Limits.VaryOn": int64(p.Limits.VaryOn), "Limits.Selected": int64(p.Limits.Selected), "Limits.Variants": int64(p.Limits.Variants), "Limits.Reloads": int64(p.Limits.Reloads),
		"Limits.Key": int64(p.Limits.Key), "Limits.Waiters": int64(p.Limits.Waiters),
	} {
		check(n >= 0, field, n, "negative")
	}
	check(p.Advanced.EarlyRefresh >= 0 && p.Advanced.EarlyRefresh <= 100, "Advanced.EarlyRefresh", p.Advanced.EarlyRefresh, "not from 0 to 100")
	check(p.Advanced.ClientDirectives <= IgnoreDirectives, "Advanced.ClientDirectives", p.Advanced.ClientDirectives, "unknown")
	return errors.Join(errs...)
}

// isToken reports whether s is a token (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case c == '!' || c == '#' || c == '$' || c == '%' || c == '&' || c == '\'' || c == '*' || c == '+':
		case c == '-' || c == '.' || c == '^' || c == '_' || c == '`' || c == '|' || c == '~':
		default:
			return false
		}
	}
	return s != ""
}

// isStructuredToken reports whether s is an sf-token (RFC 9651 §3.3.4).
func isStructuredToken(s string) bool {
	if s == "" || s[0] != '*' && (s[0]|0x20 < 'a' || s[0]|0x20 > 'z') {
		return false
	}
	return isToken(strings.NewReplacer(":", "", "/", "").Replace(s))
}

// withDefaults returns p with its zero values filled in and with maps and
// slices of its own: what the caller does to his later changes nothing.
func (p Policy) withDefaults() Policy {
	if p.Key == nil {
		p.Key = keyfunc.Default
	}
	statuses := make(map[int]time.Duration, len(p.Statuses)+4)
	if p.Statuses == nil {
		statuses[http.StatusNotFound] = min(p.TTL, 10*time.Second)
		statuses[http.StatusGone] = min(p.TTL, 10*time.Second)
	}
	for _, s := range []int{http.StatusOK, http.StatusNonAuthoritativeInfo, http.StatusMovedPermanently, http.StatusPermanentRedirect} {
		statuses[s] = p.TTL
	}
	for s, ttl := range p.Statuses {
		if statuses[s] = ttl; ttl == 0 {
			statuses[s] = never
		}
	}
	p.Statuses = statuses
	if p.Jitter == 0 {
		p.Jitter = 0.1
	}
	p.Jitter = max(p.Jitter, 0)
	p.Vary = canonical(p.Vary)
	p.Cookies.Vary = slices.Clone(p.Cookies.Vary)
	p.Cookies.Bypass = slices.Clone(p.Cookies.Bypass)
	p.Advanced.StripHeaders = canonical(p.Advanced.StripHeaders)
	p.Advanced.Encodings = lowered(p.Advanced.Encodings)
	p.Advanced.Languages = slices.Clone(p.Advanced.Languages)
	p.Advanced.Keep = max(defaulted(p.Advanced.Keep, time.Hour), 0)
	if p.Advanced.Targeted == nil {
		p.Advanced.Targeted = []string{"CDN-Cache-Control"}
	}
	p.Advanced.Targeted = canonical(p.Advanced.Targeted)
	p.Limits.Body = defaulted(p.Limits.Body, 1<<20)
	p.Limits.Header = defaulted(p.Limits.Header, 64<<10)
	p.Limits.Fill = defaulted(p.Limits.Fill, 30*time.Second)
	p.Limits.Wait = defaulted(p.Limits.Wait, 5*time.Second)
	p.Limits.Tags = defaulted(p.Limits.Tags, 64)
	p.Limits.VaryOn = defaulted(p.Limits.VaryOn, 32)
	p.Limits.Selected = defaulted(p.Limits.Selected, 4<<10)
	p.Limits.Variants = defaulted(p.Limits.Variants, 64)
	p.Limits.Key = defaulted(p.Limits.Key, 1<<10)
	p.Limits.Waiters = defaulted(p.Limits.Waiters, 1<<16)
	p.Limits.Reloads = defaulted(p.Limits.Reloads, 20)
	return p
}

func defaulted[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// lowered returns names in lower case; content codings have none (RFC 9110 §8.4.1).
func lowered(names []string) []string {
	out := slices.Clone(names)
	for i, n := range out {
		out[i] = strings.ToLower(n)
	}
	return out
}

// canonical returns names in the form in which http.Header has them.
func canonical(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = http.CanonicalHeaderKey(n)
	}
	return out
}
