package keyfunc

import (
	"net/http"
	"net/textproto"
	"strings"
)

// appendCookies appends all values of each cookie that counts, as sent.
// Request.Cookies would allocate, and take the quotes off.
func (c *recipe) appendCookies(dst []byte, h http.Header) []byte {
	if len(c.cookies) == 0 {
		return dst
	}
	lines := h["Cookie"]
	for _, name := range c.cookies {
		dst = appendCookie(dst, lines, name)
	}
	return dst
}

func appendCookie(dst []byte, lines []string, name string) []byte {
	found := false
	for _, line := range lines {
		for more := true; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			n, value, _ := strings.Cut(pair, "=")
			if textproto.TrimString(n) != name {
				continue
			}
			if !found {
				found = true
				dst = append(dst, "|cookie:"...) // no header field has a colon in its name
				dst = appendEscaped(dst, name, inRequest)
			}
			dst = appendValue(dst, textproto.TrimString(value))
		}
	}
	return dst
}
