package middleware

import (
	"net/http"

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

// appendFields appends the normal form of what the fields names select, of
// those that the policy reduces the reduced ones.
func (h *handler) appendFields(dst []byte, header http.Header, names []string) []byte {
	a := &h.policy.Advanced
	for i, name := range names {
		if i > 0 {
			dst = append(dst, '&')
		}
		switch {
		case a.Encodings != nil && name == "Accept-Encoding":
			dst = rfc9111.AppendCodings(append(dst, "Accept-Encoding="...), header[name], a.Encodings)
		case a.Languages != nil && name == "Accept-Language":
			dst = append(dst, "Accept-Language="...)
			dst = append(dst, rfc9111.Language(header[name], a.Languages)...)
		default:
			dst = rfc9111.AppendSelecting(dst, header, names[i:i+1])
		}
	}
	return dst
}
