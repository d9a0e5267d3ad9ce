package scenario

import "time"

// conditions has clients' conditions that a fresh response answers (RFC 9111
// §4.3.2, RFC 9110 §13).
var conditions = []Scenario{
	tagged("A15 the same tag", `"v1"`, `"v1"`, 304),
	tagged("A15 another tag", `"v1"`, `"v2"`, 200),
	tagged("A15 the first of a list", `"v1"`, `"v1", "v2", "v3"`, 304),
	tagged("A15 one within a list", `"v2"`, `"v1", "v2", "v3"`, 304),
	tagged("A15 the last of a list", `"v3"`, `"v1","v2"  ,W/"v0", "v3"`, 304),
	tagged("A15 none of a list", `"v4"`, `"v1", "v2", "v3"`, 200),
	tagged("A15 a tag with a comma within", `"v,1"`, `"v0", "v,1"`, 304),
	tagged("A15 any tag", `"v1"`, `*`, 304),
	tagged("A15 weak and weak", `W/"v1"`, `W/"v1"`, 304),
	tagged("A15 weak and strong", `W/"v1"`, `"v1"`, 304),
	tagged("A15 strong and weak", `"v1"`, `W/"v1"`, 304),
	tagged("A15 a tag has letter case", `"V1"`, `"v1"`, 200),
	tagged("A15 w/ is not W/", `W/"v1"`, `w/"v1"`, 200),
	tagged("A15 a tag without quotes is none", `"v1"`, `v1`, 200),
	tagged("A15 a tag of bytes beyond ASCII", "\"v\xfc\"", "\"v\xfc\"", 304),
	{"A15 lists on two lines", nil, steps{
		miss(answers(minute, `ETag: "v2"`)),
		hit(asks(`If-None-Match: "v1"`, `If-None-Match: "v2"`), gets(304)),
	}},

	modified("A15 not modified since just then", -time.Hour, at(-time.Hour), 304),
	modified("A15 not modified since later", -time.Hour, at(-time.Minute), 304),
	modified("A15 modified since", -time.Hour, at(-2*time.Hour), 200),
	modified("A15 since a date as RFC 850 has it", -time.Hour, at(-time.Minute, "Monday, 02-Jan-06 15:04:05 GMT"), 304),
	modified("A15 since a date as asctime has it", -time.Hour, at(-time.Minute, time.ANSIC), 304),
	modified("A15 since no date", -time.Hour, "yesterday", 200),
	modified("A15 since a date in sloppy form", -time.Hour, at(-time.Minute, "Mon, 02 Jan 2006  15:04:05 GMT"), 200),
	modified("A15 since a date in lower case", -time.Hour, at(-time.Minute, "Mon, 02 Jan 2006 15:04:05 gmt"), 304),
	{"A15 If-None-Match counts before If-Modified-Since", nil, steps{
		miss(answers(minute, `ETag: "v1"`, "Last-Modified: "+at(-time.Hour))),
		hit(asks(`If-None-Match: "v2"`, "If-Modified-Since: "+at(-time.Minute)), gets(200)),
		hit(asks(`If-None-Match: "v1"`, "If-Modified-Since: "+at(-2*time.Hour)), gets(304)),
	}},
	{"A15 If-Modified-Since where there is no Last-Modified: Date stands in", nil, steps{
		miss(answers(minute, "Date: "+at(-10*sec))),
		hit(asks("If-Modified-Since: "+at(-5*sec)), gets(304)),
		hit(asks("If-Modified-Since: "+at(-15*sec)), gets(200)),
	}},

	{"A15 the answer to a condition that is not stored", nil, steps{
		miss(asks(`If-None-Match: "v1"`), sees("!If-None-Match"), answers("Cache-Control: no-store", `ETag: "v1"`), gets(304, `ETag: "v1"`, "!Content-Length")),
		miss(asks("If-None-Match: W/\"v1\""), answers("Cache-Control: private", `ETag: "v2"`), gets(200, `ETag: "v2"`)),
	}},
	{"A15 the answer to a date that is not stored", nil, steps{
		miss(asks("If-Modified-Since: "+at(-time.Minute)), answers("Cache-Control: private", "Last-Modified: "+at(-time.Hour)), gets(304, "!Content-Length")),
	}},
	{"A15 a 304 has what a cache needs", nil, steps{
		miss(answers(minute, `ETag: "v1"`, "Date: "+at(-sec), "Expires: "+at(time.Hour), "Vary: X-Kind", "Content-Location: /page.en",
			"Content-Type: text/html")),
		hit(asks(`If-None-Match: "v1"`), gets(304, `ETag: "v1"`, "Cache-Control: max-age=60", "Date: "+at(-sec), "Expires: "+at(time.Hour),
			"Vary: X-Kind", "Content-Location: /page.en", "Age: {1..2}", "!Content-Length")),
	}},
	{"A15 a response without a tag gets one of ours", nil, steps{
		miss(answers(minute, "X-Mine: 1"), shows("ETag")),
		hit(asks("If-None-Match: *"), gets(304, "ETag")),
	}},
	{"A15 HEAD with a condition", nil, steps{
		miss(answers(minute, `ETag: "v1"`)),
		hit(by("HEAD"), asks(`If-None-Match: "v1"`), gets(304)),
		hit(by("HEAD"), asks(`If-None-Match: "v2"`), gets(200)),
	}},
	{"A15 conditions are for 2xx alone", nil, steps{
		miss(status(404), answers(minute, `ETag: "v1"`)),
		hit(asks(`If-None-Match: "v1"`)),
	}},
	{"A15 a stale response does not answer a condition unasked", nil, steps{
		miss(answers("Cache-Control: max-age=1", `ETag: "v1"`)),
		after(2*sec, miss(asks(`If-None-Match: "v1"`), answers(minute, `ETag: "v2"`), gets(200), reads("answer 2"))),
	}},
	{"A15 a condition on a miss: the origin makes the whole, we answer it", nil, steps{
		miss(asks(`If-None-Match: "v1"`), answers(minute, `ETag: "v1"`), sees("!If-None-Match"), gets(304)),
		hit(),
	}},
	{"A15 a condition on a miss that does not hold", nil, steps{
		miss(asks(`If-None-Match: "v0"`), answers(minute, `ETag: "v1"`)),
		hit(),
	}},

	{"A15 If-Match is the origin's to answer", nil, steps{
		miss(answers(minute, `ETag: "v1"`)),
		miss(asks(`If-Match: "v2"`), sees(`If-Match: "v2"`), status(412)),
		miss(asks(`If-Match: "v1"`), sees(`If-Match: "v1"`), answers(minute, `ETag: "v1"`)),
		hit(of(1)),
	}},
	{"A15 If-Unmodified-Since is the origin's to answer", nil, steps{
		miss(answers(minute, "Last-Modified: "+at(-time.Hour))),
		miss(asks("If-Unmodified-Since: "+at(-2*time.Hour)), sees("If-Unmodified-Since: "+at(-2*time.Hour)), status(412)),
		hit(of(1)),
	}},
	{"A15 the answer to If-Match is not stored", nil, steps{
		miss(asks(`If-Match: "v1"`), answers(minute, `ETag: "v1"`)),
		miss(),
	}},
}

// tagged is a fresh response with a tag, and what If-None-Match makes of it.
func tagged(name, tag, condition string, want int) Scenario {
	return Scenario{name, nil, steps{
		miss(answers(minute, "ETag: "+tag)),
		hit(asks("If-None-Match: "+condition), gets(want, "ETag: "+tag)),
	}}
}

// modified is a fresh response with a date, and what If-Modified-Since makes of it.
func modified(name string, when time.Duration, condition string, want int) Scenario {
	return Scenario{name, nil, steps{
		miss(answers(minute, "Last-Modified: "+at(when))),
		hit(asks("If-Modified-Since: "+condition), gets(want)),
	}}
}
