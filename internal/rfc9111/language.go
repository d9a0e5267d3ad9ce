package rfc9111

import "strings"

// Language returns which of the languages produced an Accept-Language field
// prefers (RFC 9110 §12.5.4), by the lookup of RFC 4647 §3.4: each range is
// shortened from its end until it is the name of one, and the greatest weight
// wins. Between equal weights the one that stands first in produced does: the
// section has the order in the field mean nothing. Without a preference, which
// "*" is none, it is the first of produced. Letter case does not count. A range
// that is malformed counts as not there, and so does one with q=0.
func Language(lines []string, produced []string) string {
	best, weight := 0, 0
	members(lines, func(member string) bool {
		name, q, ok := weighted(member)
		if i := lookUp(name, produced); ok && i >= 0 && (q > weight || q == weight && i < best) {
			best, weight = i, q
		}
		return true
	})
	if best < len(produced) {
		return produced[best]
	}
	return ""
}

// lookUp returns the place in produced of what a range stands for, or -1.
func lookUp(name string, produced []string) int {
	if name == "*" && len(produced) > 0 {
		return 0
	}
	for name != "" {
		for i, language := range produced {
			if equalFold(language, name) {
				return i
			}
		}
		name = name[:max(strings.LastIndexByte(name, '-'), 0)]
		if n := len(name); n > 1 && name[n-2] == '-' { // a lone letter goes with what it introduces
			name = name[:n-2]
		}
	}
	return -1
}

// weighted splits a member into its name and its weight in thousandths.
func weighted(member string) (name string, q int, ok bool) {
	name, rest := leadingToken(member)
	switch weigh(rest) {
	case refused:
		return name, 0, name != ""
	case malformed:
		return "", 0, false
	}
	_, value, stated := strings.Cut(rest, "=")
	if !stated || value[0] == '1' {
		return name, 1000, name != ""
	}
	digits := strings.TrimPrefix(value, "0.") + "000"
	return name, number(digits[:3]), name != ""
}
