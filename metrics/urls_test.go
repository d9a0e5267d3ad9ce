package metrics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

func newCache(t *testing.T, opts ...middleware.Option) *middleware.Cache {
	t.Helper()
	st, err := memstore.New(memstore.Options{Bytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := middleware.New(st, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return cache
}

type traceKey struct{}

func traceOf(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

// withTrace stands for what a program traces its requests with.
func withTrace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), traceKey{}, r.Header.Get("Traceparent"))))
	})
}

// TestSeriesCountIsConstantUnderManyURLs asks a cache for 5,000 URLs, METRICS_URLS
// of them if that is set, each of a host, with a query, a field and a trace of its own,
// and purges some: no series comes of any of it.
func TestSeriesCountIsConstantUnderManyURLs(t *testing.T) {
	urls := 5_000
	if text := os.Getenv("METRICS_URLS"); text != "" {
		var err error
		if urls, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	c, registry := newCollector(t, metrics.Options{})
	cache := newCache(t, middleware.WithRecorder(c), middleware.WithTrace(traceOf))
	h := withTrace(cache.Handler(middleware.Policy{Name: "products", TTL: time.Minute})(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			middleware.Tag(r.Context(), "tag:"+r.URL.Path)
			fmt.Fprint(w, r.URL)
		})))
	before := count(t, registry)
	for i := range urls {
		r := httptest.NewRequest("GET", fmt.Sprintf("http://host-%d.example/products/%d?q=%d", i, i, i), nil)
		r.Header.Set("Traceparent", strconv.Itoa(i))
		r.Header.Set("X-Forwarded-Host", strconv.Itoa(i))
		for range 1 + i%2 {
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		if i%100 == 0 {
			if _, err := cache.PurgeTags(t.Context(), "tag:"+r.URL.Path); err != nil {
				t.Fatal(err)
			}
		}
	}
	if after := count(t, registry); after != before {
		t.Errorf("%d series after %d URLs, %d before", after, urls, before)
	}
	got := samples(t, registry, "reprise_requests_total")
	misses, hits := got["miss products"].value, got["hit products"].value
	if misses < float64(urls) || hits == 0 || misses+hits != float64(urls+urls/2) { // some are dropped at once, for others
		t.Errorf("%v misses and %v hits of %d URLs", misses, hits, urls)
	}
}

// count returns how many series there are.
func count(t *testing.T, g prometheus.Gatherer) int {
	t.Helper()
	n, err := testutil.GatherAndCount(g)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
