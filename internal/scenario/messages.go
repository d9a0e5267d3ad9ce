package scenario

import "time"

// messages has what surrounds a response, and what we say in one (RFC 9110 §15.2,
// §6.5; RFC 9211).
var messages = []Scenario{
	{"A23 a 103 is handed on and not stored", nil, steps{
		miss(early(103, "Link: </a.css>; rel=preload", "X-Early: 1"), answers(minute), shows("!Link", "!X-Early")),
		hit(shows("!Link", "!X-Early")),
	}},
	{"A23 a 102 is handed on", nil, steps{miss(early(102), answers(minute)), hit()}},
	{"A23 several", nil, steps{
		miss(early(103, "Link: </a.css>; rel=preload"), early(103, "Link: </b.css>; rel=preload"), answers(minute)),
		hit(),
	}},
	{"A23 a 103 before what is not stored", nil, steps{
		miss(early(103, "Link: </a.css>; rel=preload"), answers(noStore), shows("!Link")),
		miss(shows("!Link")),
	}},
	{"A23 a 103 and a POST", nil, steps{
		bypass(by("POST"), sends("x"), early(103, "Link: </a.css>; rel=preload"), shows("!Link")),
	}},
	{"A23 a 103 of a refresh is nobody's", nil, steps{
		miss(answers(behind)),
		after(3*sec, refresh(early(103, "Link: </a.css>; rel=preload"), answers(minute))),
		hit(shows("!Link")),
	}},
	{"A23 a trailer is handed on, and such a response not stored", nil, steps{
		miss(trailer("X-Sum: 1"), answers(minute)),
		miss(trailer("X-Sum: 2"), answers(minute)),
	}},
	{"A23 a trailer behind what is flushed", nil, steps{
		miss(body("in two parts"), flushes(), trailer("X-Sum: 1"), answers(minute)),
		miss(),
	}},
	{"A23 what is flushed is stored as a whole", nil, steps{
		miss(body("in two parts"), flushes(), answers(minute)),
		hit(shows("Content-Length: 12")),
	}},
	{"A23 what ends early is not", nil, steps{
		broken(body("in two parts"), flushes(), answers(minute), aborts("in two par")),
		miss(),
	}},

	says("A24 stored", "Cache-Status: reprise; fwd=uri-miss; fwd-status=200; stored", minute),
	says("A24 another status", "Cache-Status: reprise; fwd=uri-miss; fwd-status=404; stored", minute, "404"),
	says("A24 not stored: no-store", "Cache-Status: reprise; fwd=uri-miss; fwd-status=200; detail=no-store", noStore),
	says("A24 not stored: private", "Cache-Status: reprise; fwd=uri-miss; fwd-status=200; detail=private", "Cache-Control: private"),
	says("A24 not stored: no lifetime", "Cache-Status: reprise; fwd=uri-miss; fwd-status=200; detail=no-freshness"),
	says("A24 not stored: Set-Cookie", "Cache-Status: reprise; fwd=uri-miss; fwd-status=200; detail=set-cookie", minute, "Set-Cookie: a=b"),
	says("A24 not stored: Vary: *", "Cache-Status: reprise; fwd=uri-miss; fwd-status=200; detail=vary", minute, "Vary: *"),
	{"A24 a hit, and how long it is fresh", nil, steps{
		miss(answers(minute)),
		after(2*sec, hit(shows("Cache-Status: reprise; hit; ttl={57..58}"))),
	}},
	{"A24 a stale one, and for how long it is stale", nil, steps{
		miss(answers(behind)),
		after(4*sec, refresh(shows("Cache-Status: reprise; hit; ttl={-3..-2}"))),
	}},
	{"A24 too old", nil, steps{
		miss(answers(standIn)),
		after(2*sec, miss(answers(minute), shows("Cache-Status: reprise; fwd=stale; fwd-status=200; stored"))),
	}},
	{"A24 confirmed", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, confirmed(shows("Cache-Status: reprise; fwd=stale; fwd-status=304; stored"))),
	}},
	{"A24 another variant", nil, steps{
		miss(asks("X-Kind: a"), answers(minute, "Vary: X-Kind")),
		miss(asks("X-Kind: b"), answers(minute, "Vary: X-Kind"), shows("Cache-Status: reprise; fwd=vary-miss; fwd-status=200; stored")),
		hit(asks("X-Kind: b"), shows("Cache-Status: reprise; hit; ttl={59..60}")),
	}},
	{"A24 the client's wish", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), answers(minute), shows("Cache-Status: reprise; fwd=request; fwd-status=200; stored"))),
	}},
	{"A24 a method", nil, steps{
		bypass(by("POST"), sends("x"), shows("Cache-Status: reprise; fwd=method")),
		bypass(by("OPTIONS"), shows("Cache-Status: reprise; fwd=method")),
	}},
	{"A24 a bypass", nil, steps{
		bypass(asks("Upgrade: websocket"), shows("Cache-Status: reprise; fwd=bypass; detail=upgrade")),
	}},
	{"A24 nothing, and the client wants only what is stored", nil, steps{
		refused(asks("Cache-Control: only-if-cached"), shows("Cache-Status: reprise; detail=only-if-cached")),
	}},
	{"A24 an error that something stands in for", nil, steps{
		miss(answers(standIn)),
		after(2*sec, rescued(status(503), shows("Cache-Status: reprise; fwd=stale; fwd-status=503; ttl={-2..-1}; detail=error"))),
	}},
	{"A24 behind the members of caches nearer to the origin", nil, steps{
		miss(answers(minute, "Cache-Status: inner; hit; ttl=5"), shows("Cache-Status: inner; hit; ttl=5", "Cache-Status: reprise; fwd=uri-miss; fwd-status=200; stored")),
		hit(shows("Cache-Status: inner; hit; ttl=5", "Cache-Status: reprise; hit; ttl={59..60}")),
	}},
	{"A24 an origin's X-Cache gives way to ours", ttl(time.Minute), steps{
		miss(answers("X-Cache: theirs"), shows("X-Cache: MISS")),
		hit(shows("X-Cache: HIT")),
	}},
}

// says is an answer with these fields, or a status, and what Cache-Status says of it.
func says(name, want string, parts ...string) Scenario {
	s := miss(shows(want))
	for _, p := range parts {
		if p == "404" {
			s.Origin.Status = 404
			continue
		}
		s.Origin.Fields = append(s.Origin.Fields, p)
	}
	return Scenario{name, nil, steps{s}}
}
