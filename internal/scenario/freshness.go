package scenario

import (
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// freshness has how long a response is fresh (RFC 9111 §4.2), apart from the
// forms of dates and numbers, which are in syntax.go.
var freshness = []Scenario{
	unused("A1 nothing says how long"),
	unused("A1 a validator is no lifetime", `ETag: "v1"`, "Last-Modified: "+at(-time.Hour)),
	{"A1 a validator alone is no reason to keep a response", nil, steps{
		miss(answers(`ETag: "v1"`)),
		miss(sees("!If-None-Match")),
	}},
	{"A1 with public it is", nil, steps{
		miss(answers("Cache-Control: public", `ETag: "v1"`)),
		confirmed(sees(`If-None-Match: "v1"`)),
	}},
	unused("A1 public is no lifetime", "Cache-Control: public"),
	unused("A1 immutable is no lifetime", "Cache-Control: immutable"),
	unused("A1 must-revalidate is no lifetime", "Cache-Control: must-revalidate"),
	unused("A1 unknown directives are no lifetime", "Cache-Control: foo, bar=60"),
	{"A1 the policy's TTL is one", ttl(time.Minute), steps{miss(), hit()}},

	reused("A2 max-age", "Cache-Control: max-age=60"),
	reused("A2 s-maxage", "Cache-Control: s-maxage=60"),
	reused("A2 Expires", "Expires: "+at(time.Minute)),
	reused("A2 s-maxage counts before max-age", "Cache-Control: max-age=0, s-maxage=60"),
	reused("A2 s-maxage counts before max-age, in the other order", "Cache-Control: s-maxage=60, max-age=0"),
	reused("A2 s-maxage counts before max-age, on other lines", "Cache-Control: max-age=0", "Cache-Control: s-maxage=60"),
	unused("A2 a short s-maxage counts before a long max-age", "Cache-Control: max-age=60, s-maxage=0"),
	unused("A2 a short s-maxage counts before a long max-age, in the other order", "Cache-Control: s-maxage=0, max-age=60"),
	unused("A2 a short s-maxage counts before a long max-age, on other lines", "Cache-Control: s-maxage=0", "Cache-Control: max-age=60"),
	reused("A2 max-age counts before an Expires in the past", minute, "Expires: "+at(-time.Hour)),
	reused("A2 max-age counts before an invalid Expires", minute, "Expires: 0"),
	unused("A2 max-age=0 counts before an Expires in the future", "Cache-Control: max-age=0", "Expires: "+at(time.Hour)),
	reused("A2 s-maxage counts before an Expires in the past", "Cache-Control: s-maxage=60, max-age=0", "Expires: "+at(-time.Hour)),
	unused("A2 s-maxage=0 counts before an Expires in the future", "Cache-Control: s-maxage=0", "Expires: "+at(time.Hour)),
	{"A2 the response's lifetime counts before the policy's", ttl(time.Hour), steps{
		miss(answers("Cache-Control: max-age=1")),
		after(2*sec, miss(answers("Cache-Control: s-maxage=1"))),
		after(2*sec, miss(answers("Expires: "+at(5*sec)))),
		after(2*sec, miss()),
	}},
	reused("A2 names have no letter case", "Cache-Control: MAX-aGe=60"),
	reused("A2 unknown directives are passed over", `Cache-Control: foo, max-age=60, bar="1, 2", baz=3`),
	reused("A2 empty members are passed over", "Cache-Control: , ,max-age=60,,"),
	reused("A2 tabs and spaces surround members", "Cache-Control: \tpublic \t,\t max-age=60 "),
	reused("A2 the field's name has no letter case either", "cache-control: max-age=60"),
	{"A2 fresh until the end of the lifetime, and not longer", nil, steps{
		miss(answers("Cache-Control: max-age=3")),
		after(2*sec, hit()),
		after(2*sec, miss()),
	}},
	{"A2 Expires ends the freshness", nil, steps{
		miss(answers("Expires: " + at(3*sec))),
		after(sec, hit()),
		after(3*sec, miss()),
	}},
	{"A2 immutable ends with the freshness", nil, steps{
		miss(answers("Cache-Control: max-age=1, immutable")),
		after(2*sec, miss()),
	}},
	{"A2 Pragma in a response means nothing", nil, steps{
		miss(answers(minute, "Pragma: no-cache")),
		hit(),
	}},

	{"A4 a received Age counts", nil, steps{
		miss(answers(minute, "Age: 57")),
		after(sec, hit(shows("Age: {57..59}"))),
		after(3*sec, miss()),
	}},
	unused("A4 older than its lifetime on arrival", minute, "Age: 61"),
	unused("A4 as old as its lifetime on arrival", minute, "Age: 60"),
	unused("A4 of the members of Age the first counts", minute, "Age: 61, 0"),
	reused("A4 of the members of Age the others do not count", minute, "Age: 0, 61"),
	unused("A4 of the lines of Age the first counts", minute, "Age: 61", "Age: 0"),
	reused("A4 of the lines of Age the others do not count", minute, "Age: 0", "Age: 61"),
	reused("A4 an Age that is no number", minute, "Age: old"),
	reused("A4 a negative Age", minute, "Age: -61"),
	reused("A4 an Age with a fraction", minute, "Age: 61.0"),
	reused("A4 an Age with a parameter", minute, "Age: 61;x=1"),
	reused("A4 a quoted Age", minute, `Age: "61"`),
	reused("A4 an empty Age", minute, "Age: "),
	unused("A4 an Age of 2^31-1", minute, "Age: 2147483647"),
	unused("A4 an Age of 2^31", minute, "Age: 2147483648"),
	unused("A4 an Age of 2^64", minute, "Age: 18446744073709551616"),
	unused("A4 Age counts against Expires too", "Expires: "+at(time.Minute), "Date: "+at(0), "Age: 61"),
	unused("A4 Age counts against s-maxage too", "Cache-Control: s-maxage=60", "Age: 61"),
	{"A4 Age counts against the policy's TTL too", ttl(time.Minute), steps{miss(answers("Age: 70")), miss()}},
	unused("A4 an old Date makes a response old", minute, "Date: "+at(-2*time.Minute)),
	reused("A4 a Date in the future does not", minute, "Date: "+at(2*time.Minute)),

	reused("A5 Expires counts from Date, which may be slow", "Date: "+at(-time.Minute), "Expires: "+at(time.Minute)),
	unused("A5 Expires counts from Date, which may be fast", "Date: "+at(time.Hour), "Expires: "+at(time.Minute)),
	unused("A5 Expires equal to Date", "Date: "+at(0), "Expires: "+at(0)),
	unused("A5 Expires now", "Expires: "+at(0)),
	unused("A5 Expires before Date, both fast", "Date: "+at(2*time.Minute), "Expires: "+at(time.Minute)),
	reused("A5 Expires without a readable Date counts from the receipt", "Date: yesterday", "Expires: "+at(time.Minute)),
	unused("A5 Expires in the past without a readable Date", "Date: yesterday", "Expires: "+at(-time.Minute)),
	unused("A5 with a slow Date, Expires − Date is the lifetime and Date the age", "Date: "+at(-time.Minute), "Expires: "+at(0)),

	{"A6 there is no heuristic unless the policy wants it", nil, steps{
		miss(answers("Last-Modified: " + at(-24*time.Hour))),
		miss(),
	}},
	{"A6 a tenth of the time since Last-Modified", heuristic, steps{
		miss(answers("Last-Modified: " + at(-30*sec))),
		after(sec, hit(shows("Cache-Status: reprise; hit; ttl={1..3}"))),
		after(3*sec, miss(answers("Last-Modified: "+at(-26*sec)))),
	}},
	{"A6 not without Last-Modified", heuristic, steps{miss(answers(`ETag: "v1"`)), miss()}},
	{"A6 not with an unreadable Last-Modified", heuristic, steps{miss(answers("Last-Modified: long ago")), miss()}},
	{"A6 not with a Last-Modified in the future", heuristic, steps{miss(answers("Last-Modified: " + at(time.Hour))), miss()}},
	{"A6 not where the response says how long", heuristic, steps{
		miss(answers("Last-Modified: "+at(-24*time.Hour), "Cache-Control: max-age=0")),
		miss(answers("Last-Modified: "+at(-24*time.Hour), "Expires: 0")),
		miss(),
	}},
	{"A6 an explicit lifetime counts before it", heuristic, steps{
		miss(answers("Last-Modified: "+at(-24*time.Hour), "Cache-Control: max-age=1")),
		after(2*sec, miss(sees("If-Modified-Since: "+at(-24*time.Hour)))),
	}},
	heuristicStatus("A6 a 203 is", 203, hit),
	heuristicStatus("A6 a 204 is", 204, hit),
	heuristicStatus("A6 a 300 is", 300, hit),
	heuristicStatus("A6 a 301 is", 301, hit, "Location: /other"),
	heuristicStatus("A6 a 308 is", 308, hit, "Location: /other"),
	heuristicStatus("A6 a 404 is", 404, hit),
	heuristicStatus("A6 a 405 is", 405, hit),
	heuristicStatus("A6 a 410 is", 410, hit),
	heuristicStatus("A6 a 414 is", 414, hit),
	heuristicStatus("A6 a 501 is", 501, hit),
	heuristicStatus("A6 a 201 is not", 201, miss),
	heuristicStatus("A6 a 302 is not", 302, miss, "Location: /other"),
	heuristicStatus("A6 a 403 is not", 403, miss),
	heuristicStatus("A6 a 500 is not", 500, miss),
	heuristicStatus("A6 a 201 that is public is", 201, hit, "Cache-Control: public"),
	heuristicStatus("A6 a 403 that is public is", 403, hit, "Cache-Control: public"),
}

func heuristic(p *middleware.Policy) { p.Advanced.Heuristic = true }

// heuristicStatus is an answer with a status and a Last-Modified, and what a
// later request is.
func heuristicStatus(name string, code int, later func(...part) Step, fields ...string) Scenario {
	old := answers("Last-Modified: " + at(-time.Hour))
	return Scenario{name, heuristic, steps{
		miss(status(code), old, answers(fields...)),
		later(status(code), answers(fields...)),
	}}
}
