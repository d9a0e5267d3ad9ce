package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/reprise-go/reprise/health"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

//go:embed console.html console.css console.js
var files embed.FS

var page = template.Must(template.New("console.html").Funcs(template.FuncMap{
	"ago": ago, "bytes": size, "breaker": breaker, "duration": duration, "join": strings.Join, "percent": percent, "plural": plural, "tier": tier,
	"methods": func() []string { return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} },
	"ms":      func(ms float64) string { return duration(time.Duration(ms * float64(time.Millisecond))) },
}).ParseFS(files, "console.html"))

// A view is what the page shows.
type view struct {
	Now      time.Time
	Who      string
	Token    string
	Counted  bool // there is a Counter
	Charts   []policyCharts
	Caches   []cacheCounts
	Health   health.Report
	Purges   []middleware.PurgeEvent
	Policies []policyInfo
	Explain  explainView
	Explains bool // there are routes
	Purge    purgeView
}

type policyCharts struct {
	Policy   string
	Requests int // in the last ten minutes
	Charts   []chart
}

type explainView struct {
	Ask     explainRequest
	Answer  *middleware.Explanation
	Problem string
}

type purgeView struct {
	Ask     purgeRequest
	Answer  *purgeAnswer
	Problem string
}

// shownPurges is how many purges the page lists. /purges has all.
const shownPurges = 12

func (h *Handler) console(w http.ResponseWriter, r *http.Request, who string) {
	v := h.view(w, r, who)
	var err error
	if q := explainForm(r.URL.Query()); q.URL != "" {
		v.Explain.Ask = q
		// To explain is to send a GET through the program. Another site's link may
		// fill the form, and its image must not even do that much.
		if !foreign(r) {
			v.Explain.Answer, err = h.explanation(r, q)
			v.Explain.Problem = message(err)
		}
	}
	h.render(w, statusOf(err), v)
}

func (h *Handler) view(w http.ResponseWriter, r *http.Request, who string) *view {
	s := h.statistics()
	v := &view{
		Now: time.Now().UTC(), Who: who, Token: token(w, r), Counted: h.o.Counts != nil, Caches: s.Caches, Health: h.report(r.Context()),
		Purges: h.o.Cache.Purges(), Policies: policiesOf(h.o.Cache), Explains: h.o.Routes != nil,
	}
	v.Purges = v.Purges[:min(len(v.Purges), shownPurges)]
	for _, p := range s.Policies {
		v.Charts = append(v.Charts, policyCharts{p.Policy, int(p.Window.Requests), charts(p.Recent, p.Window)})
	}
	return v
}

func (h *Handler) render(w http.ResponseWriter, status int, v *view) {
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		h.o.Logger.Error("admin: page", "err", err)
		fail(w, &problem{http.StatusInternalServerError, "the page cannot be made"})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the client's connection is all that can fail
}

// asset serves one of the embedded files. It may be kept, and is asked for again each
// time, with its ETag.
func asset(name, kind string) action {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(content)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(_ *Handler, w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Cache-Control", "private, no-cache")
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Etag", etag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	}
}

// duration shows d with three digits, or in whole seconds from a minute on.
func duration(d time.Duration) string {
	if d >= time.Minute {
		return trimZeros(d.Round(time.Second).String())
	}
	step := time.Duration(1)
	for d >= 1000*step {
		step *= 10
	}
	return d.Round(step).String()
}

// trimZeros makes 1h0m0s 1h.
func trimZeros(s string) string {
	if short, ok := strings.CutSuffix(s, "m0s"); ok {
		s = short + "m"
	}
	if short, ok := strings.CutSuffix(s, "h0m"); ok {
		s = short + "h"
	}
	return s
}

func percent(part float64) string { return fmt.Sprintf("%.1f %%", 100*part) }

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func size(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, u := float64(n)/(1<<10), 0
	for v >= 1<<10 && u < len(units)-1 {
		v, u = v/(1<<10), u+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[u])
}

func ago(t, now time.Time) string {
	return duration(max(now.Sub(t), 0).Truncate(time.Second)) + " ago"
}

// breaker tells how a store's breaker is, as far as its Health says.
func breaker(s health.StoreReport) string {
	switch {
	case store.Health{Degraded: s.Degraded}.Has(store.BreakerOpen):
		return "open"
	case s.LatencyMS == 0:
		return "–" // nobody was asked
	}
	return "closed"
}

// tier tells whether what is kept in this process is used.
func tier(s health.StoreReport) string {
	h := store.Health{Degraded: s.Degraded}
	switch {
	case h.Has(store.LocalUntrusted):
		return "not trusted"
	case h.Has(store.NoTracking):
		return "off"
	}
	return "in use"
}
