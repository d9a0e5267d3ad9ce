package keyfunc

import (
	"math/bits"
	"net/http"
	"slices"
)

// reflectedNames are request fields that handlers, frameworks and the servers
// behind a proxy build links and redirects from, or route by, as if the client
// could not set them. A response made from one belongs to those who sent it.
//
// Not here: fields that carry the client's address (each client would have its
// own key), and fields that override the method (the cache lets such requests
// pass).
var reflectedNames = []string{
	"Forwarded", // RFC 7239
	"Front-End-Https",
	"Host", // beside :authority of HTTP/2; net/http keeps that of HTTP/1 apart
	"X-Envoy-Original-Path",
	"X-Forwarded-Base",
	"X-Forwarded-Host",
	"X-Forwarded-Path",
	"X-Forwarded-Port",
	"X-Forwarded-Prefix",
	"X-Forwarded-Proto",
	"X-Forwarded-Protocol",
	"X-Forwarded-Scheme",
	"X-Forwarded-Server",
	"X-Forwarded-Ssl",
	"X-Forwarded-Uri",
	"X-Forwarded-Url",
	"X-Host",
	"X-Http-Destinationurl",
	"X-Http-Host-Override",
	"X-Original-Host",
	"X-Original-Uri",
	"X-Original-Url",
	"X-Proxy-Url",
	"X-Replaced-Path",
	"X-Rewrite-Uri",
	"X-Rewrite-Url",
	"X-Scheme",
	"X-Script-Name",
	"X-Url-Scheme",
}

// ReflectedHeaders returns the request fields, in canonical form and sorted,
// that are part of the key wherever they are in the request, unless
// Parts.TrustHeaders names them.
func ReflectedHeaders() []string { return slices.Clone(reflectedNames) }

// A fieldSet is a set of indexes into reflectedNames.
type fieldSet uint32

var allReflected = fieldSet(1)<<len(reflectedNames) - 1

var reflectedSets = func() map[string]fieldSet {
	sets := make(map[string]fieldSet, len(reflectedNames))
	for i, name := range reflectedNames {
		sets[name] = 1 << i
	}
	return sets
}()

// append appends those fields of h that are in s. It walks the header once and
// looks only at names that may be meant: to ask for each field would cost more
// than all the rest of the key.
func (s fieldSet) append(dst []byte, h http.Header) []byte {
	var found fieldSet
	for name := range h {
		if name != "" && (name[0] == 'X' || name[0] == 'F' || name[0] == 'H') {
			found |= reflectedSets[name]
		}
	}
	for found &= s; found != 0; found &= found - 1 {
		dst = appendField(dst, h, reflectedNames[bits.TrailingZeros32(uint32(found))])
	}
	return dst
}
