package store_test

import (
	"strings"
	"testing"

	"github.com/reprise-go/reprise/store"
)

var globs = []struct {
	pattern, s string
	want       bool
}{
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"a", "a", true},
	{"a", "A", false},
	{"a", "ab", false},
	{"ab", "a", false},
	{"?", "", false},
	{"?", "?", true},
	{"?", "ab", false},
	{"??", "é", true}, // bytes, not characters
	{"*", "", true},
	{"*", "a/b?c\n", true},
	{"**", "", true},
	{"*a", "ba", true},
	{"*a", "ab", false},
	{"a*", "a", true},
	{"a*c", "abcabc", true},
	{"a*c", "abcab", false},
	{"*ab*ab*", "abab", true},
	{"*ab*ab*", "aba", false},
	{"a*?c", "ac", false},
	{"a*?c", "abc", true},
	{"[abc]", "b", true},
	{"[abc]", "d", false},
	{"[abc]", "", false},
	{"[a-c]x", "bx", true},
	{"[a-c]", "d", false},
	{"[c-a]", "b", true},
	{"[^abc]", "d", true},
	{"[^abc]", "b", false},
	{"[^a-c]", "b", false},
	{"[^]", "x", true},
	{"[]", "", false},
	{"[]", "]", false},
	{"[]a]", "a", false},
	{"[a^]", "^", true},
	{"[a-]", "_", true}, // from a to ], the other way round
	{"[-a]", "-", true},
	{`[\]]`, "]", true},
	{`[\^a]`, "^", true},
	{`[a\-c]`, "b", false},
	{`[a\-c]`, "-", true},
	{"[ab", "b", true}, // not closed
	{"[ab", "bc", false},
	{"[", "[", false},
	{"[^", "x", true},
	{`[\`, `\`, true},
	{`\*`, "*", true},
	{`\*`, "a", false},
	{`\?`, "?", true},
	{`\[a]`, "[a]", true},
	{`\\`, `\`, true},
	{`\a`, "a", true},
	{`\`, `\`, true},
	{`\`, "", false},
	{`*\`, `a\`, true},
	{`*\**`, "a*b", true},
	{`*\**`, "ab", false},
	{"*[0-9]*x", "a1b2x", true},
	{"{a,b}", "a", false}, // braces mean nothing
	{"{a,b}", "{a,b}", true},
	{"user:*:name", "user:42:name", true},
	{"user:*:name", "user:42:names", false},
}

func TestGlob(t *testing.T) {
	for _, tt := range globs {
		if got := store.Glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("Glob(%q, %q) = %v", tt.pattern, tt.s, got)
		}
		if got := slowGlob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("the reference says %v for %q, %q", got, tt.pattern, tt.s)
		}
	}
}

// A matcher that tries every way for every star would not come back.
func TestGlobDoesNotExplode(t *testing.T) {
	s := strings.Repeat("a", 5000)
	pattern := strings.Repeat("*a", 200) + "b"
	if store.Glob(pattern, s) {
		t.Errorf("a pattern that ends in b matches a string without one")
	}
	if !store.Glob(strings.Repeat("*a", 200), s) {
		t.Errorf("200 of 5000 are not found")
	}
}

func FuzzGlob(f *testing.F) {
	for _, tt := range globs {
		f.Add(tt.pattern, tt.s)
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		pattern, s = pattern[:min(len(pattern), 12)], s[:min(len(s), 12)]
		if got, want := store.Glob(pattern, s), slowGlob(pattern, s); got != want {
			t.Errorf("Glob(%q, %q) = %v, the reference says %v", pattern, s, got, want)
		}
	})
}

// slowGlob takes the pattern's first element off and tries the rest, every way.
func slowGlob(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '*' {
		for i := 0; i <= len(s); i++ {
			if slowGlob(pattern[1:], s[i:]) {
				return true
			}
		}
		return false
	}
	if s == "" {
		return false
	}
	set, rest := slowElement(pattern)
	return set[s[0]] && slowGlob(rest, s[1:])
}

// slowElement returns the bytes that the first element of pattern matches, and
// the pattern behind it.
func slowElement(pattern string) (set [256]bool, rest string) {
	c, rest := pattern[0], pattern[1:]
	switch {
	case c == '?':
		for i := range set {
			set[i] = true
		}
	case c == '\\' && rest != "":
		set[rest[0]], rest = true, rest[1:]
	case c == '[':
		rest, not := strings.CutPrefix(rest, "^")
		for rest != "" && rest[0] != ']' {
			switch {
			case rest[0] == '\\' && len(rest) > 1:
				set[rest[1]] = true
				rest = rest[2:]
			case len(rest) > 2 && rest[1] == '-':
				for i := range 256 {
					b := byte(i)
					set[b] = set[b] || rest[0] <= b && b <= rest[2] || rest[2] <= b && b <= rest[0]
				}
				rest = rest[3:]
			default:
				set[rest[0]] = true
				rest = rest[1:]
			}
		}
		for i := range set {
			set[i] = set[i] != not
		}
		return set, strings.TrimPrefix(rest, "]")
	default:
		set[c] = true
	}
	return set, rest
}
