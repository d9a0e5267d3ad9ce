package scenario

import (
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// soon is the answer of an origin that is stale two seconds later.
const soon = "Cache-Control: max-age=1"

// validating has stale responses that the origin confirms, or does not (RFC
// 9111 §4.3).
var validating = []Scenario{
	{"A16 a strong tag", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(sees(`If-None-Match: "v1"`, "!If-Modified-Since"), shows(`ETag: "v1"`, "Age: {0..1}",
			"Cache-Status: reprise; fwd=stale; fwd-status=304; stored"))),
	}},
	{"A16 a weak tag", nil, steps{
		miss(answers(soon, `ETag: W/"v1"`)),
		after(2*sec, confirmed(sees(`If-None-Match: W/"v1"`))),
	}},
	{"A16 a date", nil, steps{
		miss(answers(soon, "Last-Modified: "+at(-time.Hour))),
		after(2*sec, confirmed(sees("If-Modified-Since: "+at(-time.Hour), "!If-None-Match"))),
	}},
	{"A16 both", nil, steps{
		miss(answers(soon, `ETag: "v1"`, "Last-Modified: "+at(-time.Hour))),
		after(2*sec, confirmed(sees(`If-None-Match: "v1"`, "If-Modified-Since: "+at(-time.Hour)))),
	}},
	{"A16 a tag of ours means nothing to the origin", nil, steps{
		miss(answers(soon), shows("ETag")),
		after(2*sec, miss(sees("!If-None-Match", "!If-Modified-Since"))),
	}},
	{"A16 what was stale on arrival is confirmed too", nil, steps{
		miss(answers("Cache-Control: max-age=0", `ETag: "v1"`)),
		confirmed(sees(`If-None-Match: "v1"`)),
	}},
	{"A16 must-revalidate is confirmed", nil, steps{
		miss(answers("Cache-Control: max-age=1, must-revalidate", `ETag: "v1"`)),
		hit(),
		after(2*sec, confirmed(sees(`If-None-Match: "v1"`))),
	}},
	{"A16 a 404 is not, since no condition applies to one (RFC 9110 §13.2.1)", nil, steps{
		miss(status(404), answers(soon, `ETag: "v1"`)),
		after(2*sec, miss(sees("!If-None-Match"), status(404))),
	}},

	{"A16 a 304 makes it fresh, as long as it was before", nil, steps{
		miss(answers("Cache-Control: max-age=3", `ETag: "v1"`)),
		after(4*sec, confirmed()),
		after(2*sec, hit(shows("Age: {2..3}"))),
	}},
	{"A16 or as long as it says", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(answers(minute))),
		after(2*sec, hit(shows("Cache-Control: max-age=60"))),
	}},
	{"A16 fields of the 304 replace those stored, others stay", nil, steps{
		miss(answers(soon, `ETag: "v1"`, "X-Old: 1", "X-Both: 1", "X-Both: 2", "Content-Type: text/x-a")),
		after(2*sec, confirmed(answers(minute, `ETag: "v1"`, "X-Both: 3", "X-New: 4"), shows("X-Old: 1", "X-Both: 3", "X-New: 4"))),
		hit(shows("X-Old: 1", "X-Both: 3", "X-New: 4", "Content-Type: text/x-a", `ETag: "v1"`)),
	}},
	{"A16 a 304's Date and Expires replace those stored", nil, steps{
		miss(answers("Date: "+at(0), "Expires: "+at(sec), `ETag: "v1"`)),
		after(2*sec, confirmed(answers("Date: "+at(2*sec), "Expires: "+at(time.Hour)))),
		hit(shows("Date: "+at(2*sec), "Expires: "+at(time.Hour), "Age: {0..1}")),
	}},
	{"A16 not its Content-Length, nor what is never stored", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(answers(minute, "Content-Length: 0", "Connection: X-Hop", "X-Hop: 1"), shows("Content-Length: 8", "!X-Hop"))),
		hit(shows("Content-Length: 8", "!X-Hop")),
	}},
	{"A16 a 304 with Set-Cookie is its client's, and freshens nothing", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(answers(minute, "Set-Cookie: a=b"), shows("Set-Cookie: a=b", "Cache-Status: reprise; fwd=stale; fwd-status=304; detail=set-cookie"))),
		after(3*sec, confirmed(answers(minute), shows("!Set-Cookie"))), // until then others do not wait for it
		hit(shows("!Set-Cookie")),
	}},
	{"A16 a 304 that says no-store ends it", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, anyhow(confirmed(answers("Cache-Control: no-store")))),
		miss(sees("!If-None-Match")),
	}},
	{"A16 a 304 that says private ends it", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, anyhow(confirmed(answers("Cache-Control: private")))),
		miss(sees("!If-None-Match")),
	}},

	{"A16 a new answer replaces it", nil, steps{
		miss(answers(soon, `ETag: "v1"`, "X-Old: 1")),
		after(2*sec, miss(sees(`If-None-Match: "v1"`), answers(minute, `ETag: "v2"`), shows("Cache-Status: reprise; fwd=stale; fwd-status=200; stored"))),
		hit(shows(`ETag: "v2"`, "!X-Old")),
	}},
	{"A16 a new answer may have no tag", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, miss(sees(`If-None-Match: "v1"`), answers(minute))),
		hit(),
	}},
	{"A16 an error is the client's, and leaves what is stored", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, miss(sees(`If-None-Match: "v1"`), status(503))),
		confirmed(sees(`If-None-Match: "v1"`), of(1)),
	}},
	{"A16 a 404 ends it", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, miss(sees(`If-None-Match: "v1"`), status(404))),
		miss(sees("!If-None-Match")),
	}},

	{"A16 the client's condition is answered by us, ours goes to the origin", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(asks(`If-None-Match: "v0", "v1"`), sees(`If-None-Match: "v1"`), gets(304, `ETag: "v1"`))),
	}},
	{"A16 the client's condition does not hold, ours does", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(asks(`If-None-Match: "v0"`), sees(`If-None-Match: "v1"`))),
	}},
	{"A16 the client has a date, we have a tag", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(asks("If-Modified-Since: "+at(-time.Hour)), sees(`If-None-Match: "v1"`, "!If-Modified-Since"))),
	}},
	{"A16 the client's condition holds for the new answer", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, miss(asks(`If-None-Match: "v2"`), sees(`If-None-Match: "v1"`), answers(minute, `ETag: "v2"`), gets(304, `ETag: "v2"`))),
		hit(),
	}},
	{"A16 the client's range is answered by us", nil, steps{
		miss(body("0123456789"), answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(asks("Range: bytes=2-4"), sees(`If-None-Match: "v1"`, "!Range"), gets(206, "Content-Range: bytes 2-4/10"), reads("234"))),
	}},
	{"A16 what selected the variant goes to the origin", nil, steps{
		miss(asks("Accept-Language: de"), answers(soon, languages, `ETag: "de"`)),
		after(2*sec, confirmed(asks("Accept-Language: de"), sees(`If-None-Match: "de"`, "Accept-Language: de"))),
	}},
	{"A16 Authorization and cookies stay with the request", nil, steps{
		miss(answers("Cache-Control: public, max-age=1", `ETag: "v1"`)),
		after(2*sec, confirmed(asks("Authorization: Basic YTpi", "Cookie: a=b"), sees(`If-None-Match: "v1"`, "Authorization: Basic YTpi", "Cookie: a=b"))),
	}},

	{"A16 a refresh behind the client asks on a condition", nil, steps{
		miss(answers("Cache-Control: max-age=2, stale-while-revalidate=60", `ETag: "v1"`)),
		after(3*sec, refresh(sees(`If-None-Match: "v1"`), status(304))),
		hit(shows("Age: {0..1}")),
	}},
	{"A16 nothing is kept for it if the policy says so", func(p *middleware.Policy) { p.Advanced.Keep = -1 }, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, miss(sees("!If-None-Match"))),
	}},
	{"A16 and otherwise for a time", func(p *middleware.Policy) { p.Advanced.Keep = time.Second }, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(4*sec, miss(sees("!If-None-Match"))),
	}},
	{"A16 implicit freshness begins anew", ttl(2 * sec), steps{
		miss(answers(`ETag: "v1"`)),
		after(4*sec, confirmed(sees(`If-None-Match: "v1"`))),
		hit(),
	}},
}

// anyhow is s, whatever X-Cache says.
func anyhow(s Step) Step {
	s.Want.XCache = ""
	return s
}
