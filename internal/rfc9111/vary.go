package rfc9111

import (
	"net/http"
	"slices"
)

// Vary returns the request fields that selected a response: canonical names,
// sorted, each once. star tells that no later request can match (RFC 9111
// §4.1): a member is "*", or is no field name, so that we cannot tell.
func Vary(h http.Header) (names []string, star bool) {
	members(h["Vary"], func(name string) bool {
		if name == "*" || !isToken(name) {
			star = true
			return false
		}
		names = append(names, http.CanonicalHeaderKey(name))
		return true
	})
	if star {
		return nil, true
	}
	slices.Sort(names)
	return slices.Compact(names), false
}
