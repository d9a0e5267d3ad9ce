package rfc9111

import "strings"

// Language returns which of the languages produced an Accept-Language field
// prefers (RFC 9110 §12.5.4), by the lookup of RFC 4647 §3.4: the ranges in the
// order of their weights, and of the field where they are equal; each of them
// shortened from its end until it is the name of one. It returns the first of
// produced, the default, where none is preferred: for "*", for a field that
// names no other, and for no field. Letter case does not count. A range that is
// malformed counts as not there, and so does one with q=0.
func Language(lines []string, produced []string) string {
	best, weight := "", 0
	members(lines, func(member string) bool {
		name, q, ok := weighted(member)
		if !ok || q <= weight {
			return true
		}
		if language := lookUp(name, produced); language != "" {
			best, weight = language, q
		}
		return weight < 1000
	})
	if best == "" && len(produced) > 0 {
		return produced[0]
	}
	return best
}

// lookUp returns the language that a range stands for, or "".
func lookUp(name string, produced []string) string {
	if name == "*" && len(produced) > 0 {
		return produced[0]
	}
	for name != "" {
		for _, language := range produced {
			if equalFold(language, name) {
				return language
			}
		}
		name = name[:max(strings.LastIndexByte(name, '-'), 0)]
		if n := len(name); n > 1 && name[n-2] == '-' { // a lone letter goes with what it introduces
			name = name[:n-2]
		}
	}
	return ""
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
