package scenario

import (
	"net/http"
	"strings"
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// defaults has what we do where the RFCs leave the choice.
var defaults = []Scenario{
	{"B condition: what no policy covers passes", func(p *middleware.Policy) {
		p.Condition = func(r *http.Request) bool { return r.URL.Path == "/page" }
	}, steps{
		bypass(to("/other"), answers(minute)),
		bypass(to("/other"), answers(minute), shows("Cache-Status: reprise; fwd=bypass; detail=condition")),
		miss(answers(minute)),
		hit(),
	}},

	{"B ttl: for a response that states no lifetime", ttl(3 * sec), steps{
		miss(),
		after(sec, hit()),
		after(4*sec, miss()),
	}},
	{"B ttl: not for a request with cookies", ttl(time.Minute), steps{
		miss(asks("Cookie: a=b")),
		miss(asks("Cookie: a=b")),
		miss(),
		hit(),
		miss(asks("Cookie: a=b")),
	}},
	{"B ttl: explicit freshness is for requests with cookies too", ttl(time.Minute), steps{
		miss(asks("Cookie: a=b"), answers(minute)),
		hit(asks("Cookie: a=c")),
		hit(),
	}},
	{"B cookies: the policy ignores them", ttl(time.Minute, func(p *middleware.Policy) { p.Cookies.Ignore = true }), steps{
		miss(asks("Cookie: a=b")),
		hit(asks("Cookie: a=c")),
		hit(),
	}},
	{"B cookies: some select, others are ignored", ttl(time.Minute, func(p *middleware.Policy) { p.Cookies.Vary = []string{"lang"} }), steps{
		miss(asks("Cookie: lang=de; x=1")),
		hit(asks("Cookie: x=2; lang=de")),
		miss(asks("Cookie: lang=en; x=1")),
		miss(),
		hit(asks("Cookie: x=3")),
	}},
	{"B cookies: some bypass, others are ignored", ttl(time.Minute, func(p *middleware.Policy) { p.Cookies.Bypass = []string{"session"} }), steps{
		miss(asks("Cookie: x=1")),
		hit(asks("Cookie: x=2")),
		bypass(asks("Cookie: x=1; session=7"), shows("Cache-Status: reprise; fwd=bypass; detail=cookie")),
		hit(of(1)),
	}},

	statused("B statuses: a 200 has the TTL", 200, hit),
	statused("B statuses: a 203 has the TTL", 203, hit),
	statused("B statuses: a 301 has the TTL", 301, hit, "Location: /other"),
	statused("B statuses: a 308 has the TTL", 308, hit, "Location: /other"),
	statused("B statuses: a 301 to nowhere is not stored", 301, miss),
	statused("B statuses: a 301 to nowhere that says how long", 301, hit, minute),
	{"B statuses: a 301 to nowhere has no heuristic lifetime", heuristic, steps{
		miss(status(301), answers("Last-Modified: "+at(-time.Hour))),
		miss(status(301)),
	}},
	{"B statuses: one that the policy gives none has no heuristic one either", func(p *middleware.Policy) {
		p.Statuses, p.Advanced.Heuristic = map[int]time.Duration{404: 0}, true
	}, steps{
		miss(status(404), answers("Last-Modified: "+at(-time.Hour))),
		miss(status(404)),
	}},
	{"B statuses: a client's bad request does not replace what is good", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), status(400), answers(minute))),
		hit(of(1)),
	}},
	{"B statuses: that it is gone does", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), status(410), answers(minute))),
		hit(of(2), gets(410)),
	}},
	statused("B statuses: a 404 is stored for a while", 404, hit),
	statused("B statuses: a 410 is stored for a while", 410, hit),
	statused("B statuses: a 201 is not", 201, miss),
	statused("B statuses: a 204 is not", 204, miss),
	statused("B statuses: a 302 is not", 302, miss, "Location: /other"),
	statused("B statuses: a 307 is not", 307, miss, "Location: /other"),
	statused("B statuses: a 400 is not", 400, miss),
	statused("B statuses: a 401 is not", 401, miss),
	statused("B statuses: a 403 is not", 403, miss),
	statused("B statuses: a 405 is not", 405, miss),
	statused("B statuses: a 414 is not", 414, miss),
	statused("B statuses: a 501 is not", 501, miss),
	statused("B statuses: a 500 is not", 500, miss),
	statused("B statuses: a 503 is not", 503, miss),
	statused("B statuses: a 416 is, with a lifetime", 416, hit, minute),
	statused("B statuses: a 428 never is", 428, miss, minute),
	statused("B statuses: a 429 never is", 429, miss, minute),
	statused("B statuses: a 431 never is", 431, miss, minute),
	statused("B statuses: a 511 never is", 511, miss, minute),
	{"B statuses: the policy names them", ttl(time.Minute, func(p *middleware.Policy) {
		p.Statuses = map[int]time.Duration{302: time.Minute, 204: time.Minute, 503: 2 * sec, 404: 0}
	}), steps{
		miss(status(302), answers("Location: /other")),
		hit(),
		miss(to("/2"), status(204)),
		hit(to("/2")),
		miss(to("/3"), status(404)),
		miss(to("/3"), status(404)),
		miss(to("/4"), status(503)),
		hit(to("/4")),
		after(4*sec, miss(to("/4"))),
	}},
	{"B statuses: a 404 is stored for ten seconds at most", ttl(time.Hour), steps{
		miss(status(404)),
		hit(shows("Cache-Status: reprise; hit; ttl={8..11}")),
	}},

	{"B errors: one does not replace a good response", func(p *middleware.Policy) { p.StaleIfError = time.Hour }, steps{
		miss(answers(soon)),
		after(2*sec, rescued(status(503), answers(minute))),
		rescued(status(500), of(1)),
	}},

	{"B set-cookie: not stored", nil, steps{
		miss(answers("Cache-Control: public, max-age=60", "Set-Cookie: a=b"), shows("Set-Cookie: a=b")),
		miss(),
	}},
	{"B set-cookie: stored without it where the policy strips it", func(p *middleware.Policy) { p.Advanced.StripHeaders = []string{"set-cookie"} }, steps{
		miss(answers(minute, "Set-Cookie: a=b"), shows("Set-Cookie: a=b")),
		hit(shows("!Set-Cookie")),
	}},
	{"B set-cookie: stored where the policy is that daring", func(p *middleware.Policy) { p.Advanced.DangerouslyStoreSetCookie = true }, steps{
		miss(answers(minute, "Set-Cookie: a=b", "Set-Cookie: c=d")),
		hit(shows("Set-Cookie: a=b", "Set-Cookie: c=d")),
	}},
	unused("B credentials: Vary: Cookie is not stored", minute, "Vary: Cookie"),
	unused("B credentials: Vary: Authorization is not stored", minute, "Vary: Accept, authorization"),
	{"B credentials: unless the policy names them", func(p *middleware.Policy) { p.Vary = []string{"Cookie"} }, steps{
		miss(asks("Cookie: a=b"), answers(minute, "Vary: Cookie")),
		hit(asks("Cookie: a=b")),
		miss(asks("Cookie: a=c"), answers(minute, "Vary: Cookie")),
	}},

	{"B bypass: a GET with a body", nil, steps{
		bypass(sends("x"), answers(minute), shows("Cache-Status: reprise; fwd=bypass; detail=body")),
		miss(answers(minute)),
		bypass(sends("x")),
		bypass(by("HEAD"), sends("x"), shows("Cache-Status: reprise; fwd=bypass; detail=body")),
		hit(of(2)),
	}},
	passes("B bypass: X-HTTP-Method-Override", "override", "X-HTTP-Method-Override: DELETE"),
	passes("B bypass: X-HTTP-Method", "override", "X-HTTP-Method: DELETE"),
	passes("B bypass: X-Method-Override", "override", "x-method-override: DELETE"),
	passes("B bypass: Upgrade", "upgrade", "Upgrade: websocket", "Connection: Upgrade"),
	passes("B bypass: events", "event-stream", "Accept: text/html, Text/Event-Stream;q=0.5"),
	unused("B bypass: an event stream is not stored", minute, "Content-Type: text/event-stream"),

	{"B fields: what the policy strips is not stored", func(p *middleware.Policy) { p.Advanced.StripHeaders = []string{"X-Request-Id", "server-timing"} }, steps{
		miss(answers(minute, "X-Request-Id: 7", "Server-Timing: db;dur=5", "X-Kept: 1"), shows("X-Request-Id: 7", "Server-Timing: db;dur=5")),
		hit(shows("!X-Request-Id", "!Server-Timing", "X-Kept: 1")),
	}},
	{"B fields: an ETag is made where there is none, and not if the policy says so", func(p *middleware.Policy) { p.Advanced.NoETag = true }, steps{
		miss(answers(minute), shows("!ETag")),
		hit(shows("!ETag")),
	}},

	{"B limits: a body that is too long", func(p *middleware.Policy) { p.Limits.Body = 10 }, steps{
		miss(body(digits), answers(minute)),
		hit(),
		miss(to("/2"), body(digits+"x"), answers(minute)),
		miss(to("/2"), body(digits+"x"), answers(minute), flushes()),
		miss(to("/2"), body(digits+"x"), answers(minute, "Content-Length: 11")),
	}},
	{"B limits: a header that is too long", func(p *middleware.Policy) { p.Limits.Header = 200 }, steps{
		miss(answers(minute, "X-Long: "+strings.Repeat("x", 200)), shows("Cache-Status: reprise; fwd=uri-miss; fwd-status=200; detail=size")),
		miss(),
	}},
	{"B limits: tags that are too many", func(p *middleware.Policy) {
		p.Limits.Tags = 2
		p.Tags = func(r *http.Request) []string { return strings.Split(r.URL.RawQuery, ",") }
	}, steps{
		miss(to("/page?a,b"), answers(minute)),
		hit(to("/page?a,b")),
		miss(to("/page?a,b,c"), answers(minute)),
		miss(to("/page?a,b,c"), answers(minute)),
	}},
	{"B limits: fewer bytes than promised are not stored", nil, steps{
		broken(body("0123"), answers(minute, "Content-Length: 10")),
		miss(answers(minute)),
	}},

	{"B vary: the policy's fields always select", func(p *middleware.Policy) { p.Vary = []string{"x-tenant"} }, steps{
		miss(asks("X-Tenant: a"), answers(minute)),
		miss(asks("X-Tenant: b"), answers(minute)),
		hit(asks("X-Tenant: a"), of(1)),
	}},
	{"B vary: names that are too many", func(p *middleware.Policy) { p.Limits.VaryOn = 2 }, steps{
		miss(answers(minute, "Vary: X-A, X-B")),
		hit(),
		miss(to("/2"), answers(minute, "Vary: X-A, X-B, X-C"), shows("Cache-Status: reprise; fwd=uri-miss; fwd-status=200; detail=vary")),
		miss(to("/2")),
	}},
	{"B vary: a value that is too long", func(p *middleware.Policy) { p.Limits.Selected = 100 }, steps{
		miss(asks("X-Kind: "+strings.Repeat("x", 200)), answers(minute, "Vary: X-Kind")),
		miss(asks("X-Kind: "+strings.Repeat("x", 200)), answers(minute, "Vary: X-Kind")),
	}},
	{"B vary: variants that are too many", func(p *middleware.Policy) { p.Limits.Variants = 2 }, steps{
		miss(asks("X-Kind: a"), answers(minute, "Vary: X-Kind")),
		miss(asks("X-Kind: b"), answers(minute, "Vary: X-Kind")),
		miss(asks("X-Kind: c"), answers(minute, "Vary: X-Kind"), shows("Cache-Status: reprise; fwd=vary-miss; fwd-status=200; detail=vary")),
		miss(asks("X-Kind: c"), answers(minute, "Vary: X-Kind")),
		hit(asks("X-Kind: a"), of(1)),
		hit(asks("X-Kind: b"), of(2)),
	}},
	{"B vary: codings are reduced to those the application makes", encodings("br", "gzip"), steps{
		miss(asks("Accept-Encoding: gzip, deflate, br;q=0.9, zstd"), sees("Accept-Encoding: br, gzip | br,gzip | gzip, br | gzip,br"), answers(minute, "Vary: Accept-Encoding")),
		hit(asks("Accept-Encoding: br, gzip")),
		hit(asks("Accept-Encoding: GZIP;q=0.5, BR")),
		miss(asks("Accept-Encoding: gzip, br;q=0"), sees("Accept-Encoding: gzip"), answers(minute, "Vary: Accept-Encoding")),
		hit(asks("Accept-Encoding: gzip, deflate")),
		miss(asks("Accept-Encoding: identity"), answers(minute, "Vary: Accept-Encoding")),
		hit(asks("Accept-Encoding: zstd")),
	}},
	{"B vary: requests that prefer the same of the policy's languages share a variant", produces("en", "de"), steps{
		miss(asks("Accept-Language: fr, de-AT;q=0.8, en;q=0.5"), sees("Accept-Language: de"), answers(minute, "Vary: Accept-Language", "Content-Language: de")),
		hit(asks("Accept-Language: de"), of(1)),
		hit(asks("Accept-Language: fr;q=0.5, DE;q=1.0"), of(1)),
		miss(asks("Accept-Language: en"), sees("Accept-Language: en"), answers(minute, "Vary: Accept-Language", "Content-Language: en")),
		hit(asks("Accept-Language: fr"), of(4)),
		hit(of(4)),
	}},
	{"B refresh: one that fails is not tried again at once", nil, steps{
		miss(answers(behind)),
		after(3*sec, refresh(status(503))),
		stale(of(1)),
		after(3*sec, refresh(answers(minute), of(1))),
		hit(of(4)),
	}},
	{"B statuses: an error does not replace what is good", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), status(503), answers(minute), shows("Cache-Status: reprise; fwd=request; fwd-status=503; detail=error"))),
		hit(of(1)),
	}},
	{"B vary: codings are as clients send them where the policy names none", nil, steps{
		miss(asks("Accept-Encoding: gzip"), answers(minute, "Vary: Accept-Encoding")),
		hit(asks("Accept-Encoding: gzip")),
		miss(asks("Accept-Encoding: gzip, br"), answers(minute, "Vary: Accept-Encoding")),
	}},
}

func produces(names ...string) func(*middleware.Policy) {
	return func(p *middleware.Policy) { p.Advanced.Languages = names }
}

func encodings(names ...string) func(*middleware.Policy) {
	return func(p *middleware.Policy) { p.Advanced.Encodings = names }
}

// statused is an answer with a status where the policy has a TTL, and what a
// later request is.
func statused(name string, code int, later func(...part) Step, fields ...string) Scenario {
	return Scenario{name, ttl(time.Minute), steps{
		miss(status(code), answers(fields...)),
		later(status(code), answers(fields...)),
	}}
}

// passes is a request that is none of the cache's business, before and after
// something is stored.
func passes(name, why string, fields ...string) Scenario {
	request := bypass(asks(fields...), answers(minute), shows("Cache-Status: reprise; fwd=bypass; detail="+why))
	return Scenario{name, nil, steps{request, miss(answers(minute)), request, hit(of(2))}}
}
