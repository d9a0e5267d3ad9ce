package rfc9111

// StorableStatus tells whether a cache that keeps whole responses may store one
// with this status at all: a final one (RFC 9111 §3), not 206 (a part, §3.3) or
// 304 (an update, §4.3.4), and none of 428, 429, 431 and 511, which RFC 6585
// §3–§6 says must not be stored, whatever the response says itself.
func StorableStatus(status int) bool {
	switch status {
	case 206, 304, 428, 429, 431, 511:
		return false
	}
	return 200 <= status && status <= 599
}

// HeuristicStatus tells whether RFC 9110 §15.1 defines the status as
// heuristically cacheable, 206 apart.
func HeuristicStatus(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

// Understood tells whether this cache knows what the status asks of a cache:
// where it does, must-understand lifts no-store (RFC 9111 §5.2.2.3). Those are
// the statuses of RFC 9110 §15 that may be stored whole. An unknown one and
// those StorableStatus refuses are not among them.
func Understood(status int) bool {
	switch {
	case !StorableStatus(status), status == 306:
		return false // 306 is unused (RFC 9110 §15.4.7)
	case status <= 205, 300 <= status && status <= 308:
		return true
	case 400 <= status && status <= 417, status == 421, status == 422, status == 426:
		return true
	}
	return 500 <= status && status <= 505
}

// MayShareAuthorized tells whether the response to a request with Authorization
// may be stored, and so be used for others (RFC 9111 §3.5).
func MayShareAuthorized(c Control) bool {
	return c.Is(Public | SMaxAge | MustRevalidate)
}

// MayServeStale tells whether a response may be used once it is stale (RFC 9111
// §4.2.4). s-maxage carries the meaning of proxy-revalidate (§5.2.2.10), so it
// is among what forbids. A caller who follows a stale-while-revalidate or
// stale-if-error stated beside s-maxage, as many caches do, goes beyond the RFC.
func MayServeStale(c Control) bool {
	return !c.Is(MustRevalidate | ProxyRevalidate | NoCache | SMaxAge)
}
