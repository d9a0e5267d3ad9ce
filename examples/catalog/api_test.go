package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/reprise-go/reprise/metrics"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// purges calls back before each purge, and drops it where it is told to.
type purges struct {
	store.Store
	lose bool
	seen func(context.Context, store.Purge)
}

func (s *purges) Purge(ctx context.Context, p store.Purge) (store.Purged, error) {
	if s.seen != nil {
		s.seen(ctx, p)
	}
	if s.lose {
		return store.Purged{}, nil
	}
	return s.Store.Purge(ctx, p)
}

// newTestAPI returns the API over a small database and a memory store.
func newTestAPI(t *testing.T) (http.Handler, *DB, *purges) {
	t.Helper()
	db := openTestDB(t)
	collector, err := metrics.New(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mem, err := memstore.New(memstore.Options{Recorder: collector})
	if err != nil {
		t.Fatal(err)
	}
	st := &purges{Store: mem}
	cache, err := reprise.New(st, reprise.WithRecorder(collector))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := cache.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector, countQueries(db))
	a := &api{db: db, cache: cache, log: slog.New(slog.DiscardHandler)}
	return a.routes(promhttp.HandlerFor(registry, promhttp.HandlerOpts{})), db, st
}

func call(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

func TestUpdateIsSeenAtOnceOnEveryPage(t *testing.T) {
	h, _, _ := newTestAPI(t)
	p := makeProduct(42)
	pages := []string{
		"/products/42",
		fmt.Sprintf("/categories/%d", p.Category),
		fmt.Sprintf("/categories/%d/products.ndjson", p.Category),
		"/search?q=" + url.QueryEscape(p.Name),
	}
	const price = "87654321" // the greatest of all, and found nowhere before
	for _, page := range pages {
		for _, want := range []string{"MISS", "HIT"} {
			w := call(h, http.MethodGet, page, "")
			if w.Code != http.StatusOK || w.Header().Get("X-Cache") != want || strings.Contains(w.Body.String(), price) {
				t.Fatalf("GET %s before the update: %d %s %.200s, want a %s", page, w.Code, w.Header().Get("X-Cache"), w.Body, want)
			}
		}
	}
	if w := call(h, http.MethodPatch, "/products/42", `{"price_cents":`+price+`}`); w.Code != http.StatusOK {
		t.Fatalf("PATCH: %d %s", w.Code, w.Body)
	}
	for _, page := range pages {
		for _, want := range []string{"MISS", "HIT"} {
			w := call(h, http.MethodGet, page, "")
			if w.Header().Get("X-Cache") != want || !strings.Contains(w.Body.String(), price) {
				t.Errorf("GET %s after the update: %s %.200s, want a %s with the new price", page, w.Header().Get("X-Cache"), w.Body, want)
			}
		}
	}
}

func TestOtherPagesOutliveAnUpdate(t *testing.T) {
	h, _, _ := newTestAPI(t)
	other := makeProduct(42).Category%categories + 1
	pages := []string{"/products/41", fmt.Sprintf("/categories/%d", other)}
	for _, page := range pages {
		call(h, http.MethodGet, page, "")
	}
	call(h, http.MethodPatch, "/products/42", `{"price_cents":1}`)
	for _, page := range pages {
		if got := call(h, http.MethodGet, page, "").Header().Get("X-Cache"); got != "HIT" {
			t.Errorf("GET %s: %s, want HIT", page, got)
		}
	}
}

func TestPurgeComesAfterTheCommitAndOutlivesTheClient(t *testing.T) {
	h, db, st := newTestAPI(t)
	ctx, leave := context.WithCancel(t.Context())
	called := 0
	st.seen = func(ctx context.Context, p store.Purge) {
		called++
		// Another connection sees only what is committed.
		if stored, err := db.Product(t.Context(), 42); err != nil || stored.PriceCents != 4242 {
			t.Errorf("at the purge the price is %d, %v, want 4242", stored.PriceCents, err)
		}
		leave()
		if err := ctx.Err(); err != nil {
			t.Errorf("the client's leaving ends the purge: %v", err)
		}
		if want := []string{"product:42", categoryTag(makeProduct(42).Category)}; fmt.Sprint(p.Tags) != fmt.Sprint(want) {
			t.Errorf("purged tags %q, want %q", p.Tags, want)
		}
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPatch, "/products/42", strings.NewReader(`{"price_cents":4242}`))
	h.ServeHTTP(httptest.NewRecorder(), r)
	if called != 1 {
		t.Errorf("%d purges, want 1", called)
	}
}

func TestRefusedUpdatePurgesNothing(t *testing.T) {
	h, _, st := newTestAPI(t)
	st.seen = func(_ context.Context, p store.Purge) { t.Errorf("purged %+v", p) }
	for _, tc := range []struct {
		target, body string
		status       int
	}{
		{"/products/42", ``, http.StatusBadRequest},
		{"/products/42", `{"price_cents":0}`, http.StatusBadRequest},
		{"/products/42", `{"price_cents":"1"}`, http.StatusBadRequest},
		{"/products/42", `{"price_cents":1,"name":"x"}`, http.StatusBadRequest},
		{"/products/42", `{"price_cents":1` + strings.Repeat(" ", 2000) + `}`, http.StatusBadRequest},
		{"/products/0", `{"price_cents":1}`, http.StatusNotFound},
	} {
		if w := call(h, http.MethodPatch, tc.target, tc.body); w.Code != tc.status {
			t.Errorf("PATCH %s %.40s: %d, want %d", tc.target, tc.body, w.Code, tc.status)
		}
	}
}

func TestStatuses(t *testing.T) {
	h, db, _ := newTestAPI(t)
	for _, tc := range []struct {
		method, target string
		status         int
		second         string // X-Cache of the second request; "": not cached
	}{
		{http.MethodGet, "/products/1", http.StatusOK, "HIT"},
		{http.MethodHead, "/products/1", http.StatusOK, "HIT"},
		{http.MethodGet, "/products/0", http.StatusNotFound, "HIT"},
		{http.MethodGet, "/products/99999999999999999999", http.StatusNotFound, "HIT"},
		{http.MethodGet, "/categories/99", http.StatusNotFound, "HIT"},
		{http.MethodGet, "/categories/99/products.ndjson", http.StatusNotFound, "HIT"},
		{http.MethodGet, "/search?q=lamp", http.StatusOK, "HIT"},
		{http.MethodGet, "/search?q=l", http.StatusBadRequest, "MISS"},
		{http.MethodGet, "/bestsellers", http.StatusOK, "HIT"},
		{http.MethodGet, "/products/one", http.StatusNotFound, ""},
		{http.MethodDelete, "/products/1", http.StatusMethodNotAllowed, ""},
		{http.MethodGet, "/metrics", http.StatusOK, ""},
	} {
		call(h, tc.method, tc.target, "")
		before := db.Queries()
		w := call(h, tc.method, tc.target, "")
		if w.Code != tc.status || w.Header().Get("X-Cache") != tc.second {
			t.Errorf("%s %s: %d %q, want %d %q", tc.method, tc.target, w.Code, w.Header().Get("X-Cache"), tc.status, tc.second)
		}
		if ran := db.Queries() - before; ran != 0 {
			t.Errorf("%s %s: the second request ran %d queries", tc.method, tc.target, ran)
		}
	}
}

func TestPoliciesAreValid(t *testing.T) {
	p := newPolicies()
	for _, policy := range []reprise.Policy{p.product, p.category, p.export, p.search, p.bestsellers} {
		if err := policy.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// uncached makes every request one of its own, so that nothing is ever stored for it.
func uncached(h http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawQuery = fmt.Sprint("n=", n.Add(1))
		r.RequestURI = r.URL.RequestURI()
		h.ServeHTTP(w, r)
	})
}
