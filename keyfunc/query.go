package keyfunc

import (
	"slices"
	"strings"
)

// maxPairs bounds what is sorted: a request line of a megabyte has half a
// million pairs.
const maxPairs = 256

// appendQuery appends mark and then the pairs of q that count, sorted. Where
// none counts, it appends nothing unless mark is a bracket to close.
func (c *recipe) appendQuery(dst []byte, mark, q string) []byte {
	if !sortable(q) {
		dst = append(dst, mark...)
		return appendEscaped(dst, q, inRequest)
	}
	var few [16]string // more go to the heap
	pairs := c.pairs(few[:0], q)
	if len(pairs) == 0 && mark != "<" {
		return dst
	}
	sortPairs(pairs)
	dst = append(dst, mark...)
	for i, pair := range pairs {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = appendEscaped(dst, pair, inRequest)
	}
	return dst
}

// sortable tells whether everybody who parses q finds the same pairs in the
// same bytes. A semicolon separates pairs for some and not for others, and
// net/url drops a pair with a bad escape while others do not: such queries
// count whole and as they came.
func sortable(q string) bool {
	ands := 0
	for i := range len(q) {
		switch q[i] {
		case '&':
			ands++
		case ';':
			return false
		case '%':
			if !isEscape(q[i:]) {
				return false
			}
		}
	}
	return ands < maxPairs
}

func (c *recipe) pairs(dst []string, q string) []string {
	for more := true; more; {
		var pair string
		pair, q, more = strings.Cut(q, "&")
		if c.counts(pair) {
			dst = append(dst, pair)
		}
	}
	return dst
}

func (c *recipe) counts(pair string) bool {
	if len(c.onlyQuery) == 0 {
		return true
	}
	for _, name := range c.onlyQuery {
		if isName(pair, name) {
			return true
		}
	}
	return false
}

// isName tells whether decoded is the name in pair.
func isName(pair, decoded string) bool {
	rest := nameOf(pair)
	for i := range len(decoded) {
		if rest == "" {
			return false
		}
		var c byte
		if c, rest = decodeQuery(rest); c != decoded[i] {
			return false
		}
	}
	return rest == ""
}

// sortPairs sorts by decoded name. By the bytes of the name, a=1&%61=2 and
// %61=2&a=1 would be one key, and a handler takes the first a from each.
func sortPairs(pairs []string) {
	slices.SortStableFunc(pairs, func(a, b string) int { return compareNames(nameOf(a), nameOf(b)) })
}

func nameOf(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return name
}

func compareNames(a, b string) int {
	for a != "" && b != "" {
		var x, y byte
		x, a = decodeQuery(a)
		y, b = decodeQuery(b)
		if x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b) // at least one is empty
}

// decodeQuery takes the first byte off s, as a query has it.
func decodeQuery(s string) (byte, string) {
	if s[0] == '+' {
		return ' ', s[1:]
	}
	return decodeFirst(s)
}
