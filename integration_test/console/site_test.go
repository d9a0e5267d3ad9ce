package console

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/reprise-go/reprise/metrics"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/store/memstore"
)

const mount = "/ops/admin"

// authorization is what the tabs send.
var authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:sesame"))

// A site is a running program.
type site struct {
	t     *testing.T
	cache *reprise.Cache
	*httptest.Server
}

func newSite(t *testing.T) *site {
	t.Helper()
	collector, err := metrics.New(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := memstore.New(memstore.Options{Recorder: collector})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := reprise.New(st, reprise.WithRecorder(collector))
	if err != nil {
		t.Fatal(err)
	}
	router := chi.NewRouter()
	products := reprise.Policy{Name: "products", TTL: time.Minute, Jitter: -1, StaleWhileRevalidate: 5 * time.Minute, StaleIfError: time.Hour}
	router.With(cache.Handler(products)).Get("/products/{id}", func(w http.ResponseWriter, r *http.Request) {
		reprise.Tag(r.Context(), "product:"+chi.URLParam(r, "id"))
		time.Sleep(2 * time.Millisecond) // what the charts show
		fmt.Fprint(w, "product ", chi.URLParam(r, "id"))
	})
	router.With(cache.Handler(reprise.Policy{Name: "search", TTL: 10 * time.Second})).Get("/search", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "found ", r.URL.Query().Get("q"))
	})
	console, err := admin.New(admin.Options{
		Cache: cache, Routes: router, Counts: collector,
		Authorize: func(r *http.Request) (string, bool) { return "ann", r.Header.Get("Authorization") == authorization },
	})
	if err != nil {
		t.Fatal(err)
	}
	router.Handle(mount+"/*", http.StripPrefix(mount, console))
	s := &site{t, cache, httptest.NewServer(router)}
	t.Cleanup(func() {
		s.Close()
		console.Close()
		if err := cache.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// console is the page's URL. far: by a name that is not known to be this machine's.
func (s *site) console(far bool) string {
	if far {
		return strings.Replace(s.URL, "127.0.0.1", farHost, 1) + mount + "/"
	}
	return s.URL + mount + "/"
}

// get returns what the cache said of the path.
func (s *site) get(path string) string {
	s.t.Helper()
	answer, err := s.Client().Get(s.URL + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.Header.Get("X-Cache")
}

// page returns the console as it is.
func (s *site) page() string {
	s.t.Helper()
	r, err := http.NewRequest("GET", s.console(false), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	answer, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(page)
}

// visit has some traffic: ten products, each asked for three times, and some searches.
func (s *site) visit() {
	s.t.Helper()
	for range 3 {
		for i := range 10 {
			s.get(fmt.Sprintf("/products/%d", i))
		}
	}
	s.get("/search?q=shoes")
}
