package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	reprise "github.com/reprise-go/reprise/middleware"
)

// listLength bounds the lists of search and bestsellers, and with them the
// tags of one answer.
const listLength = 10

// An api is the HTTP side of the catalogue.
type api struct {
	db    *DB
	cache *reprise.Cache
	log   *slog.Logger
}

func (a *api) routes(metrics http.Handler) http.Handler {
	p := newPolicies()
	r := chi.NewRouter()
	r.Use(middleware.GetHead) // HEAD goes where GET goes, and is answered from what GET stored
	r.With(a.cache.Handler(p.product)).Get("/products/{id:[0-9]+}", a.product)
	r.With(a.cache.Handler(p.category)).Get("/categories/{id:[0-9]+}", a.category)
	r.With(a.cache.Handler(p.export)).Get("/categories/{id:[0-9]+}/products.ndjson", a.export)
	r.With(a.cache.Handler(p.search)).Get("/search", a.search)
	r.With(a.cache.Handler(p.bestsellers)).Get("/bestsellers", a.bestsellers)
	r.Patch("/products/{id:[0-9]+}", a.setPrice)
	r.Method(http.MethodGet, "/metrics", metrics)
	return r
}

// A page carries the tags of everything it shows. Whoever changes a product
// purges its tags and need not know which pages there are.
func productTag(id int64) string  { return "product:" + strconv.FormatInt(id, 10) }
func categoryTag(id int64) string { return "category:" + strconv.FormatInt(id, 10) }

func (a *api) product(w http.ResponseWriter, r *http.Request) {
	id := pathID(r)
	reprise.Tag(r.Context(), productTag(id))
	p, err := a.db.Product(r.Context(), id)
	a.answer(w, p, err)
}

func (a *api) category(w http.ResponseWriter, r *http.Request) {
	id := pathID(r)
	reprise.Tag(r.Context(), categoryTag(id))
	c, err := a.db.Category(r.Context(), id)
	a.answer(w, c, err)
}

func (a *api) search(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("q")
	if len(text) < 2 || len(text) > 64 {
		writeError(w, http.StatusBadRequest, "q must be 2 to 64 bytes long")
		return
	}
	list, err := a.db.Search(r.Context(), text, listLength)
	tagAll(r.Context(), list)
	a.answer(w, list, err)
}

func (a *api) bestsellers(w http.ResponseWriter, r *http.Request) {
	list, err := a.db.Bestsellers(r.Context(), listLength)
	tagAll(r.Context(), list)
	a.answer(w, list, err)
}

func tagAll(ctx context.Context, list []Product) {
	for _, p := range list {
		reprise.Tag(ctx, productTag(p.ID))
	}
}

// export writes a whole category, one product a line.
func (a *api) export(w http.ResponseWriter, r *http.Request) {
	id := pathID(r)
	reprise.Tag(r.Context(), categoryTag(id))
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := 0
	out := json.NewEncoder(w)
	err := a.db.Export(r.Context(), id, func(p Product) error {
		lines++
		return out.Encode(p)
	})
	switch {
	case err == nil && lines == 0:
		a.answer(w, nil, errNoRow)
	case err != nil && lines == 0:
		a.answer(w, nil, err)
	case err != nil:
		// Half of a file is on its way with status 200. Only a broken
		// connection can still say so, and what is broken off is never stored.
		a.log.Error("export cut short", "category", id, "lines", lines, "err", err)
		panic(http.ErrAbortHandler)
	}
}

func (a *api) setPrice(w http.ResponseWriter, r *http.Request) {
	var change struct {
		PriceCents int64 `json:"price_cents"`
	}
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10))
	in.DisallowUnknownFields()
	if err := in.Decode(&change); err != nil || change.PriceCents < 1 {
		writeError(w, http.StatusBadRequest, `want {"price_cents": n} with n > 0`)
		return
	}
	p, err := a.db.SetPrice(r.Context(), pathID(r), change.PriceCents)
	if err == nil {
		a.purge(r.Context(), p)
	}
	a.answer(w, p, err)
}

// purge drops every page that shows p. It comes after the commit: before it, a
// page made in between would bring the old price back.
func (a *api) purge(ctx context.Context, p Product) {
	// The change is committed: its purge must not depend on the client staying.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := a.cache.PurgeTags(ctx, productTag(p.ID), categoryTag(p.Category)); err != nil {
		// The price is saved, and this process shows it. Other processes may
		// show the old one until it has had its time: no reason to tell the
		// client that the update failed, but one to wake somebody.
		a.log.Error("purge did not reach every process", "product", p.ID, "err", err)
	}
}

// pathID returns the route's id. One beyond int64 becomes the greatest, which is
// no row's: 404 as for any other.
func pathID(r *http.Request) int64 {
	id, _ := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	return id
}

// answer writes v, or what err says instead.
func (a *api) answer(w http.ResponseWriter, v any, err error) {
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, v)
	case errors.Is(err, errNoRow):
		writeError(w, http.StatusNotFound, "not found")
	default:
		a.log.Error("query failed", "err", err)
		writeError(w, http.StatusInternalServerError, "the database failed")
	}
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // fails only when the client has left
}
