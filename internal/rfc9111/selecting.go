package rfc9111

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// AppendSelecting appends a normal form of what a request says in the fields
// names, which are as Vary returns them. Two requests have the same form if and
// only if the fields match by RFC 9111 §4.1:
//
//   - a field that is absent matches one that is absent, not one that is empty;
//   - all lines of a field count, joined by commas;
//   - whitespace beside a comma, outside of quoted strings, and at the ends of
//     a line does not count. Other whitespace does: its place in the syntax of an
//     unknown field is unknown;
//   - Accept-Language has neither letter case, nor whitespace, nor order.
//
// The form is printable: "Name=member,member" or, for an absent field, "Name",
// joined by "&". A byte that separates, or means something in a glob or to Redis
// Cluster, is written %XX, and so is a comma in a quoted string: two lines
// cannot forge one value. The form is not bounded: the caller bounds the fields.
func AppendSelecting(dst []byte, h http.Header, names []string) []byte {
	for i, name := range names {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = appendEscaped(dst, name)
		lines := h[name]
		if len(lines) == 0 {
			continue
		}
		dst = append(dst, '=')
		if name == "Accept-Language" {
			dst = appendLanguages(dst, lines)
		} else {
			dst = appendLines(dst, lines)
		}
	}
	return dst
}

func appendLines(dst []byte, lines []string) []byte {
	for i, line := range lines {
		if i > 0 {
			dst = append(dst, ',')
		}
		for {
			end, _ := memberEnd(line)
			dst = appendEscaped(dst, trimOWS(line[:end]))
			if end == len(line) {
				break
			}
			dst = append(dst, ',')
			line = line[end+1:]
		}
	}
	return dst
}

// appendLanguages appends the members of an Accept-Language field, sorted.
func appendLanguages(dst []byte, lines []string) []byte {
	var few [16]string // browsers send up to a dozen; more go to the heap
	list := few[:0]
	for _, line := range lines {
		for more := true; more; {
			var member string
			member, line, more = strings.Cut(line, ",")
			if member = trimOWS(member); member != "" {
				list = append(list, member)
			}
		}
	}
	slices.SortFunc(list, compareLoose)
	for i, member := range list {
		if i > 0 && compareLoose(list[i-1], member) == 0 {
			continue
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		for j := range len(member) {
			if c := member[j]; !isOWS(c) {
				dst = appendByte(dst, lower(c))
			}
		}
	}
	return dst
}

// compareLoose orders a and b as they are without letter case and whitespace.
func compareLoose(a, b string) int {
	for {
		a, b = trimOWS(a), trimOWS(b)
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b))
		}
		if c := cmp.Compare(lower(a[0]), lower(b[0])); c != 0 {
			return c
		}
		a, b = a[1:], b[1:]
	}
}

// plain tells which bytes stand for themselves in a normal form.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
	}
	for _, c := range "-._~;:=/+()@!$'" {
		t[c] = true
	}
	return t
}()

func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = appendByte(dst, s[i])
	}
	return dst
}

func appendByte(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	if plain[c] {
		return append(dst, c)
	}
	return append(dst, '%', hex[c>>4], hex[c&15])
}
