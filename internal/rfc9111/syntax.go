package rfc9111

import (
	"strings"
	"time"
)

// tchar tells which bytes a token may have (RFC 9110 §5.6.2).
var tchar = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

// leadingToken splits s behind the token it begins with, which may be empty.
func leadingToken(s string) (token, rest string) {
	for i := range len(s) {
		if !tchar[s[i]] {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

func isToken(s string) bool {
	token, rest := leadingToken(s)
	return token != "" && rest == ""
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isOWS(c byte) bool { return c == ' ' || c == '\t' }

// trimOWS drops the optional whitespace of RFC 9110 §5.6.3. strings.TrimSpace
// drops more, newlines and Unicode spaces among them.
func trimOWS(s string) string {
	for s != "" && isOWS(s[0]) {
		s = s[1:]
	}
	for s != "" && isOWS(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// memberEnd returns where the first member of a comma-separated list ends
// (RFC 9110 §5.6.1): at a comma or at the end of s. A comma in a quoted string
// separates nothing (§5.6.4). open tells that s ends within one.
func memberEnd(s string) (end int, open bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			open = !open
		case open && c == '\\':
			i++ // a quoted pair
		case !open && c == ',':
			return i, false
		}
	}
	return len(s), open
}

// nextMember cuts the first member off a list.
func nextMember(s string) (member, rest string, open bool) {
	end, open := memberEnd(s)
	return trimOWS(s[:end]), s[min(end+1, len(s)):], open
}

// unquote returns what stands between the quotes, and whether there are any.
// It resolves no quoted pairs: neither numbers nor field names have a use for
// them, so a value with a backslash is malformed to its reader.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s, false
	}
	return s[1 : len(s)-1], true
}

// seconds reads delta-seconds (§1.2.2): digits only, saturating at Forever.
func seconds(s string) (time.Duration, bool) {
	const limit = int64(Forever / time.Second)
	var n int64
	for i := range len(s) {
		c := s[i]
		if c < '0' || '9' < c {
			return 0, false
		}
		n = min(n*10+int64(c-'0'), limit)
	}
	return time.Duration(n) * time.Second, s != ""
}

// clamp bounds d to what this package promises.
func clamp(d time.Duration) time.Duration { return min(max(d, 0), Forever) }

// members calls yield with every member of a list without quoted strings, over
// all of its lines. Empty members are left out (RFC 9110 §5.6.1.2).
func members(lines []string, yield func(string) bool) {
	for _, line := range lines {
		for more := true; more; {
			var m string
			m, line, more = strings.Cut(line, ",")
			if m = trimOWS(m); m != "" && !yield(m) {
				return
			}
		}
	}
}
