package admin

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

// A purgeRequest says what to purge. Its parts add up.
type purgeRequest struct {
	URLs   []string `json:"urls"`
	Tags   []string `json:"tags"`
	Match  string   `json:"match"` // keys, see store.Glob
	All    bool     `json:"all"`
	Soft   bool     `json:"soft"`
	DryRun bool     `json:"dry_run"`
}

// A purgeAnswer says what came of it.
type purgeAnswer struct {
	Count int `json:"count"` // of base entries; -1: they are not counted
	// AtLeast tells of a dry run that it counts what the keys name, and that there may be
	// more behind tags: a URL's own among them, which leads to entries with fields or
	// prefixes in their keys.
	AtLeast bool   `json:"at_least,omitempty"`
	Token   string `json:"token,omitempty"`
}

// purge purges, or counts. A form is asked back before anything is dropped.
func (h *Handler) purge(w http.ResponseWriter, r *http.Request, who string) {
	var q purgeRequest
	form, err := h.command(w, r, &q)
	if form != nil {
		q = purgeForm(form)
	}
	var a purgeAnswer
	if err == nil {
		a, err = h.carryOut(r.Context(), q, who)
	}
	if form != nil {
		v := h.view(w, r, who)
		v.Purge = purgeView{Ask: q}
		if v.Purge.Problem = message(err); err == nil {
			v.Purge.Answer = &a
		}
		h.render(w, statusOf(err), v)
		return
	}
	if err != nil {
		fail(w, err)
		return
	}
	reply(w, http.StatusOK, a)
}

// purgeForm reads the console's form. What it has not confirmed is counted alone.
func purgeForm(form url.Values) purgeRequest {
	return purgeRequest{
		URLs: linesOf(form.Get("urls")), Tags: linesOf(form.Get("tags")), Match: strings.TrimSpace(form.Get("match")),
		All: form.Get("all") != "", Soft: form.Get("mode") == "soft", DryRun: form.Get("confirm") != "yes",
	}
}

// carryOut does what q says, and logs it. A purge is finished even if who asked for it
// leaves meanwhile: half of one helps nobody.
func (h *Handler) carryOut(ctx context.Context, q purgeRequest, who string) (purgeAnswer, error) {
	p, atLeast, err := q.purge(h.o.Cache)
	if err != nil {
		return purgeAnswer{}, err
	}
	if !q.DryRun {
		ctx = context.WithoutCancel(ctx)
	}
	done, err := h.o.Cache.Purge(ctx, p)
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("principal", who), slog.Int("urls", len(q.URLs)), slog.Int("tags", len(q.Tags)), slog.Bool("match", q.Match != ""),
		slog.Bool("all", q.All), slog.Bool("soft", q.Soft), slog.Bool("dry_run", q.DryRun), slog.Int("count", done.Count),
	}
	if err != nil {
		level, attrs = slog.LevelWarn, append(attrs, slog.Any("err", err))
	}
	h.o.Logger.LogAttrs(ctx, level, "admin: purge", attrs...)
	if err != nil {
		return purgeAnswer{}, &problem{http.StatusServiceUnavailable, "purged in this process, and perhaps not everywhere: " + err.Error()}
	}
	return purgeAnswer{done.Count, atLeast, done.Token}, nil
}

// purge returns what q says in a store's terms, or what is wrong with it.
func (q purgeRequest) purge(c *middleware.Cache) (p store.Purge, atLeast bool, err error) {
	if len(q.URLs)+len(q.Tags) == 0 && q.Match == "" && !q.All {
		return p, false, bad("nothing to purge: name urls, tags or match, or all")
	}
	if slices.Contains(q.URLs, "") || slices.Contains(q.Tags, "") {
		return p, false, bad("an empty URL or tag")
	}
	if p, err = c.PurgeOf(q.URLs...); err != nil {
		return p, false, bad(strings.TrimPrefix(err.Error(), "middleware: PurgeURL: "))
	}
	p.Tags = append(p.Tags, q.Tags...)
	p.Match, p.All, p.Soft, p.DryRun = q.Match, q.All, q.Soft, q.DryRun
	if q.DryRun && !q.All && (len(q.URLs) > 0 || q.Match != "") {
		atLeast = len(p.Tags) > 0
		p.Tags = nil // with them nothing would be counted
	}
	return p, atLeast, nil
}

// message is err as the page shows it, or "".
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
