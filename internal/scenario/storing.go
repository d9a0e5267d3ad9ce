package scenario

import (
	"net/http"
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// storing has what may be stored at all (RFC 9111 §3).
var storing = []Scenario{
	unused("A7 no-store", "Cache-Control: no-store, max-age=60"),
	unused("A7 no-store in another letter case", "Cache-Control: nO-sTORE, max-age=60"),
	unused("A7 no-store on a line of its own", minute, "Cache-Control: no-store"),
	unused("A7 no-store with Expires", "Cache-Control: no-store", "Expires: "+at(time.Hour)),
	unused("A7 private", "Cache-Control: private, max-age=60"),
	unused("A7 private with s-maxage", "Cache-Control: private, s-maxage=60"),
	unused("A7 private with public", "Cache-Control: public, private, max-age=60"),
	{"A7 no-store and private count before the policy's TTL", ttl(time.Minute), steps{
		miss(to("/1"), answers("Cache-Control: no-store")),
		miss(to("/1")),
		miss(to("/2"), answers("Cache-Control: private")),
		miss(to("/2")),
		miss(to("/3"), answers("Cache-Control: private=true")),
		miss(to("/3")),
	}},
	{"A7 a client's no-store: its answer is not stored", nil, steps{
		miss(asks("Cache-Control: no-store"), answers(minute)),
		miss(answers(minute)),
		hit(),
	}},
	{"A7 no-store of a new answer ends the old one", nil, steps{
		miss(answers("Cache-Control: max-age=1, stale-if-error=60")),
		after(2*sec, miss(answers("Cache-Control: no-store"))),
		miss(status(503)),
	}},

	{"A9 any final status with a lifetime", nil, steps{
		miss(status(201), answers(minute)),
		hit(),
		miss(to("/a"), status(302), answers(minute, "Location: /b")),
		hit(to("/a"), shows("Location: /b")),
		miss(to("/b"), status(403), answers(minute)),
		hit(to("/b")),
		miss(to("/c"), status(500), answers(minute)),
		hit(to("/c")),
		miss(to("/d"), status(299), answers(minute)),
		hit(to("/d")),
		miss(to("/e"), status(599), answers(minute)),
		hit(to("/e")),
		miss(to("/f"), status(204), answers(minute)),
		hit(to("/f")),
	}},
	{"A9 redirections with a lifetime", nil, steps{
		miss(to("/301"), status(301), answers(minute, "Location: /b")),
		hit(to("/301"), shows("Location: /b")),
		miss(to("/303"), status(303), answers(minute, "Location: /b")),
		hit(to("/303")),
		miss(to("/307"), status(307), answers(minute, "Location: /b")),
		hit(to("/307")),
		miss(to("/308"), status(308), answers(minute, "Location: /b")),
		hit(to("/308")),
	}},
	{"A9 errors with a lifetime", nil, steps{
		miss(to("/400"), status(400), answers(minute)),
		hit(to("/400")),
		miss(to("/499"), status(499), answers(minute)),
		hit(to("/499")),
		miss(to("/502"), status(502), answers(minute)),
		hit(to("/502")),
		miss(to("/503"), status(503), answers("Cache-Control: s-maxage=60")),
		hit(to("/503")),
		miss(to("/504"), status(504), answers("Expires: "+at(time.Hour))),
		hit(to("/504")),
	}},
	{"A9 a status with a lifetime becomes stale", nil, steps{
		miss(status(404), answers("Cache-Control: max-age=1")),
		after(2*sec, miss(status(404))),
	}},
	{"A9 a 304 to nobody's question is not stored", ttl(time.Minute), steps{
		miss(status(304), answers(minute, `ETag: "v1"`)),
		miss(),
	}},
	{"A9 must-understand lifts no-store for a status that is understood", nil, steps{
		miss(answers("Cache-Control: no-store, must-understand, max-age=60")),
		hit(),
		miss(to("/gone"), status(410), answers("Cache-Control: must-understand, max-age=60, no-store")),
		hit(to("/gone")),
	}},
	{"A9 must-understand lifts nothing for a status that is not", nil, steps{
		miss(status(599), answers("Cache-Control: no-store, must-understand, max-age=60")),
		miss(status(599)),
		miss(to("/2"), status(299), answers("Cache-Control: no-store, must-understand, max-age=60")),
		miss(to("/2"), status(299)),
	}},
	{"A9 must-understand without no-store keeps what is not understood out", nil, steps{
		miss(status(599), answers("Cache-Control: must-understand, max-age=60")),
		miss(status(599)),
	}},
	{"A9 must-understand lifts no-store alone", nil, steps{
		miss(answers("Cache-Control: no-store, must-understand, private, max-age=60")),
		miss(),
	}},

	unusedWith("A10 Authorization with max-age", "Cache-Control: max-age=60"),
	unusedWith("A10 Authorization with Expires", "Expires: "+at(time.Hour)),
	unusedWith("A10 Authorization with public and no lifetime", "Cache-Control: public"),
	unusedWith("A10 Authorization with proxy-revalidate", "Cache-Control: proxy-revalidate, max-age=60"),
	reusedWith("A10 Authorization with public", "Cache-Control: public, max-age=60"),
	reusedWith("A10 Authorization with s-maxage", "Cache-Control: s-maxage=60"),
	reusedWith("A10 Authorization with must-revalidate", "Cache-Control: must-revalidate, max-age=60"),
	{"A10 what one user got publicly, another and nobody get", nil, steps{
		miss(asks("Authorization: Basic YTpi"), answers("Cache-Control: public, max-age=60")),
		hit(asks("Authorization: Basic Yzpk")),
		hit(),
	}},
	{"A10 a stored response without leave is not for a user", nil, steps{
		miss(answers(minute)),
		miss(asks("Authorization: Basic YTpi")),
		hit(of(1)),
	}},
	{"A10 implicit freshness is not for a user", ttl(time.Minute), steps{
		miss(asks("Authorization: Basic YTpi")),
		miss(asks("Authorization: Basic YTpi")),
		miss(asks("Authorization: Basic YTpi"), answers("Cache-Control: public")),
		miss(),
		hit(),
		miss(asks("Authorization: Basic YTpi")),
	}},

	{"A11 hop-by-hop fields are dropped", nil, steps{
		miss(answers(minute, "Connection: X-Hop, x-other", "X-Hop: 1", "X-Other: 2", "Keep-Alive: timeout=5",
			"Proxy-Authenticate: Basic", "Proxy-Connection: keep-alive", "TE: trailers", "Upgrade: h2c", "X-Kept: 3"),
			shows("X-Hop: 1", "X-Other: 2", "X-Kept: 3")),
		hit(shows("!Connection", "!X-Hop", "!X-Other", "!Keep-Alive", "!Proxy-Authenticate", "!Proxy-Connection", "!TE", "!Upgrade", "X-Kept: 3")),
	}},
	{"A11 everything else is kept", nil, steps{
		miss(answers(minute, "X-Twice: a", "X-Twice: b, c", "X-Empty:", "Content-Type: application/x-mine", "Content-Language: de",
			"Link: </a>; rel=x", "Server: mine", "Test-Case: 1", `Content-Disposition: attachment; filename="a"`, "Content-Encoding: x-mine",
			"Content-Security-Policy: default-src 'none'", "Access-Control-Allow-Origin: *", "X-Frame-Options: deny")),
		hit(shows("X-Twice: a", "X-Twice: b, c", "X-Empty: ", "Content-Type: application/x-mine", "Content-Language: de",
			"Link: </a>; rel=x", "Server: mine", "Test-Case: 1", `Content-Disposition: attachment; filename="a"`, "Content-Encoding: x-mine",
			"Content-Security-Policy: default-src 'none'", "Access-Control-Allow-Origin: *", "X-Frame-Options: deny",
			"Cache-Control: max-age=60")),
	}},
	{"A11 a Cache-Control that Connection names still counts", nil, steps{
		miss(answers("Cache-Control: no-store, max-age=60", "Connection: Cache-Control")),
		miss(),
	}},
	{"A11 a miss passes unaltered", nil, steps{
		miss(answers(minute, "Date: "+at(-time.Second), "Age: 5", "Expires: 0", "X-Mine: a", "X-Mine: b", `ETag: W/"1"`, "Server: mine"),
			shows("Cache-Control: max-age=60", "Date: "+at(-time.Second), "Expires: 0", "X-Mine: a", "X-Mine: b", `ETag: W/"1"`, "Server: mine")),
	}},

	{"A12 a POST's answer is for a GET where it says so", storePOST, steps{
		bypass(by("POST"), sends("a=1"), answers(minute, "Content-Location: /page")),
		hit(of(1)),
	}},
	{"A12 not without the policy's leave", nil, steps{
		bypass(by("POST"), sends("a=1"), answers(minute, "Content-Location: /page")),
		miss(),
	}},
	{"A12 not without Content-Location", storePOST, steps{
		bypass(by("POST"), sends("a=1"), answers(minute)),
		miss(),
	}},
	{"A12 not with the Content-Location of another page", storePOST, steps{
		bypass(by("POST"), sends("a=1"), answers(minute, "Content-Location: /other")),
		miss(),
		miss(to("/other")),
	}},
	{"A12 not without an explicit lifetime", ttl(time.Minute, storePOST), steps{
		bypass(by("POST"), sends("a=1"), answers("Content-Location: /page")),
		miss(),
	}},
	{"A12 a POST is never answered from the store", storePOST, steps{
		bypass(by("POST"), sends("a=1"), answers(minute, "Content-Location: /page")),
		bypass(by("POST"), sends("a=1"), answers(minute, "Content-Location: /page")),
		hit(of(2)),
	}},
	{"A12 not where the policy's condition says no", func(p *middleware.Policy) {
		storePOST(p)
		p.Condition = func(r *http.Request) bool { return r.Method != http.MethodPost }
	}, steps{
		bypass(by("POST"), sends("a=1"), answers(minute, "Content-Location: /page")),
		miss(),
	}},
	{"A12 not with a cookie that bypasses", func(p *middleware.Policy) {
		storePOST(p)
		p.Cookies.Bypass = []string{"session"}
	}, steps{
		bypass(by("POST"), asks("Cookie: session=1"), sends("a=1"), answers(minute, "Content-Location: /page")),
		miss(),
	}},
	{"A12 in absolute form it has a key of its own, and is not", storePOST, steps{
		bypass(by("POST"), to("http://example.com/page"), sends("a=1"), answers(minute, "Content-Location: /page"), shows("Cache-Status: reprise; fwd=method")),
	}},
	{"A12 whatever the client says of caches", storePOST, steps{
		bypass(by("POST"), asks("Cache-Control: only-if-cached, max-age=0"), sends("a=1"), answers(minute, "Content-Location: /page")),
	}},
	{"A12 nor where the answer is an error", storePOST, steps{
		bypass(by("POST"), sends("a=1"), status(500), answers("Content-Location: /page", "Cache-Control: no-store")),
		miss(),
	}},
}

func storePOST(p *middleware.Policy) { p.Advanced.StorePOST = true }

// reusedWith is reused for requests with Authorization.
func reusedWith(name string, fields ...string) Scenario {
	user := asks("Authorization: Basic YTpi")
	return Scenario{name, nil, steps{miss(user, answers(fields...)), hit(user)}}
}

// unusedWith is unused for requests with Authorization.
func unusedWith(name string, fields ...string) Scenario {
	user := asks("Authorization: Basic YTpi")
	return Scenario{name, nil, steps{miss(user, answers(fields...)), miss(user)}}
}
