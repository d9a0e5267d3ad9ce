package scenario

import (
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// behind and standIn are answers that may be served stale for a minute: while
// they are refreshed, and in the place of errors.
const (
	behind  = "Cache-Control: max-age=2, stale-while-revalidate=60"
	standIn = "Cache-Control: max-age=1, stale-if-error=60"
)

// staleness has what is served stale (RFC 9111 §4.2.4, RFC 5861).
var staleness = []Scenario{
	{"A20 stale-while-revalidate: now the old one, then the new", nil, steps{
		miss(answers(behind)),
		after(3*sec, refresh(answers(minute), shows("Age: {3..4}", "Cache-Status: reprise; hit; ttl={-2..-1}"))),
		hit(shows("Age: {0..1}")),
	}},
	{"A20 the policy's window for a response that has none", ttl(2*sec, stalePolicy), steps{
		miss(),
		after(4*sec, refresh()),
		hit(),
	}},
	{"A20 and for one with a lifetime of its own", stalePolicy, steps{
		miss(answers(soon)),
		after(2*sec, refresh(answers(minute))),
		hit(),
	}},
	{"A20 stale-while-revalidate ends", nil, steps{
		miss(answers("Cache-Control: max-age=1, stale-while-revalidate=1")),
		after(3*sec, miss()),
	}},
	{"A20 the response's window counts before the policy's", stalePolicy, steps{
		miss(answers("Cache-Control: max-age=1, stale-while-revalidate=0, stale-if-error=0")),
		after(2*sec, miss(status(503))),
	}},
	{"A20 a received Age counts", nil, steps{
		miss(answers("Cache-Control: max-age=60, stale-while-revalidate=60", "Age: 59")),
		after(2*sec, refresh()),
	}},
	{"A20 the request of a refresh is the client's without its conditions", nil, steps{
		miss(asks("X-Kind: a"), answers(behind, "Vary: X-Kind")),
		after(3*sec, refresh(asks("X-Kind: a", `If-None-Match: "other"`, "Range: bytes=0-1", "Cache-Control: foo"), gets(206), reads("an"),
			sees("X-Kind: a", "!If-None-Match", "!Range", "!Cache-Control"), answers(minute, "Vary: X-Kind"))),
		hit(asks("X-Kind: a"), of(2)),
	}},
	{"A20 a HEAD starts no refresh", nil, steps{
		miss(answers(behind)),
		after(3*sec, stale(by("HEAD"))),
		refresh(answers(minute)),
		hit(),
	}},
	{"A20 nor does a client that wants nothing stored", nil, steps{
		miss(answers(behind)),
		after(3*sec, stale(asks("Cache-Control: no-store"))),
	}},
	{"A20 a client that wants no stale one gets none", nil, steps{
		miss(answers(behind)),
		after(3*sec, miss(asks("Cache-Control: no-cache"), answers(minute))),
	}},
	{"A20 a client that wants a young one gets none that is stale", nil, steps{
		miss(answers(behind)),
		after(3*sec, miss(asks("Cache-Control: max-age=60"), answers(minute))),
	}},

	obeyed("A20 a refresh that says no-store ends the old one", answers("Cache-Control: no-store")),
	obeyed("A20 a refresh that says private ends the old one", answers("Cache-Control: private")),
	obeyed("A20 a refresh that is a 404 ends the old one", status(404)),
	obeyed("A20 a refresh that is a 410 ends the old one", status(410)),
	obeyed("A20 a refresh that is a 403 ends the old one", status(403)),
	obeyed("A20 a refresh that varies by all ends the old one", answers("Vary: *", minute)),
	{"A20 a refresh that is a 404 with a lifetime replaces the old one", nil, steps{
		miss(answers(behind)),
		after(3*sec, refresh(status(404), answers(minute), body("gone"))),
		hit(gets(404), reads("gone")),
	}},
	{"A20 a refresh that fails leaves the old one, and is not tried at once", nil, steps{
		miss(answers(behind)),
		after(3*sec, refresh(status(503))),
		stale(of(1)),
		after(3*sec, refresh(answers(minute), of(1))),
		hit(of(4)),
	}},
	{"A20 a refresh that panics leaves the old one", nil, steps{
		miss(answers(behind)),
		after(3*sec, refresh(panics())),
		stale(),
	}},

	failing("A20 stale-if-error for a 500", standIn, rescued(status(500), shows("Age: {2..3}"))),
	failing("A20 stale-if-error for a 502", standIn, rescued(status(502))),
	failing("A20 stale-if-error for a 503", standIn, rescued(status(503))),
	failing("A20 stale-if-error for a 504", standIn, rescued(status(504))),
	failing("A20 stale-if-error for a 503 that comes in pieces", standIn, rescued(status(503), body("broken"), flushes())),
	failing("A20 stale-if-error for a 503 with a lifetime", standIn, rescued(status(503), answers("Cache-Control: no-store"))),
	failing("A20 stale-if-error for a panic", standIn, rescued(panics())),
	failing("A20 stale-if-error for an origin that gives up", standIn, rescued(answers(standIn), aborts(""))),
	failing("A20 stale-if-error for an origin that gives up within its answer", standIn, rescued(answers(standIn), aborts("only a par"))),
	failing("A20 not for one whose answer has begun to go out", standIn, broken(answers("Cache-Control: private"), aborts("only a par"))),
	{"A20 stale-if-error for an origin that hangs", func(p *middleware.Policy) { p.Limits.Fill = time.Second }, steps{
		miss(answers(standIn)),
		after(2*sec, rescued(hangs())),
	}},
	failing("A20 stale-if-error is not for a 404", standIn, miss(status(404))),
	failing("A20 stale-if-error is not for a 429", standIn, miss(status(429))),
	failing("A20 stale-if-error is not for a 501", standIn, miss(status(501))),
	failing("A20 stale-if-error, HEAD", standIn, rescued(by("HEAD"), status(503))),
	failing("A20 stale-if-error, a part", standIn, rescued(asks("Range: bytes=0-1"), status(503), gets(206), reads("an"))),
	failing("A20 stale-if-error, a condition", standIn, rescued(asks("If-None-Match: *"), status(503), gets(304))),
	failing("A20 stale-if-error, a client that wants nothing stored", standIn, rescued(asks("Cache-Control: no-store"), status(503))),
	failing("A20 stale-if-error, a client that wants no old one", standIn, miss(asks("Cache-Control: no-cache"), status(503))),
	failing("A20 without stale-if-error an error is an error", soon, miss(status(503))),
	failing("A20 without stale-if-error a panic is one", soon, broken(panics())),
	failing("A20 without stale-if-error what gives up is broken", soon, broken(aborts("only a par"))),
	{"A20 stale-if-error ends", nil, steps{
		miss(answers("Cache-Control: max-age=1, stale-if-error=1")),
		after(3*sec, miss(status(503))),
	}},
	{"A20 stale-if-error goes on, and then the origin is back", nil, steps{
		miss(answers(standIn)),
		after(2*sec, rescued(status(503))),
		rescued(status(503)),
		miss(answers(minute)),
		hit(),
	}},

	strict("A20 must-revalidate is never stale", "Cache-Control: max-age=1, must-revalidate"),
	strict("A20 proxy-revalidate is never stale", "Cache-Control: max-age=1, proxy-revalidate"),
	strict("A20 s-maxage is not stale without its own word", "Cache-Control: s-maxage=1"),
	strict("A20 no-cache is never stale", "Cache-Control: no-cache, max-age=1"),
	strict("A20 must-revalidate counts before windows", "Cache-Control: max-age=1, must-revalidate, stale-while-revalidate=60, stale-if-error=60"),
	strict("A20 proxy-revalidate counts before windows", "Cache-Control: max-age=1, stale-while-revalidate=60, stale-if-error=60, proxy-revalidate"),
	strict("A20 no-cache counts before windows", "Cache-Control: no-cache, stale-while-revalidate=60, stale-if-error=60"),
	{"A20 must-revalidate and an origin that fails", stalePolicy, steps{
		miss(answers("Cache-Control: max-age=1, must-revalidate")),
		after(2*sec, broken(panics())),
	}},
	{"A20 s-maxage with its own stale-while-revalidate", nil, steps{
		miss(answers("Cache-Control: s-maxage=1, stale-while-revalidate=60")),
		after(2*sec, refresh(answers(minute))),
		hit(),
	}},
	{"A20 s-maxage with its own stale-if-error", nil, steps{
		miss(answers("Cache-Control: s-maxage=1, stale-if-error=60")),
		after(2*sec, rescued(status(503))),
	}},
	{"A20 nothing is stale unless something says so", nil, steps{
		miss(answers(soon)),
		after(2*sec, miss()),
	}},
}

// obeyed is a refresh after which the old response is not used any more.
func obeyed(name string, answer part) Scenario {
	return Scenario{name, nil, steps{
		miss(answers(behind)),
		after(3*sec, refresh(answer)),
		miss(),
	}}
}

// failing is a stored response that has been stale for a second, and a step.
func failing(name, control string, s Step) Scenario {
	return Scenario{name, nil, steps{miss(answers(control)), after(2*sec, s)}}
}

// strict is a response that is not served stale, whatever the policy allows.
func strict(name, control string) Scenario {
	return Scenario{name, stalePolicy, steps{
		miss(answers(control)),
		after(2*sec, miss(status(503))),
	}}
}
