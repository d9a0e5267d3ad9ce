package rfc9111

import (
	"net/http"
	"time"

	"github.com/dunglas/httpsfv"
)

// Targeted returns what the first usable one of the targeted fields names says,
// which are canonical and in order of preference (RFC 9213 §2.2). If ok, it stands in
// the place of Cache-Control and Expires both: give Lifetime and Heuristic a
// header without Expires.
//
// A field is usable if it is a dictionary (RFC 9651 §3.2) with members, and each
// member known here has the type that §2.1 infers for it:
//
//   - max-age, s-maxage, stale-while-revalidate, stale-if-error: an Integer that
//     is not negative;
//   - no-cache, private: a Boolean, or a String of field names, which counts as in
//     Cache-Control: a bad list of them is the whole response;
//   - the other response directives: a Boolean. False is the directive left out.
//
// §2.1 voids a field for errors of syntax and only advises against values of the
// wrong type. We void it for both: to guess would be to differ from other caches.
// Unknown members, the directives of requests among them, and parameters are
// ignored. Of a key stated twice the last one counts, as RFC 9651 §4.2.2 has it,
// and keys have no capitals.
func Targeted(h http.Header, names []string) (c Control, ok bool) {
	for _, name := range names {
		if lines := h[name]; len(lines) > 0 {
			if c, ok = dictionary(lines); ok {
				return c, true
			}
		}
	}
	return Control{}, false
}

// dictionary reads the lines of one targeted field.
func dictionary(lines []string) (Control, bool) {
	d, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil || len(d.Names()) == 0 {
		return Control{}, false
	}
	var c Control
	for _, name := range d.Names() {
		var value any // of an inner list: nil, of which no directive is
		member, _ := d.Get(name)
		if item, ok := member.(httpsfv.Item); ok {
			value = item.Value
		}
		if !c.addTyped(directive(name), value) {
			return Control{}, false
		}
	}
	c.sortFields()
	return c, true
}

// addTyped takes one directive in, and tells whether its value is of the right type.
func (c *Control) addTyped(d Directives, value any) bool {
	switch d {
	case 0, MaxStale, MinFresh, OnlyIfCached:
		return true
	case MaxAge:
		return c.addSeconds(d, &c.MaxAge, value)
	case SMaxAge:
		return c.addSeconds(d, &c.SMaxAge, value)
	case StaleWhileRevalidate:
		return c.addSeconds(d, &c.StaleWhileRevalidate, value)
	case StaleIfError:
		return c.addSeconds(d, &c.StaleIfError, value)
	case NoCache:
		if list, ok := value.(string); ok {
			c.Has |= c.qualified(`"`+list+`"`, NoCache, NoCacheFields)
			return true
		}
	case Private:
		if list, ok := value.(string); ok {
			c.Has |= c.qualified(`"`+list+`"`, Private, PrivateFields)
			return true
		}
	}
	on, ok := value.(bool)
	if on {
		c.Has |= d
	}
	return ok
}

func (c *Control) addSeconds(d Directives, to *time.Duration, value any) bool {
	n, ok := value.(int64)
	if !ok || n < 0 {
		return false
	}
	c.Has |= d
	*to = time.Duration(min(n, int64(Forever/time.Second))) * time.Second
	return true
}
