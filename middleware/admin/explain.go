package admin

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/textproto"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// maxExplain is how long a handler without a policy may take that an explanation has
// met. One with a policy has its Limits.Fill.
const maxExplain = 10 * time.Second

// An explainRequest is a request to explain.
type explainRequest struct {
	URL    string   `json:"url"`
	Method string   `json:"method"` // "": GET
	Fields []string `json:"fields"` // each as "Name: value"
	Try    bool     `json:"try"`    // run the handler if nothing usable is stored, and keep nothing
}

func (h *Handler) explain(w http.ResponseWriter, r *http.Request, who string) {
	var q explainRequest
	form, err := h.command(w, r, &q)
	if form != nil {
		q = explainForm(form)
		q.Try = true // without that the form is sent by GET
	}
	var e *middleware.Explanation
	if err == nil {
		e, err = h.explanation(r, q)
	}
	switch {
	case form != nil:
		v := h.view(w, r, who)
		v.Explain = explainView{Ask: q, Problem: message(err), Answer: e}
		h.render(w, statusOf(err), v)
	case err != nil:
		fail(w, err)
	default:
		reply(w, http.StatusOK, e)
	}
}

// explainForm reads the console's form, or the query that it makes.
func explainForm(form url.Values) explainRequest {
	return explainRequest{URL: strings.TrimSpace(form.Get("url")), Method: form.Get("method"), Fields: linesOf(form.Get("fields"))}
}

// explanation explains q. r is who asks.
func (h *Handler) explanation(r *http.Request, q explainRequest) (e *middleware.Explanation, err error) {
	if h.o.Routes == nil {
		return nil, &problem{http.StatusNotImplemented, "nothing can be explained: Options.Routes is not set"}
	}
	// r's context has what its own router has left there: chi, for one, would go on
	// from where it was.
	ctx, cancel := context.WithTimeout(context.Background(), maxExplain)
	defer cancel()
	defer context.AfterFunc(r.Context(), cancel)()
	asked, err := q.request(ctx)
	if err != nil {
		return nil, err
	}
	asked.RemoteAddr = r.RemoteAddr
	defer func() {
		if v := recover(); v != nil {
			h.o.Logger.LogAttrs(r.Context(), slog.LevelError, "admin: a handler panicked while its route was explained",
				slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			e, err = nil, &problem{http.StatusBadGateway, fmt.Sprintf("the handler panicked: %v", v)}
		}
	}()
	return h.o.Cache.Explain(h.o.Routes, asked, q.Try), nil
}

// request returns q as a server would have it from the wire.
func (q explainRequest) request(ctx context.Context) (*http.Request, error) {
	u, err := url.Parse(q.URL)
	if err != nil {
		return nil, bad(err.Error())
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, bad(fmt.Sprintf("%q is not an absolute http or https URL", q.URL))
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, u.RequestURI(), http.NoBody)
	if err != nil {
		return nil, bad(strings.TrimPrefix(err.Error(), "net/http: "))
	}
	if r.Header, err = header(q.Fields); err != nil {
		return nil, err
	}
	r.RequestURI, r.Host = u.RequestURI(), u.Host
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	r.Header.Del("Host")
	if u.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	return r, nil
}

// nameBytes are what names of fields are made of (RFC 9110 §5.6.2).
const nameBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// header reads fields, each as "Name: value", as strictly as a server.
func header(fields []string) (http.Header, error) {
	h := make(http.Header)
	for _, f := range fields {
		name, value, ok := strings.Cut(f, ":")
		if !ok || name == "" || strings.Trim(name, nameBytes) != "" || strings.ContainsFunc(value, isControl) {
			return nil, bad(fmt.Sprintf("%q is not a field: Name: value", f))
		}
		h.Add(name, textproto.TrimString(value))
	}
	return h, nil
}

func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
