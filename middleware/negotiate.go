package middleware

import (
	"net/http"
	"slices"

	"github.com/reprise-go/reprise/internal/rfc9111"
)

// negotiate leaves in header, of what a client accepts, what the policy says
// that handlers choose from. It is what selects a variant, and handlers must
// not choose by more: they get the same.
func (h *handler) negotiate(header http.Header) {
	a := &h.policy.Advanced
	if a.Encodings != nil {
		header["Accept-Encoding"] = []string{string(rfc9111.AppendCodings(nil, header["Accept-Encoding"], a.Encodings))}
	}
	if a.Languages != nil {
		header["Accept-Language"] = []string{rfc9111.Language(header["Accept-Language"], a.Languages)}
	}
}

// selecting returns the header by which names select: header itself, or as
// negotiate makes it.
func (h *handler) selecting(header http.Header, names []string) http.Header {
	a := &h.policy.Advanced
	if (a.Encodings == nil || !slices.Contains(names, "Accept-Encoding")) &&
		(a.Languages == nil || !slices.Contains(names, "Accept-Language")) {
		return header
	}
	reduced := make(http.Header, len(names)+2)
	for _, name := range names {
		if lines, has := header[name]; has {
			reduced[name] = lines
		}
	}
	h.negotiate(reduced)
	return reduced
}
