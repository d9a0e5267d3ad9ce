package redisstore

// glob reports whether key matches pattern: * is any run of bytes, ? any one
// byte, and \ takes the next byte as it is.
func glob(pattern, key string) bool {
	star, mark := -1, 0
	p, k := 0, 0
	for k < len(key) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, k
			p++
			continue
		case p+1 < len(pattern) && pattern[p] == '\\' && pattern[p+1] == key[k]:
			p, k = p+2, k+1
			continue
		case p < len(pattern) && pattern[p] != '\\' && (pattern[p] == '?' || pattern[p] == key[k]):
			p, k = p+1, k+1
			continue
		}
		if star < 0 { // nothing to stretch
			return false
		}
		mark++
		p, k = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
