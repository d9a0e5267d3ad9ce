package middleware

import (
	"net/http"
	"slices"

	"github.com/reprise-go/reprise/internal/rfc9111"
)

// encodings returns a client's Accept-Encoding as handlers get it, which
// produce the policy's codings and no others.
func (h *handler) encodings(header http.Header) string {
	return string(rfc9111.AppendCodings(nil, header["Accept-Encoding"], h.policy.Advanced.Encodings))
}

// limitEncodings leaves of the Accept-Encoding in header what selects the
// variant: the handler must not choose by more.
func (h *handler) limitEncodings(header http.Header) {
	if h.policy.Advanced.Encodings == nil {
		return
	}
	if codings := h.encodings(header); codings != "" {
		header["Accept-Encoding"] = []string{codings}
	} else {
		delete(header, "Accept-Encoding")
	}
}

// selecting returns the header by which names select: header itself, but for
// an Accept-Encoding that the policy reduces.
func (h *handler) selecting(header http.Header, names []string) http.Header {
	if h.policy.Advanced.Encodings == nil || !slices.Contains(names, "Accept-Encoding") {
		return header
	}
	reduced := make(http.Header, len(names))
	for _, name := range names {
		if lines, has := header[name]; has {
			reduced[name] = lines
		}
	}
	h.limitEncodings(reduced)
	return reduced
}
