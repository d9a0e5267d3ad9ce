package rfc9111

import (
	"net/http"
	"strings"
)

// StrongETag returns the entity tag of a response, quotes included, if it has
// exactly one, well formed and not weak (RFC 9110 §8.8.3).
func StrongETag(h http.Header) (string, bool) { return StrongTag(h["Etag"]) }

// StrongTag is StrongETag for the lines of an ETag.
func StrongTag(lines []string) (string, bool) {
	if len(lines) != 1 {
		return "", false
	}
	tag := trimOWS(lines[0])
	if opaque, ok := opaqueTag(tag); !ok || opaque != tag {
		return "", false
	}
	return tag, true
}

// Confirms tells whether a 304 with the fields update is about the response
// stored, whose validators the request for it carried, and no others'.
//
// RFC 9111 §4.3.4, the first of these that applies:
//
//   - a strong ETag must be the one stored, and strong there (RFC 9110 §8.8.3.2);
//   - a weak ETag must match the stored one weakly. Once the tags decide,
//     Last-Modified does not: a tag is the more accurate one (RFC 9110 §13.1.3);
//   - a weak ETag where none is stored, or none at all, leaves it to
//     Last-Modified, which must be stored too, and be the same byte for byte;
//   - no validator at all confirms. The section says so only of a stored response
//     that lacks them too, because its cache may have asked about several at
//     once. Ours asked about this one, and many handlers write a bare 304.
//
// An ETag of update that is malformed, or lines of a field that differ, do not
// confirm, and neither does a stored one of that kind if update has an ETag.
func Confirms(stored, update http.Header) bool {
	if len(update["Etag"]) > 0 {
		tag, _ := sameLines(update["Etag"])
		opaque, ok := opaqueTag(tag)
		if !ok {
			return false
		}
		if len(stored["Etag"]) > 0 || opaque == tag {
			return tagsMatch(stored["Etag"], opaque, opaque == tag)
		}
	} else if len(update["Last-Modified"]) == 0 {
		return true
	}
	return modifiedMatches(stored, update)
}

// Describes tells whether the 200 response to a HEAD, whose fields are head, is
// of the same representation as the response stored of a GET, whose body is
// length bytes long (negative if it is not known).
//
// RFC 9111 §4.3.5: each validator that head has must be the stored one, and its
// Content-Length the stored length. An ETag is compared weakly: no bytes are
// put together by it. What head does not have contradicts nothing.
func Describes(stored http.Header, length int64, head http.Header) bool {
	if lines := head["Etag"]; len(lines) > 0 {
		tag, _ := sameLines(lines)
		opaque, ok := opaqueTag(tag)
		if !ok || !tagsMatch(stored["Etag"], opaque, false) {
			return false
		}
	}
	if len(head["Last-Modified"]) > 0 && !modifiedMatches(stored, head) {
		return false
	}
	if lines := head["Content-Length"]; len(lines) > 0 {
		value, _ := sameLines(lines)
		n, ok := position(value)
		return ok && n == length
	}
	return true
}

// opaqueTag returns an entity tag without its W/. ok tells that it is well
// formed (RFC 9110 §8.8.3); W has that letter case only.
func opaqueTag(tag string) (opaque string, ok bool) {
	opaque = strings.TrimPrefix(tag, "W/")
	inner, quoted := unquote(opaque)
	if !quoted {
		return "", false
	}
	for i := range len(inner) {
		if c := inner[i]; c <= ' ' || c == '"' || c == 0x7f {
			return "", false
		}
	}
	return opaque, true
}

// tagsMatch compares the lines of the stored ETag with an opaque tag, strongly or
// weakly (RFC 9110 §8.8.3.2). strong tells that the other tag is strong itself.
func tagsMatch(stored []string, opaque string, strong bool) bool {
	tag, ok := sameLines(stored)
	if !ok {
		return false
	}
	if strong {
		return tag == opaque
	}
	have, ok := opaqueTag(tag)
	return ok && have == opaque
}

// modifiedMatches tells whether both have a Last-Modified, and the same. Servers
// write a date one way only, so that two ways of writing it are no match.
func modifiedMatches(a, b http.Header) bool {
	in, ok := sameLines(a["Last-Modified"])
	if !ok {
		return false
	}
	is, ok := sameLines(b["Last-Modified"])
	return ok && in == is
}

// sameLines returns the value that all lines of a field have. There is none if
// they differ, or are none.
func sameLines(lines []string) (string, bool) {
	if len(lines) == 0 {
		return "", false
	}
	value := trimOWS(lines[0])
	for _, line := range lines[1:] {
		if trimOWS(line) != value {
			return "", false
		}
	}
	return value, true
}
