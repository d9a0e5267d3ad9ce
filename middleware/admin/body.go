package admin

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxBody bounds what is read of a request's body, in bytes.
const maxBody = 64 << 10

// A problem is an error with the status that it is answered with.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func bad(text string) error { return &problem{http.StatusBadRequest, text} }

// statusOf is what err is answered with; 0: nothing is wrong.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if p, ok := errors.AsType[*problem](err); ok {
		return p.status
	}
	return http.StatusInternalServerError
}

// fail answers with err as JSON.
func fail(w http.ResponseWriter, err error) {
	reply(w, statusOf(err), map[string]string{"error": err.Error()})
}

// reply answers with v as JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client's connection is all that can fail
}

// command reads what a POST asks for: JSON into v, or else one of the console's forms.
// form is nil but for those, and is there with the error too, if it is one of its token.
func (h *Handler) command(w http.ResponseWriter, r *http.Request, v any) (form url.Values, err error) {
	if h.origin.Check(r) != nil {
		return nil, &problem{http.StatusForbidden, "sent by another site"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil: // of "application/json; =" the kind is there too
	case kind == "application/json":
		return nil, decode(r.Body, v)
	case kind == "application/x-www-form-urlencoded":
		return readForm(r)
	}
	return nil, &problem{http.StatusUnsupportedMediaType, "Content-Type is not application/json"}
}

func readForm(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, unread(err)
	}
	if !hasToken(r, r.PostForm) {
		return r.PostForm, &problem{http.StatusForbidden, "The form is not from this page, or older than its cookie. Send it again."}
	}
	return r.PostForm, nil
}

// decode reads one JSON object, of v's fields alone.
func decode(body io.Reader, v any) error {
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return unread(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad("more than one JSON value")
	}
	return nil
}

func unread(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &problem{http.StatusRequestEntityTooLarge, "body of more than 64 KiB"}
	}
	return bad("body: " + strings.TrimPrefix(err.Error(), "json: "))
}

// linesOf returns the lines of a form's field that are not empty, trimmed.
func linesOf(field string) (lines []string) {
	for line := range strings.Lines(field) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
