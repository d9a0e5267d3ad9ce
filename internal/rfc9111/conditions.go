package rfc9111

import (
	"net/http"
	"strings"
	"time"
)

// NotModified tells whether the conditions of a GET or HEAD have it answered with
// 304 where the whole answer would be a 200 with these lines of ETag and
// Last-Modified (RFC 9110 §13.2.2): If-None-Match, compared weakly, and without one
// If-Modified-Since. now is what ParseDate wants. A condition that is malformed does
// not hold; one with a list that is malformed from some place on holds by what comes
// before.
func NotModified(request http.Header, etag, modified []string, now time.Time) bool {
	if lines := request["If-None-Match"]; len(lines) > 0 {
		for _, line := range lines {
			if listed(line, etag) {
				return true
			}
		}
		return false
	}
	since, ok := single(request["If-Modified-Since"], now)
	if !ok {
		return false
	}
	last, ok := single(modified, now)
	return ok && !last.After(since)
}

// listed tells whether a list of entity tags has that of etag, or is "*".
func listed(list string, etag []string) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		if list == "" || list[0] == '*' {
			return list != ""
		}
		start := len(list) - len(strings.TrimPrefix(list, "W/"))
		if start == len(list) || list[start] != '"' {
			return false
		}
		end := strings.IndexByte(list[start+1:], '"')
		if end < 0 {
			return false
		}
		end += start + 2
		opaque, ok := opaqueTag(list[:end])
		if !ok || tagsMatch(etag, opaque, false) {
			return ok
		}
		list = list[end:]
	}
}
