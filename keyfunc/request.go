package keyfunc

import "net/http"

// A recipe is a compiled Parts.
type recipe struct {
	ignoreHost  bool
	ignoreQuery bool
	onlyQuery   []string  // decoded names; empty: all
	reflected   fieldSet  // those of ReflectedHeaders that are part of the key
	headers     []string  // canonical names, sorted
	cookies     []string  // sorted
	text        string    // escaped and in its brackets
	extra       ExtraFunc // may be nil
}

// appendKey appends, in order: class, scheme, host, path and query, separated;
// then what is named, each with its value in brackets. A bracket appears in
// nothing else, so a query is not mistaken for a named part, nor is a missing one.
func (c *recipe) appendKey(dst []byte, r *http.Request) ([]byte, error) {
	if r.URL == nil {
		return dst, ErrNoURL
	}
	start := len(dst)
	t := targetOf(r)
	dst = append(dst, "GET|http"...)
	if r.TLS != nil {
		dst = append(dst, 's')
	}
	dst = append(dst, '|')
	if c.ignoreHost {
		dst = append(dst, "<any>"...) // no request has this Host, an empty one may come
	} else {
		dst = appendEscaped(dst, t.host, inRequest)
	}
	dst = append(dst, '|')
	dst = appendEscaped(dst, t.path, inRequest)
	if t.hasQuery && !c.ignoreQuery {
		dst = c.appendQuery(dst, "|", t.query)
	}
	dst = c.appendRouted(dst, t, r.URL)
	dst = c.reflected.append(dst, r.Header)
	dst = c.appendHeaders(dst, r.Header)
	dst = c.appendCookies(dst, r.Header)
	dst = append(dst, c.text...)
	if c.extra != nil {
		s, err := c.extra(r)
		if err != nil {
			return dst[:start], err
		}
		dst = appendNamed(dst, "extra", s)
	}
	return bound(dst, start, '|'), nil
}

// appendNamed appends a named part with one value.
func appendNamed(dst []byte, name, value string) []byte {
	dst = append(dst, '|')
	dst = append(dst, name...)
	return appendValue(dst, value)
}

func appendValue(dst []byte, value string) []byte {
	dst = append(dst, '<')
	dst = appendEscaped(dst, value, inRequest)
	return append(dst, '>')
}

func (c *recipe) appendHeaders(dst []byte, h http.Header) []byte {
	for _, name := range c.headers {
		dst = appendField(dst, h, name)
	}
	return dst
}

// appendField appends the lines of one header field, if it has any. Absent and
// empty differ. The lines are not joined: a comma may be part of a value.
func appendField(dst []byte, h http.Header, name string) []byte {
	lines := h[name]
	if len(lines) == 0 {
		return dst
	}
	dst = append(dst, '|')
	dst = appendEscaped(dst, name, inRequest)
	for _, line := range lines {
		dst = appendValue(dst, line)
	}
	return dst
}
