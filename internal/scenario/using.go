package scenario

import (
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// using has what is kept back of a stored response, and the Age of what goes
// out (RFC 9111 §4, §5.1, §5.2.2.4, §5.2.2.7).
var using = []Scenario{
	{"A8 no-cache: stored, and confirmed each time", nil, steps{
		miss(answers("Cache-Control: no-cache", `ETag: "v1"`)),
		confirmed(sees(`If-None-Match: "v1"`), shows(`ETag: "v1"`)),
		confirmed(sees(`If-None-Match: "v1"`)),
	}},
	{"A8 no-cache with a lifetime is confirmed each time as well", nil, steps{
		miss(answers("Cache-Control: max-age=60, No-Cache", "Expires: "+at(time.Hour), "Last-Modified: "+at(-time.Hour))),
		confirmed(sees("If-Modified-Since: " + at(-time.Hour))),
	}},
	{"A8 no-cache without a validator", nil, steps{
		miss(answers("Cache-Control: no-cache, max-age=60")),
		miss(sees("!If-None-Match", "!If-Modified-Since")),
	}},
	{"A8 no-cache counts before the policy's TTL", ttl(time.Minute), steps{
		miss(answers("Cache-Control: no-cache", `ETag: "v1"`)),
		confirmed(sees(`If-None-Match: "v1"`)),
	}},
	{"A8 no-cache, and the origin has a new answer", nil, steps{
		miss(answers("Cache-Control: no-cache", `ETag: "v1"`)),
		miss(sees(`If-None-Match: "v1"`), answers("Cache-Control: no-cache", `ETag: "v2"`)),
		confirmed(sees(`If-None-Match: "v2"`)),
	}},
	{"A8 a 304 may lift no-cache", nil, steps{
		miss(answers("Cache-Control: no-cache", `ETag: "v1"`)),
		confirmed(answers(minute)),
		hit(),
	}},
	{"A8 fields of no-cache are withheld", nil, steps{
		miss(answers(`Cache-Control: max-age=60, no-cache="X-Once, x-other"`, "X-Once: 1", "X-Other: 2", "X-Kept: 3"), shows("X-Once: 1", "X-Other: 2")),
		hit(shows("!X-Once", "!X-Other", "X-Kept: 3")),
	}},
	{"A8 fields of private are withheld", nil, steps{
		miss(answers(`Cache-Control: private="x-user", max-age=60`, "X-User: me", "X-Kept: 3"), shows("X-User: me")),
		hit(shows("!X-User", "X-Kept: 3")),
	}},
	{"A8 fields of both, on two lines", nil, steps{
		miss(answers(minute, `Cache-Control: private="X-User"`, `Cache-Control: no-cache="X-Once"`, "X-User: me", "X-Once: 1")),
		hit(shows("!X-User", "!X-Once")),
	}},
	{"A8 names without quotes are no list: the whole is meant", nil, steps{
		miss(answers("Cache-Control: max-age=60, private=X-User")),
		miss(),
		miss(to("/2"), answers("Cache-Control: max-age=60, no-cache=X-Once")),
		miss(to("/2")),
	}},
	{"A8 a list of no names: the whole is meant", nil, steps{
		miss(answers(`Cache-Control: max-age=60, private=""`)),
		miss(),
		miss(to("/2"), answers(`Cache-Control: max-age=60, no-cache="a b"`)),
		miss(to("/2")),
	}},

	{"A13 Age is how long a response was held", nil, steps{
		miss(answers(minute)),
		hit(shows("Age: {0..1}")),
		after(2*sec, hit(shows("Age: {2..3}"))),
	}},
	{"A13 and how old it was", nil, steps{
		miss(answers(minute, "Age: 30")),
		after(2*sec, hit(shows("Age: {32..33}"))),
	}},
	{"A13 and how old its Date was, if that is more", nil, steps{
		miss(answers(minute, "Age: 5", "Date: "+at(-20*sec))),
		hit(shows("Age: {20..21}")),
	}},
	{"A13 where Expires says how long, too", nil, steps{
		miss(answers("Expires: " + at(time.Minute))),
		after(2*sec, hit(shows("Age: {2..3}"))),
	}},
	{"A13 a miss has no Age of ours", nil, steps{miss(answers(minute), shows("!Age"))}},
	{"A13 Date and Expires stay", nil, steps{
		miss(answers(minute, "Date: "+at(-sec), "Expires: "+at(time.Hour))),
		after(2*sec, hit(shows("Date: "+at(-sec), "Expires: "+at(time.Hour)))),
	}},
	{"A13 a Date of ours stays too", nil, steps{
		miss(answers(minute)),
		after(2*sec, hit(shows("Date: "+at(0)+" | "+at(sec)))),
	}},
	{"A13 a response that is stale when it goes out says so by its Age", nil, steps{
		miss(answers("Cache-Control: max-age=1, stale-while-revalidate=60")),
		after(2*sec, refresh(answers(minute), shows("Age: {2..3}", "!Warning"))),
		hit(shows("Age: {0..1}")),
	}},

	{"A17 HEAD is answered from the stored GET", nil, steps{
		miss(answers(minute, "X-Mine: 1")),
		hit(by("HEAD"), shows("Content-Length: 8", "X-Mine: 1", "Age: {0..1}")),
	}},
	{"A17 what a HEAD brings is not stored", nil, steps{
		miss(by("HEAD"), answers(minute)),
		miss(by("HEAD"), answers(minute)),
		miss(answers(minute)),
		hit(),
	}},
	{"A17 a HEAD goes through when what is stored is stale", nil, steps{
		miss(answers("Cache-Control: max-age=1")),
		after(2*sec, miss(by("HEAD"))),
	}},
	{"A17 a HEAD that agrees freshens", nil, steps{
		miss(body("the page"), answers("Cache-Control: max-age=2", `ETag: "v1"`, "X-Old: 1", "X-Both: old")),
		after(3*sec, miss(by("HEAD"), body("the page"), answers(minute, `ETag: "v1"`, "X-Both: new"))),
		hit(shows("X-Old: 1", "X-Both: new")),
	}},
	{"A17 a HEAD with another ETag ends what is stored", stalePolicy, steps{
		miss(answers("Cache-Control: max-age=1", `ETag: "v1"`)),
		after(2*sec, miss(by("HEAD"), asks("Cache-Control: no-cache"), answers(minute, `ETag: "v2"`))),
		miss(),
	}},
	{"A17 a HEAD with another length ends what is stored", stalePolicy, steps{
		miss(body("short"), answers("Cache-Control: max-age=1", "Last-Modified: "+at(-time.Hour))),
		after(2*sec, miss(by("HEAD"), asks("Cache-Control: no-cache"), body("longer than before"),
			answers(minute, "Content-Length: 18", "Last-Modified: "+at(-time.Hour)))),
		miss(),
	}},
	{"A17 a HEAD with an error ends nothing", nil, steps{
		miss(answers("Cache-Control: max-age=1, stale-if-error=60", `ETag: "v1"`)),
		after(2*sec, miss(by("HEAD"), status(429))),
		confirmed(sees(`If-None-Match: "v1"`)),
	}},
}

// stalePolicy serves stale whatever may be.
func stalePolicy(p *middleware.Policy) {
	p.StaleWhileRevalidate, p.StaleIfError = time.Hour, time.Hour
}
