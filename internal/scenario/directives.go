package scenario

import (
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// directives has what clients ask of a cache (RFC 9111 §5.2.1, §5.4).
var directives = []Scenario{
	{"A19 no-cache asks the origin", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), answers(minute), shows("Cache-Status: reprise; fwd=request; fwd-status=200; stored"))),
		hit(),
	}},
	{"A19 no-cache: what is stored is confirmed by its tag", nil, steps{
		miss(answers(minute, `ETag: "v1"`)),
		after(sec, confirmed(asks("Cache-Control: no-cache"), sees(`If-None-Match: "v1"`),
			shows("Cache-Status: reprise; fwd=request; fwd-status=304; stored", "Age: {0..1}"))),
		hit(),
	}},
	{"A19 no-cache: what is stored is confirmed by its date", nil, steps{
		miss(answers(minute, "Last-Modified: "+at(-time.Hour))),
		after(sec, confirmed(asks("Cache-Control: no-cache"), sees("If-Modified-Since: "+at(-time.Hour)))),
	}},
	{"A19 no-cache in any letter case, among others", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: foo", "Cache-Control: No-Cache, bar=1"), answers(minute))),
	}},
	{"A19 max-age=0 asks the origin", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: max-age=0"), answers(minute))),
		hit(),
	}},
	{"A19 max-age=0: what is stored is confirmed", nil, steps{
		miss(answers(minute, `ETag: "v1"`)),
		after(sec, confirmed(asks("Cache-Control: max-age=0"), sees(`If-None-Match: "v1"`))),
	}},
	{"A19 max-age bounds the age", nil, steps{
		miss(answers(minute)),
		after(2*sec, hit(asks("Cache-Control: max-age=4"))),
		miss(asks("Cache-Control: max-age=1"), answers(minute)),
		hit(asks("Cache-Control: max-age=1")),
	}},
	{"A19 max-age and a received Age", nil, steps{
		miss(answers(minute, "Age: 30")),
		after(sec, hit(asks("Cache-Control: max-age=40"))),
		miss(asks("Cache-Control: max-age=20"), answers(minute)),
	}},
	{"A19 min-fresh bounds what is left", nil, steps{
		miss(answers("Cache-Control: max-age=10")),
		after(2*sec, hit(asks("Cache-Control: min-fresh=5"))),
		miss(asks("Cache-Control: min-fresh=9"), answers(minute)),
		hit(asks("Cache-Control: min-fresh=9")),
	}},
	{"A19 min-fresh and a received Age", nil, steps{
		miss(answers(minute, "Age: 50")),
		after(sec, miss(asks("Cache-Control: min-fresh=20"), answers(minute))),
	}},
	{"A19 max-stale takes what is stale", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(3*sec, stale(asks("Cache-Control: max-stale=60"), shows("Age: {3..4}"))),
		stale(asks("Cache-Control: max-stale")),
		confirmed(asks("Cache-Control: max-stale=1")),
	}},
	{"A19 max-stale and a received Age", nil, steps{
		miss(answers(minute, "Age: 59", `ETag: "v1"`)),
		after(2*sec, stale(asks("Cache-Control: max-stale=60"))),
	}},
	{"A19 max-stale with max-age takes what is young enough", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(3*sec, stale(asks("Cache-Control: max-age=5, max-stale=60"))),
		confirmed(asks("Cache-Control: max-age=1, max-stale=1")),
	}},
	{"A19 max-stale does not go over must-revalidate", nil, steps{
		miss(answers("Cache-Control: max-age=1, must-revalidate", `ETag: "v1"`)),
		after(2*sec, confirmed(asks("Cache-Control: max-stale=60"))),
	}},
	{"A19 nor over proxy-revalidate", nil, steps{
		miss(answers("Cache-Control: max-age=1, proxy-revalidate", `ETag: "v1"`)),
		after(2*sec, confirmed(asks("Cache-Control: max-stale"))),
	}},
	{"A19 nor over s-maxage", nil, steps{
		miss(answers("Cache-Control: s-maxage=1", `ETag: "v1"`)),
		after(2*sec, confirmed(asks("Cache-Control: max-stale"))),
	}},
	{"A19 nor over no-cache", nil, steps{
		miss(answers("Cache-Control: no-cache", `ETag: "v1"`)),
		confirmed(asks("Cache-Control: max-stale")),
	}},
	{"A19 no-store: its answer is not stored, what is stored may be used", nil, steps{
		miss(asks("Cache-Control: no-store"), answers(minute)),
		miss(answers(minute)),
		hit(asks("Cache-Control: no-store")),
		hit(),
	}},
	{"A19 no-store and no-cache: the old one stays", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache, no-store"), answers(minute))),
		hit(of(1)),
	}},
	{"A19 only-if-cached: nothing is", nil, steps{
		refused(asks("Cache-Control: only-if-cached")),
		miss(answers(minute)),
		hit(asks("Cache-Control: only-if-cached")),
	}},
	{"A19 only-if-cached: what is stored is stale", nil, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, refused(asks("Cache-Control: only-if-cached"))),
		stale(asks("Cache-Control: only-if-cached, max-stale=60")),
	}},
	{"A19 only-if-cached: another variant is", nil, steps{
		miss(asks("X-Kind: a"), answers(minute, "Vary: X-Kind")),
		refused(asks("X-Kind: b", "Cache-Control: only-if-cached")),
	}},
	{"A19 only-if-cached with no-cache: never", nil, steps{
		miss(answers(minute)),
		after(sec, refused(asks("Cache-Control: only-if-cached, no-cache"))),
	}},

	{"A19 other directives change nothing", nil, steps{
		miss(asks("Cache-Control: foo"), answers(minute)),
		hit(asks("Cache-Control: foo, bar=0")),
		hit(asks("Cache-Control:")),
		hit(asks("Cache-Control: no-transform")),
		hit(asks(`Cache-Control: ext="no-cache, max-age=0"`)),
	}},
	{"A19 Pragma: no-cache is no-cache", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Pragma: no-cache"), answers(minute))),
	}},
	{"A19 Pragma does not count beside Cache-Control", nil, steps{
		miss(answers(minute)),
		after(sec, hit(asks("Pragma: no-cache", "Cache-Control: max-age=60"))),
	}},
	{"A19 another Pragma means nothing", nil, steps{
		miss(answers(minute)),
		after(sec, hit(asks("Pragma: no-cake"))),
	}},

	{"B reload: the policy may ignore it", func(p *middleware.Policy) { p.Advanced.ClientDirectives = middleware.IgnoreReload }, steps{
		miss(answers(minute)),
		after(sec, hit(asks("Cache-Control: no-cache"))),
		hit(asks("Cache-Control: max-age=0")),
		hit(asks("Pragma: no-cache")),
		hit(asks("Cache-Control: min-fresh=3600")),
		refused(to("/other"), asks("Cache-Control: only-if-cached")),
	}},
	{"B reload: the policy may ignore all that clients say", func(p *middleware.Policy) { p.Advanced.ClientDirectives = middleware.IgnoreDirectives }, steps{
		miss(asks("Cache-Control: no-store"), answers(minute)),
		after(sec, hit(asks("Cache-Control: no-cache"))),
		miss(to("/other"), asks("Cache-Control: only-if-cached")),
	}},
	{"B reload: so many for a key and no more", func(p *middleware.Policy) { p.Limits.Reloads = 2 }, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), answers(minute))),
		after(sec, miss(asks("Cache-Control: max-age=0"), answers(minute))),
		after(sec, hit(asks("Cache-Control: no-cache"))),
		hit(),
	}},
	{"B reload: what is stale anyway does not count", func(p *middleware.Policy) { p.Limits.Reloads = 1 }, steps{
		miss(answers(soon, `ETag: "v1"`)),
		after(2*sec, miss(asks("Cache-Control: no-cache"), answers(minute), shows("Cache-Status: reprise; fwd=stale; fwd-status=200; stored"))),
		after(sec, miss(asks("Cache-Control: no-cache"), answers(minute), shows("Cache-Status: reprise; fwd=request; fwd-status=200; stored"))),
		after(sec, hit(asks("Cache-Control: no-cache"))),
	}},
	{"B reload: an answer that may not be stored ends the old one", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), answers("Cache-Control: no-store"))),
		miss(),
	}},
	{"B reload: an error is the client's, the old one stays", nil, steps{
		miss(answers(minute)),
		after(sec, miss(asks("Cache-Control: no-cache"), status(503))),
		hit(of(1)),
	}},
	{"B reload: a new answer replaces the old one whatever its age", ttl(time.Minute), steps{
		miss(),
		after(sec, miss(asks("Cache-Control: no-cache"))),
		hit(of(2)),
	}},
}
