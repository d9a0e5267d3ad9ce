package rfc9111

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Control is a parsed Cache-Control field. A duration is 0 unless Has names
// its directive; one that is named and 0 was stated, or was malformed.
type Control struct {
	Has Directives

	MaxAge, SMaxAge                    time.Duration
	StaleWhileRevalidate, StaleIfError time.Duration
	MaxStale                           time.Duration // Forever where the directive has no value
	MinFresh                           time.Duration

	Fields []string // named by no-cache="…" and private="…": canonical, sorted, unique
}

// Is tells whether any directive of d is there.
func (c Control) Is(d Directives) bool { return c.Has&d != 0 }

// ParseControl reads the lines of a Cache-Control field as one list.
//
// RFC 9111 §5.2: names in any letter case, unknown directives ignored, an
// argument may be a token or a quoted string. §4.2.1: what is malformed or
// contradicts itself is read so that it allows least:
//
//   - a lifetime that is not a number, or that two members state differently, is 0;
//   - of other numbers stated twice, the stricter one counts;
//   - no-cache and private with anything but a quoted list of field names
//     hold for the whole response (private=true is written by people who mean private);
//   - public, immutable and must-understand count only as they should be written;
//   - a member that goes on behind its name with neither = nor a comma, as in
//     "private; max-age=60", is its name with a malformed argument;
//   - a line that ends within a quoted string may have lost anything: no-store,
//     which no must-understand lifts.
func ParseControl(lines []string) Control {
	var c Control
	var broken Directives
	for _, line := range lines {
		for line != "" {
			var member string
			var open bool
			member, line, open = nextMember(line)
			if open {
				broken = NoStore | MustUnderstand
			}
			c.add(member)
		}
	}
	c.Has = c.Has&^broken | broken&NoStore
	c.sortFields()
	return c
}

func (c *Control) sortFields() {
	if len(c.Fields) > 1 {
		slices.Sort(c.Fields)
		c.Fields = slices.Compact(c.Fields)
	}
}

// add takes one member of the list in.
func (c *Control) add(member string) {
	name, rest := leadingToken(member)
	d := directive(name)
	arg, stated := strings.CutPrefix(rest, "=")
	if !stated && rest != "" {
		arg, stated = "", true // malformed, which no directive takes for a value
	}
	switch d {
	case MaxAge:
		c.MaxAge = c.lifetime(d, c.MaxAge, arg)
	case SMaxAge:
		c.SMaxAge = c.lifetime(d, c.SMaxAge, arg)
	case StaleWhileRevalidate:
		c.StaleWhileRevalidate = c.window(d, c.StaleWhileRevalidate, delta(arg))
	case StaleIfError:
		c.StaleIfError = c.window(d, c.StaleIfError, delta(arg))
	case MaxStale:
		limit := Forever // §5.2.1.2: without a value, of any age
		if stated {
			limit = delta(arg)
		}
		c.MaxStale = c.window(d, c.MaxStale, limit)
	case MinFresh:
		c.MinFresh = max(c.MinFresh, delta(arg))
	case NoCache:
		d = c.qualified(arg, NoCache, NoCacheFields)
	case Private:
		d = c.qualified(arg, Private, PrivateFields)
	case Public, Immutable, MustUnderstand:
		if stated {
			return
		}
	}
	c.Has |= d
}

// lifetime merges a freshness lifetime into the one seen before. RFC 9111
// §4.2.1 lets us take the first of two that differ, or treat the response as
// stale. We do the latter: whose word came first is an accident of middleware.
func (c *Control) lifetime(d Directives, seen time.Duration, arg string) time.Duration {
	v := delta(arg)
	if c.Is(d) && seen != v {
		return 0
	}
	return v
}

// window merges a bound on the use of stale responses; the stricter one counts.
func (c *Control) window(d Directives, seen, v time.Duration) time.Duration {
	if c.Is(d) {
		return min(seen, v)
	}
	return v
}

// qualified reads the field names of a no-cache or private directive and
// returns fields, or whole if there is not a good list of them. RFC 9111
// §5.2.2.4 and §5.2.2.7 allow to ignore the names and obey the rest.
func (c *Control) qualified(arg string, whole, fields Directives) Directives {
	list, quoted := unquote(arg)
	if !quoted {
		return whole
	}
	d := whole
	members([]string{list}, func(name string) bool {
		if !isToken(name) {
			d = whole
			return false
		}
		d = fields
		c.Fields = append(c.Fields, http.CanonicalHeaderKey(name))
		return true
	})
	return d
}

// delta reads the argument of a directive; a malformed one is 0.
func delta(arg string) time.Duration {
	arg, _ = unquote(arg)
	v, _ := seconds(arg)
	return v
}

// RequestControl reads the directives of a request. RFC 9111 §5.4:
// Pragma: no-cache counts only where there is no Cache-Control. A no-cache with
// an argument, which a request has no use for, is a no-cache.
func RequestControl(h http.Header) Control {
	if lines := h["Cache-Control"]; len(lines) > 0 {
		c := ParseControl(lines)
		if c.Is(NoCacheFields) {
			c.Has |= NoCache
		}
		return c
	}
	var c Control
	for _, line := range h["Pragma"] {
		for line != "" {
			var member string
			member, line, _ = nextMember(line)
			if directive(member) == NoCache {
				c.Has = NoCache
			}
		}
	}
	return c
}
