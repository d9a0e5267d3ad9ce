package scenario

import (
	"time"

	"github.com/reprise-go/reprise/middleware"
)

const (
	noStore = "Cache-Control: no-store"
	cdn     = "CDN-Cache-Control: "
)

// targeted has fields that speak to this cache alone (RFC 9213), parsed as
// dictionaries of RFC 9651.
var targeted = []Scenario{
	reused("A22 a lifetime", cdn+"max-age=60"),
	reused("A22 it counts before no-store", noStore, cdn+"max-age=60"),
	reused("A22 it counts before private", "Cache-Control: private", cdn+"max-age=60"),
	reused("A22 it counts before a shorter lifetime", "Cache-Control: max-age=0", cdn+"max-age=60"),
	reused("A22 it counts before s-maxage", "Cache-Control: s-maxage=0", cdn+"max-age=60"),
	reused("A22 it counts before Expires", "Expires: 0", cdn+"max-age=60"),
	reused("A22 it counts before an Expires in the past", "Expires: "+at(-time.Hour), cdn+"max-age=60"),
	unused("A22 it counts before a longer lifetime", minute, cdn+"max-age=0"),
	unused("A22 it counts before an Expires in the future", "Expires: "+at(time.Hour), cdn+"max-age=0"),
	unused("A22 no-store", minute, cdn+"no-store"),
	unused("A22 no-store and a lifetime", minute, cdn+"max-age=60, no-store"),
	unused("A22 private", minute, "Expires: "+at(time.Hour), cdn+"private"),
	unused("A22 without a lifetime, Cache-Control lends none", minute, cdn+"public"),
	unused("A22 without a lifetime, Expires lends none", "Expires: "+at(time.Hour), cdn+"must-revalidate"),
	{"A22 no-cache", nil, steps{
		miss(answers(minute, cdn+"no-cache", `ETag: "v1"`)),
		confirmed(sees(`If-None-Match: "v1"`)),
	}},
	{"A22 s-maxage counts before max-age there too", nil, steps{
		miss(answers(noStore, cdn+"max-age=0, s-maxage=60")),
		hit(),
	}},
	{"A22 stale-while-revalidate", nil, steps{
		miss(answers(noStore, cdn+"max-age=1, stale-while-revalidate=60")),
		after(2*sec, refresh(answers(minute))),
		hit(),
	}},
	{"A22 leave to share", nil, steps{
		miss(asks("Authorization: Basic YTpi"), answers(cdn+"max-age=60, public")),
		hit(),
	}},
	{"A22 Cache-Control's leave to share does not count", nil, steps{
		miss(asks("Authorization: Basic YTpi"), answers("Cache-Control: public", cdn+"max-age=60")),
		miss(),
	}},
	unused("A22 Age counts", cdn+"max-age=60", "Age: 61"),
	reused("A22 a large lifetime", cdn+"max-age=2147483648"),
	reused("A22 a lifetime of 15 digits", noStore, cdn+"max-age=999999999999999"),
	reused("A22 other directives", noStore, cdn+`a, b=1, c="x, y", d=(1 2), max-age=60, e=?0, f=:YQ==:`),
	reused("A22 what is false is left out", noStore, cdn+"max-age=60, no-store=?0"),
	{"A22 fields of private are withheld", nil, steps{
		miss(answers(cdn+`max-age=60, private="X-User"`, "X-User: me"), shows("X-User: me")),
		hit(shows("!X-User")),
	}},
	reused("A22 parameters mean nothing", noStore, cdn+"max-age=60;x=0"),
	reused("A22 the last one of a name counts", noStore, cdn+"max-age=0, max-age=60"),
	unused("A22 the last one of a name counts, for less as for more", minute, cdn+"max-age=60, max-age=0"),
	reused("A22 two lines", noStore, cdn+"public", cdn+"max-age=60"),
	reused("A22 the field's name has no letter case", noStore, "cdn-cache-CONTROL: max-age=60"),

	void("A22 a string for a lifetime", `max-age="60"`),
	void("A22 a token for a lifetime", "max-age=x"),
	void("A22 a fraction for a lifetime", "max-age=60.5"),
	void("A22 nothing for a lifetime", "max-age"),
	void("A22 a negative lifetime", "max-age=-60"),
	void("A22 a list for a lifetime", "max-age=(60)"),
	void("A22 a number for no-store", "max-age=60, private=1"),
	void("A22 capitals", "MAX-AGE=60"),
	void("A22 a space before the =", "max-age =60"),
	void("A22 a space behind the =", "max-age= 60"),
	void("A22 a comma at the end", "max-age=60,"),
	void("A22 an empty member", "max-age=60,,public"),
	void("A22 a lifetime of 16 digits", "max-age=9999999999999999"),
	void("A22 something else", "max-age=60; ="),
	void("A22 an empty field", ""),

	{"A22 the field goes out", nil, steps{
		miss(answers(noStore, cdn+"max-age=60"), shows(noStore, cdn+"max-age=60")),
		hit(shows(noStore, cdn+"max-age=60")),
	}},
	{"A22 Age, Date and Expires are as ever", nil, steps{
		miss(answers("Cache-Control: max-age=1", cdn+"max-age=60", "Date: "+at(0), "Expires: "+at(sec))),
		after(2*sec, hit(shows("Age: {2..3}", "Date: "+at(0), "Expires: "+at(sec)))),
	}},
	{"A22 other caches' fields mean nothing", nil, steps{
		miss(answers(minute, "Other-Cache-Control: no-store", "Surrogate-Control: no-store")),
		hit(),
	}},
	{"A22 fields of the policy's choice, the first one first", targets("Mine-Cache-Control", "CDN-Cache-Control"), steps{
		miss(answers(noStore, cdn+"no-store", "Mine-Cache-Control: max-age=60")),
		hit(),
		miss(to("/2"), answers(minute, cdn+"max-age=60", "Mine-Cache-Control: no-store")),
		miss(to("/2")),
	}},
	{"A22 a void one leaves it to the next", targets("Mine-Cache-Control", "CDN-Cache-Control"), steps{
		miss(answers(noStore, cdn+"max-age=60", "Mine-Cache-Control: max-age=x")),
		hit(),
		miss(to("/2"), answers(minute, cdn+"no-store", "Mine-Cache-Control:")),
		miss(to("/2")),
	}},
	{"A22 none, if the policy says so", targets(), steps{
		miss(answers(minute, cdn+"no-store")),
		hit(),
		miss(to("/2"), answers(noStore, cdn+"max-age=60")),
		miss(to("/2")),
	}},
}

func targets(names ...string) func(*middleware.Policy) {
	return func(p *middleware.Policy) { p.Advanced.Targeted = append([]string{}, names...) }
}

// void is a targeted field with a mistake, which leaves it to Cache-Control.
func void(name, value string) Scenario {
	return Scenario{name, nil, steps{
		miss(answers(minute, cdn+value)),
		hit(),
		miss(to("/2"), answers(noStore, cdn+value)),
		miss(to("/2")),
	}}
}
