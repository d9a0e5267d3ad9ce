package rfc9111

import "time"

// Directives is a set of Cache-Control directives.
type Directives uint32

const (
	NoStore       Directives = 1 << iota
	NoCache                  // without field names
	NoCacheFields            // no-cache="a, b"
	Private                  // without field names
	PrivateFields            // private="a, b"
	Public
	MustRevalidate
	ProxyRevalidate
	MustUnderstand
	NoTransform
	Immutable            // RFC 8246
	MaxAge               // request and response
	SMaxAge              // response
	StaleWhileRevalidate // RFC 5861
	StaleIfError         // RFC 5861
	MaxStale             // request
	MinFresh             // request
	OnlyIfCached         // request
)

// Forever is where every number of seconds saturates: 2^31 s, about 68 years
// (RFC 9111 §1.2.2 asks for at least that). A time.Duration ends at 292 years.
const Forever = time.Duration(1<<31) * time.Second

// longestDirective is the length of the longest name directive knows.
const longestDirective = len("stale-while-revalidate")

// directive returns the directive called name in any letter case, or 0.
func directive(name string) Directives {
	if len(name) > longestDirective {
		return 0
	}
	var buf [longestDirective]byte
	for i := range len(name) {
		buf[i] = lower(name[i])
	}
	switch string(buf[:len(name)]) {
	case "no-store":
		return NoStore
	case "no-cache":
		return NoCache
	case "private":
		return Private
	case "public":
		return Public
	case "must-revalidate":
		return MustRevalidate
	case "proxy-revalidate":
		return ProxyRevalidate
	case "must-understand":
		return MustUnderstand
	case "no-transform":
		return NoTransform
	case "immutable":
		return Immutable
	case "max-age":
		return MaxAge
	case "s-maxage":
		return SMaxAge
	case "stale-while-revalidate":
		return StaleWhileRevalidate
	case "stale-if-error":
		return StaleIfError
	case "max-stale":
		return MaxStale
	case "min-fresh":
		return MinFresh
	case "only-if-cached":
		return OnlyIfCached
	}
	return 0
}
