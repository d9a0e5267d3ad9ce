package keyfunc_test

import "testing"

// glob matches as Redis does: * ? [a-z] [^a] and \ before a literal byte.
func glob(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '*':
		return glob(pattern[1:], s) || s != "" && glob(pattern, s[1:])
	case '?':
		return s != "" && glob(pattern[1:], s[1:])
	case '[':
		if s == "" {
			return false
		}
		in, rest := globClass(pattern[1:], s[0])
		return in && glob(rest, s[1:])
	case '\\':
		if len(pattern) > 1 {
			pattern = pattern[1:]
		}
	}
	return s != "" && s[0] == pattern[0] && glob(pattern[1:], s[1:])
}

func globClass(p string, c byte) (in bool, rest string) {
	not := p != "" && p[0] == '^'
	if not {
		p = p[1:]
	}
	for p != "" && p[0] != ']' {
		if p[0] == '\\' && len(p) > 1 {
			p = p[1:]
		}
		low, high := p[0], p[0]
		p = p[1:]
		if len(p) > 1 && p[0] == '-' {
			high, p = p[1], p[2:]
		}
		in = in || low <= c && c <= high
	}
	if p != "" {
		p = p[1:]
	}
	return in != not, p
}

func TestGlobItself(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"a*c", "abbc", true}, {"a*c", "abb", false}, {"a?", "ab", true}, {"a?", "a", false}, {"[a-c]", "b", true}, {"[^a-c]", "b", false},
		{`\*`, "*", true}, {`\*`, "a", false}, {"", "", true}, {"*", "", true}, {"[]", "a", false}, {`[\]]`, "]", true},
	} {
		if got := glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%s matches %q: %v", tt.pattern, tt.s, got)
		}
	}
}
