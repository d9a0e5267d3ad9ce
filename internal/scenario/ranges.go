package scenario

import (
	"strings"
	"time"
)

const digits = "0123456789"

// ranges has parts of a stored whole, and stored parts (RFC 9110 §14, RFC 9111
// §3.3, §3.4).
var ranges = []Scenario{
	ranged("A18 from here to there", "bytes=2-4", 206, "bytes 2-4/10", "234"),
	ranged("A18 one byte", "bytes=0-0", 206, "bytes 0-0/10", "0"),
	ranged("A18 to the end", "bytes=7-", 206, "bytes 7-9/10", "789"),
	ranged("A18 beyond the end", "bytes=7-90", 206, "bytes 7-9/10", "789"),
	ranged("A18 the last ones", "bytes=-3", 206, "bytes 7-9/10", "789"),
	ranged("A18 more than there are", "bytes=-90", 206, "bytes 0-9/10", digits),
	ranged("A18 from the end on", "bytes=10-", 416, "bytes */10", ""),
	ranged("A18 another unit", "lines=1-2", 200, "", digits),
	{"A18 several ranges", nil, steps{
		miss(body(digits), answers(minute)),
		hit(asks("Range: bytes=0-1, 8-9"), gets(206, "!Content-Range")),
	}},
	{"A18 more than sixteen ranges are none", nil, steps{
		miss(body(digits+digits), answers(minute)),
		hit(asks("Range: bytes=0-0"+strings.Repeat(",2-2", 15)), gets(206, "!Content-Range")),
		hit(asks("Range: bytes=0-0"+strings.Repeat(",2-2", 16)), gets(200, "!Content-Range")),
	}},
	{"A18 a Range with HEAD means nothing", nil, steps{
		miss(body(digits), answers(minute)),
		hit(by("HEAD"), asks("Range: bytes=0-1"), gets(200, "Content-Length: 10", "!Content-Range")),
	}},
	{"A18 a Range of an error means nothing", nil, steps{
		miss(status(404), answers(minute)),
		hit(asks("Range: bytes=0-1"), shows("!Content-Range")),
	}},
	{"A18 a part has the fields of the whole", nil, steps{
		miss(body(digits), answers(minute, `ETag: "v1"`, "Content-Type: text/x-a", "X-Mine: 1")),
		hit(asks("Range: bytes=0-1"), gets(206, `ETag: "v1"`, "Content-Type: text/x-a", "X-Mine: 1", "Content-Length: 2", "Cache-Control: max-age=60", "Age")),
	}},

	ifRange("A18 If-Range with the tag", `"v1"`, 206),
	ifRange("A18 If-Range with another tag", `"v2"`, 200),
	ifRange("A18 If-Range with a weak tag", `W/"v1"`, 200),
	ifRange("A18 If-Range with the date", at(-time.Hour), 206),
	ifRange("A18 If-Range with a later date", at(-time.Minute), 200),
	ifRange("A18 If-Range with an earlier date", at(-2*time.Hour), 200),
	{"A18 If-Range compares strongly: a weak tag is not enough", nil, steps{
		miss(body(digits), answers(minute, `ETag: W/"v1"`)),
		hit(asks("Range: bytes=0-1", `If-Range: W/"v1"`), gets(200, "!Content-Range")),
	}},
	{"A18 If-Range without Range means nothing", nil, steps{
		miss(body(digits), answers(minute, `ETag: "v1"`)),
		hit(asks(`If-Range: "v2"`)),
	}},
	{"A18 If-None-Match counts before Range", nil, steps{
		miss(body(digits), answers(minute, `ETag: "v1"`)),
		hit(asks("Range: bytes=0-1", `If-None-Match: "v1"`), gets(304)),
		hit(asks("Range: bytes=0-1", `If-None-Match: "v2"`), gets(206), reads("01")),
	}},

	{"A18 a part is asked for as a part", nil, steps{
		miss(asks("Range: bytes=0-4"), sees("Range: bytes=0-4"), file(digits), answers(minute, `ETag: "v1"`), gets(206, "Content-Range: bytes 0-4/10"), reads("01234")),
	}},
	{"A18 and stored as one", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers(minute, `ETag: "v1"`, "X-Mine: 1"), gets(206), reads("01234")),
		hit(asks("Range: bytes=0-4"), gets(206, "Content-Range: bytes 0-4/10", "Content-Length: 5", "X-Mine: 1", "Age"), reads("01234")),
		hit(asks("Range: bytes=1-2"), gets(206, "Content-Range: bytes 1-2/10"), reads("12")),
	}},
	{"A18 a stored tail", nil, steps{
		miss(asks("Range: bytes=-5"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("56789")),
		hit(asks("Range: bytes=-3"), gets(206, "Content-Range: bytes 7-9/10"), reads("789")),
		hit(asks("Range: bytes=6-"), gets(206, "Content-Range: bytes 6-9/10"), reads("6789")),
		hit(asks("Range: bytes=5-7"), gets(206, "Content-Range: bytes 5-7/10"), reads("567")),
	}},
	{"A18 what a stored part lacks is asked for", nil, steps{
		miss(asks("Range: bytes=2-4"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("234")),
		miss(asks("Range: bytes=6-7"), file(digits), answers(minute, `ETag: "v1"`), gets(206, "Content-Range: bytes 6-7/10"), reads("67")),
	}},
	{"A18 a part is never the whole", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers(minute), gets(206), reads("01234")),
		miss(file(digits), answers(minute), sees("!Range")),
		hit(reads(digits)),
	}},
	{"A18 a part is completed", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers(minute, `ETag: "v1"`, "X-Old: 1", "X-Both: old"), gets(206), reads("01234")),
		miss(sees("Range: bytes=5- | bytes=5-9", `If-Range: "v1"`), file(digits), answers(minute, `ETag: "v1"`, "X-Both: new"),
			gets(200, "Content-Length: 10", "!Content-Range", "X-Old: 1", "X-Both: new"), reads(digits)),
		hit(gets(200, "Content-Length: 10", "X-Old: 1", "X-Both: new"), reads(digits)),
		hit(asks("Range: bytes=3-6"), gets(206), reads("3456")),
	}},
	{"A18 a tail is completed", nil, steps{
		miss(asks("Range: bytes=-4"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("6789")),
		miss(sees("Range: bytes=0-5", `If-Range: "v1"`), file(digits), answers(minute, `ETag: "v1"`), gets(200), reads(digits)),
		hit(reads(digits)),
	}},
	{"A18 a unit has no letter case", nil, steps{
		miss(body(digits), answers(minute)),
		hit(asks("Range: BYTES=1-2"), gets(206), reads("12")),
	}},
	{"A18 If-Range with a date that may be of two versions", nil, steps{
		miss(body(digits), answers(minute, "Date: "+at(-sec), "Last-Modified: "+at(-sec))),
		hit(asks("Range: bytes=1-2", "If-Range: "+at(-sec)), gets(200), reads(digits)),
	}},
	{"A18 If-Range with a date that is of one", nil, steps{
		miss(body(digits), answers(minute, "Date: "+at(-sec), "Last-Modified: "+at(-time.Hour))),
		hit(asks("Range: bytes=1-2", "If-Range: "+at(-time.Hour)), gets(206), reads("12")),
	}},
	{"A18 a part that is all of it is the whole", nil, steps{
		miss(asks("Range: bytes=0-"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads(digits)),
		hit(gets(200, "Content-Length: 10", "!Content-Range"), reads(digits)),
		hit(asks("Range: bytes=-3"), gets(206), reads("789")),
	}},
	{"A18 the whole has changed since the part", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("01234")),
		miss(file("abcdefghijkl"), answers(minute, `ETag: "v2"`), gets(200, `ETag: "v2"`), reads("abcdefghijkl")),
		hit(reads("abcdefghijkl")),
	}},
	{"A18 a part with a weak tag is not completed", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers(minute, `ETag: W/"v1"`), gets(206), reads("01234")),
		miss(sees("!Range", "!If-Range"), file(digits), answers(minute, `ETag: W/"v1"`), reads(digits)),
	}},
	{"A18 an origin without ranges answers with the whole, for all", nil, steps{
		miss(asks("Range: bytes=0-1"), body(digits), answers(minute, `ETag: "v1"`), gets(206), reads("01")),
		hit(gets(200), reads(digits)),
	}},
	{"A18 a part with no-cache is confirmed each time", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers("Cache-Control: no-cache", `ETag: "v1"`), gets(206)),
		confirmed(asks("Range: bytes=1-2"), sees(`If-None-Match: "v1"`), file(digits), answers("Cache-Control: no-cache", `ETag: "v1"`), gets(206), reads("12")),
	}},
	{"A18 a part without a lifetime or a validator is not stored", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), gets(206)),
		miss(asks("Range: bytes=0-4"), file(digits), gets(206)),
	}},
	{"A18 a part with no-store is not stored", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers("Cache-Control: no-store, max-age=60", `ETag: "v1"`), gets(206)),
		miss(asks("Range: bytes=0-4"), file(digits), answers(minute, `ETag: "v1"`), gets(206)),
	}},
	{"A18 a stale part is asked for again", nil, steps{
		miss(asks("Range: bytes=0-4"), file(digits), answers(soon, `ETag: "v1"`), gets(206)),
		after(2*sec, anyhow(miss(asks("Range: bytes=0-4"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("01234")))),
	}},
	{"A18 a part that is shorter than it says is what has come", nil, steps{
		miss(asks("Range: bytes=0-4"), status(206), body("012"), answers(minute, `ETag: "v1"`, "Content-Range: bytes 0-4/10"), gets(206), reads("012")),
		hit(asks("Range: bytes=0-2"), gets(206, "Content-Range: bytes 0-2/10"), reads("012")),
		miss(asks("Range: bytes=0-4"), sees("Range: bytes=3-4"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("01234")),
	}},
	{"A18 a part that is longer than it says is not stored", nil, steps{
		miss(asks("Range: bytes=0-1"), status(206), body("0123"), answers(minute, `ETag: "v1"`, "Content-Range: bytes 0-1/10"), gets(206), reads("0123")),
		miss(asks("Range: bytes=0-1"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("01")),
	}},
	{"A18 several parts at once are not stored", nil, steps{
		miss(asks("Range: bytes=0-1,8-9"), file(digits), answers(minute, `ETag: "v1"`), gets(206)),
		miss(asks("Range: bytes=0-1,8-9"), file(digits), answers(minute, `ETag: "v1"`), gets(206)),
		miss(asks("Range: bytes=0-1"), file(digits), answers(minute, `ETag: "v1"`), gets(206), reads("01")),
	}},
	{"A18 a 206 to nobody's range is not stored", nil, steps{
		miss(status(206), body("01234"), answers(minute, `ETag: "v1"`, "Content-Range: bytes 0-4/10")),
		miss(file(digits), answers(minute, `ETag: "v1"`), gets(200), reads(digits)),
	}},
	{"A18 a part does not displace the whole", nil, steps{
		miss(file(digits), answers(minute, `ETag: "v1"`)),
		hit(asks("Range: bytes=0-4"), gets(206), reads("01234")),
		hit(reads(digits)),
	}},
}

// ranged is a fresh response of ten bytes, and what a Range makes of it.
func ranged(name, spec string, code int, contentRange, text string) Scenario {
	fields := []string{"!Content-Range"}
	if contentRange != "" {
		fields = []string{"Content-Range: " + contentRange}
	}
	return Scenario{name, nil, steps{
		miss(body(digits), answers(minute)),
		hit(asks("Range: "+spec), gets(code, fields...), reads(text)),
	}}
}

// ifRange is a fresh response with both validators, and what If-Range makes of
// a Range.
func ifRange(name, condition string, want int) Scenario {
	return Scenario{name, nil, steps{
		miss(body(digits), answers(minute, `ETag: "v1"`, "Last-Modified: "+at(-time.Hour))),
		hit(asks("Range: bytes=0-1", "If-Range: "+condition), gets(want)),
	}}
}
