package keyfunc

import (
	"net/http"
	"net/url"
	"strings"
)

// A target is what a client asked for, in its own bytes.
type target struct {
	host, path, query string
	hasQuery          bool // there is a question mark
}

// targetOf reads the request line, which handlers and middleware leave alone,
// or the URL where there is none: in requests made by a program.
func targetOf(r *http.Request) target {
	t := target{host: r.Host}
	if r.RequestURI != "" {
		t.path, t.query, t.hasQuery = strings.Cut(r.RequestURI, "?")
		return t
	}
	if t.host == "" {
		t.host = r.URL.Host // as in Request.Write
	}
	if t.path = r.URL.Opaque; t.path == "" {
		t.path = r.URL.EscapedPath()
	}
	t.query, t.hasQuery = r.URL.RawQuery, r.URL.ForceQuery || r.URL.RawQuery != ""
	return t
}

// appendRouted appends the path and the query that routers and handlers see,
// each only where it is not what parsing t gives. RawPath counts: some routers
// match against it, others against Path.
func (c *recipe) appendRouted(dst []byte, t target, u *url.URL) []byte {
	if !parsed(localPath(t.path), u) {
		dst = appendNamed(dst, "path", u.Path)
		if u.RawPath != "" {
			dst = appendValue(dst, u.RawPath)
		}
	}
	if u.RawQuery != t.query && !c.ignoreQuery {
		dst = append(dst, "|query"...)
		dst = c.appendQuery(dst, "<", u.RawQuery)
		dst = append(dst, '>')
	}
	return dst
}

// localPath takes scheme and authority off a target in absolute form (RFC 9112 §3.2.2).
func localPath(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	_, rest, absolute := strings.Cut(path, "://")
	if !absolute {
		return path
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

// parsed tells whether u has the Path and RawPath that url.Parse makes of
// escaped, which sets RawPath only where it is not the usual escaping of Path.
// To parse again and compare would allocate.
func parsed(escaped string, u *url.URL) bool {
	if u.RawPath == "" {
		return isUsual(escaped, u.Path)
	}
	return u.RawPath == escaped && decodesTo(escaped, u.Path) && !isUsual(escaped, u.Path)
}

// inPath tells which bytes net/url leaves as they are in a path. If it ever
// differs, keys show a path that they need not show, and no two become one.
var inPath = func() (t [256]bool) {
	for c := range t {
		t[c] = '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
	}
	for _, c := range "-_.~$&+,/:;=@" {
		t[c] = true
	}
	return t
}()

// isUsual tells whether escaped is path as net/url escapes it.
func isUsual(escaped, path string) bool {
	const hex = "0123456789ABCDEF"
	for i := range len(path) {
		c := path[i]
		switch {
		case inPath[c] && escaped != "" && escaped[0] == c:
			escaped = escaped[1:]
		case !inPath[c] && len(escaped) > 2 && escaped[0] == '%' && escaped[1] == hex[c>>4] && escaped[2] == hex[c&15]:
			escaped = escaped[3:]
		default:
			return false
		}
	}
	return escaped == ""
}

// decodesTo tells whether path is escaped without its percent-escapes.
func decodesTo(escaped, path string) bool {
	for i := range len(path) {
		if escaped == "" {
			return false
		}
		var c byte
		if c, escaped = decodeFirst(escaped); c != path[i] {
			return false
		}
	}
	return escaped == ""
}

// decodeFirst takes the first byte, or percent-escape, off s.
func decodeFirst(s string) (byte, string) {
	if s[0] == '%' && isEscape(s) {
		return unhex(s[1])<<4 | unhex(s[2]), s[3:]
	}
	return s[0], s[1:]
}
