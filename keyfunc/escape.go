package keyfunc

// A place is where in a key a component stands, and so which bytes it may
// hold as they are. In both, what ends or marks a component must be escaped.
type place uint8

const (
	inRequest place = 1 << iota // ends at | < >
	inData                      // ends at : & = | < >
)

// special are the printable bytes that no component holds as they are: what
// separates, what a glob gives a meaning to, and braces, between which Redis
// Cluster looks for the part of a key that decides its slot. The percent sign
// depends on what follows it.
const special = `|<>*?[]\^{}%`

// plain tells the places in which a byte stands for itself.
var plain = func() (t [256]place) {
	for c := '!'; c <= '~'; c++ {
		t[c] = inRequest | inData
	}
	for _, c := range special {
		t[c] = 0
	}
	for _, c := range ":&=" {
		t[c] = inRequest
	}
	return t
}()

// appendEscaped appends s, with each byte that is not plain at its place as
// %xHH. A percent sign stays if two hexadecimal digits follow, which x is not:
// so each escape is ours or the client's, never both, and no two strings meet.
// Escaping every percent sign would be simpler, and would show each /caf%C3%A9
// with two escapes in place of one.
func appendEscaped(dst []byte, s string, at place) []byte {
	const hex = "0123456789ABCDEF"
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plain[c]&at != 0 || c == '%' && isEscape(s[i:]) {
			continue
		}
		dst = append(dst, s[from:i]...)
		dst = append(dst, '%', 'x', hex[c>>4], hex[c&15])
		from = i + 1
	}
	return append(dst, s[from:]...)
}

// isEscape tells whether s, which begins with a percent sign, begins with a
// percent-escape (RFC 3986 §2.1).
func isEscape(s string) bool {
	return len(s) > 2 && unhex(s[1]) < 16 && unhex(s[2]) < 16
}

// unhex is the value of a hexadecimal digit, and 16 for any other byte.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	default:
		return 16
	}
}
