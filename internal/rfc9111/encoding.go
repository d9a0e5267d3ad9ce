package rfc9111

import "strings"

// AppendCodings appends a normal form of an Accept-Encoding field (RFC 9110
// §12.5.3) for an application that produces only the codings produced: tokens in
// lower case, best first, neither identity nor "*". The form lists those the
// client accepts, in the order of produced, and "identity;q=0" if it refuses an
// answer without coding: "br, gzip", "gzip, identity;q=0", or nothing.
//
// It is itself a value of Accept-Encoding, and means the same to that
// application but for the client's preferences: weights only tell accepted from
// refused. Set it even where it is empty, which asks for no coding.
//
// No lines are as an empty one. The section has an absent field accept any coding,
// but a handler that sees none answers plain, and a client that wants a coding
// says so.
//
// Where the field contradicts itself, the coding is refused: q=0 beats all else,
// and a member that is malformed behind its name accepts nothing. x-gzip and
// x-compress are gzip and compress (§8.4.1).
func AppendCodings(dst []byte, lines []string, produced []string) []byte {
	separator := ""
	others := verdictOn("*", lines)
	for _, coding := range produced {
		if verdictOn(coding, lines).or(others) == accepted {
			dst = append(append(dst, separator...), coding...)
			separator = ", "
		}
	}
	if verdictOn("identity", lines).or(others) == refused {
		dst = append(append(dst, separator...), "identity;q=0"...)
	}
	return dst
}

// A verdict is what a field says of one coding. Of two, the greater one holds.
type verdict uint8

const (
	unnamed   verdict = iota
	accepted          // with a weight above 0
	malformed         // neither: no reason to send it, none to refuse a plain answer
	refused           // with q=0
)

// or returns what "*" says where the coding is not named itself.
func (v verdict) or(star verdict) verdict {
	if v == unnamed {
		return star
	}
	return v
}

// verdictOn looks for a coding in the lines of a field, in any letter case.
func verdictOn(coding string, lines []string) verdict {
	v := unnamed
	members(lines, func(member string) bool {
		name, weight := leadingToken(member)
		if equalFold(plainName(name), plainName(coding)) {
			v = max(v, weigh(weight))
		}
		return v != refused
	})
	return v
}

// plainName drops the x- of the two names that RFC 9110 §8.4.1 has equal to the
// ones without.
func plainName(coding string) string {
	if equalFold(coding, "x-gzip") || equalFold(coding, "x-compress") {
		return coding[len("x-"):]
	}
	return coding
}

// weigh judges what follows a coding: nothing, or a weight (RFC 9110 §12.4.2).
func weigh(s string) verdict {
	if s == "" {
		return accepted
	}
	s, ok := strings.CutPrefix(trimOWS(s), ";")
	s = trimOWS(s)
	if !ok || len(s) < len("q=0") || !equalFold(s[:2], "q=") {
		return malformed
	}
	whole, decimals := s[2], s[3:]
	if decimals != "" && decimals[0] != '.' || len(decimals) > len(".000") {
		return malformed
	}
	positive := whole == '1'
	for i := 1; i < len(decimals); i++ {
		c := decimals[i]
		if c < '0' || '9' < c || whole == '1' && c != '0' {
			return malformed
		}
		positive = positive || c != '0'
	}
	switch {
	case whole != '0' && whole != '1':
		return malformed
	case positive:
		return accepted
	}
	return refused
}
