package middleware_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"

	reprise "github.com/reprise-go/reprise/middleware"
)

func named(name string) reprise.Policy {
	p := plain
	p.Name = name
	return p
}

func show(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, chi.URLParam(r, "id")) }

func TestPoliciesPerRouteUnderChi(t *testing.T) {
	cache := newCache(t)
	r := chi.NewRouter()
	r.With(cache.Handler(named("with"))).Get("/with/{id}", show)
	r.Group(func(r chi.Router) {
		r.Use(cache.Handler(named("group")))
		r.Get("/group/{id}", show)
	})
	r.Route("/route", func(r chi.Router) {
		r.Use(cache.Handler(named("route")))
		r.Get("/{id}", show)
	})
	mounted := chi.NewRouter()
	mounted.Use(cache.Handler(named("mounted")))
	mounted.Get("/{id}", show)
	r.Mount("/a", mounted)
	r.Mount("/b", mounted)
	r.Get("/bare/{id}", show)
	policy := cache.Handler(named("strip"))
	r.Mount("/strip", http.StripPrefix("/strip", policy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path)
	}))))

	for _, prefix := range []string{"/with/", "/group/", "/route/", "/a/", "/b/", "/strip/"} {
		for _, want := range []string{"MISS", "HIT"} {
			for _, id := range []string{"1", "2"} {
				w := httptest.NewRecorder()
				r.ServeHTTP(w, httptest.NewRequest("GET", prefix+id, nil))
				text := id
				if prefix == "/strip/" {
					text = "/" + id
				}
				answer{w.Result(), w.Body.String()}.want(t, want, text)
			}
		}
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/bare/1", nil))
	if w.Header().Get("X-Cache") != "" {
		t.Error("a route without a policy is cached")
	}
}

func TestPoliciesPerRouteUnderServeMux(t *testing.T) {
	cache := newCache(t)
	byPath := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("id")) }
	mux := http.NewServeMux()
	mux.Handle("GET /a/{id}", cache.Handler(named("a"))(http.HandlerFunc(byPath)))
	mux.Handle("GET /b/{id}", cache.Handler(named("b"))(http.HandlerFunc(byPath)))
	for _, want := range []string{"MISS", "HIT"} {
		for _, path := range []string{"/a/1", "/a/2", "/b/1"} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			answer{w.Result(), w.Body.String()}.want(t, want, path[3:])
		}
	}
}

// chi takes its RouteContext back when a request ends and gives it to the next:
// a refresh that kept it would read that one's parameters.
func TestARefreshUnderChiSeesItsOwnParameters(t *testing.T) {
	p := named("refreshed")
	p.TTL, p.StaleWhileRevalidate = time.Nanosecond, time.Hour
	p.Advanced.NoETag = true
	cache := newCache(t)
	var wrong sync.Map
	handler := func(w http.ResponseWriter, r *http.Request) {
		for range 20 { // long enough to run beside the next requests
			if id := chi.URLParam(r, "id"); r.URL.Path != "/items/"+id || r.PathValue("id") != id {
				wrong.Store(r.URL.Path, id)
			}
			time.Sleep(50 * time.Microsecond)
		}
		fmt.Fprint(w, chi.URLParam(r, "id"))
	}
	r := chi.NewRouter()
	r.Use(cache.Handler(p)) // before routing: the refresh routes for itself
	r.Get("/items/{id}", handler)
	q := p
	q.Name = "refreshed-with"
	inner := chi.NewRouter()
	inner.With(cache.Handler(q)).Get("/items/{id}", handler) // after routing

	for _, router := range []http.Handler{r, inner} {
		var clients sync.WaitGroup
		for c := range 8 {
			clients.Go(func() {
				for i := range 100 {
					id := fmt.Sprint((c + i) % 10)
					w := httptest.NewRecorder()
					router.ServeHTTP(w, httptest.NewRequest("GET", "/items/"+id, nil))
					if w.Body.String() != id {
						t.Errorf("asked for %s, got %q", id, w.Body.String())
					}
				}
			})
		}
		clients.Wait()
	}
	wrong.Range(func(path, id any) bool {
		t.Errorf("the handler of %v saw the parameter %v", path, id)
		return true
	})
}

// What routers below have done to chi's RouteContext at the first time must not
// lead the second one astray.
func TestTheHandlerIsAskedAgainByTheSameRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		inner := chi.NewRouter()
		inner.Get("/pages/{id}", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=1")
			if r.Header.Get("If-None-Match") != "" {
				w.Header().Set("Etag", `"another"`) // a 304 about something else
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("Etag", `"v1"`)
			fmt.Fprint(w, chi.URLParam(r, "site"), " ", chi.URLParam(r, "id"))
		})
		r := chi.NewRouter()
		r.Use(cache.Handler(reprise.Policy{Name: "all"}))
		r.Mount("/{site}/x", inner)
		for range 2 {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequest("GET", "/a/x/pages/1", nil))
			answer{w.Result(), w.Body.String()}.want(t, "MISS", "a 1")
			time.Sleep(2 * time.Second)
		}
	})
}
