package store

// Glob tells whether s matches pattern, byte by byte, as Redis's KEYS and SCAN
// do: * is any bytes, ? any one byte, [a-z] and [^a-z] one byte in or not in a
// set, and \ takes the next byte as it is. It takes time in proportion to the
// product of the lengths at worst.
func Glob(pattern, s string) bool {
	// Where the last * was, and how far into s it has been tried: a later *
	// makes the earlier ones' choices irrelevant, so one is enough to return to.
	star, from := -1, 0
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if n := globByte(pattern[p:], s[i]); n > 0 {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// globByte returns how long the element at the beginning of pattern is if it
// matches c, and else 0.
func globByte(pattern string, c byte) int {
	switch {
	case pattern == "":
		return 0
	case pattern[0] == '?':
		return 1
	case pattern[0] == '[':
		return globSet(pattern, c)
	case pattern[0] == '\\' && len(pattern) > 1:
		if pattern[1] == c {
			return 2
		}
	case pattern[0] == c:
		return 1
	}
	return 0
}

// globSet is globByte for a set. One that is not closed ends with the pattern.
func globSet(pattern string, c byte) int {
	i, in, not := 1, false, false
	if i < len(pattern) && pattern[i] == '^' {
		not = true
		i++
	}
	for i < len(pattern) && pattern[i] != ']' {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			in = in || pattern[i+1] == c
			i += 2
		case i+2 < len(pattern) && pattern[i+1] == '-':
			low, high := min(pattern[i], pattern[i+2]), max(pattern[i], pattern[i+2])
			in = in || low <= c && c <= high
			i += 3
		default:
			in = in || pattern[i] == c
			i++
		}
	}
	if in == not {
		return 0
	}
	return min(i+1, len(pattern))
}
