package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// openMetrics returns what a server that asks for OpenMetrics gets: exemplars are not
// in the older format.
func openMetrics(registry *prometheus.Registry) string {
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
	return w.Body.String()
}

// bucket returns the line of policy products' misses up to a second.
func bucket(page string) string {
	const series = `reprise_request_duration_seconds_bucket{outcome="miss",policy="products",le="1.0"} `
	_, after, _ := strings.Cut(page, series)
	line, _, _ := strings.Cut(after, "\n")
	return line
}

func TestExemplars(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for name, test := range map[string]struct {
		trace string
		want  bool
	}{
		"a trace":       {id, true},
		"the longest":   {strings.Repeat("é", 120), true},
		"one too long":  {strings.Repeat("é", 121), false},
		"a megabyte":    {strings.Repeat("x", 1<<20), false},
		"not UTF-8":     {"\xff", false},
		"quotes":        {`a"b\c`, true},
		"a line's end":  {"a\nb", true},
		"half a letter": {"é"[:1], false},
	} {
		t.Run(name, func(t *testing.T) {
			c, registry := newCollector(t, metrics.Options{})
			traced := c.Policy("products").(middleware.TracedRequests)
			traced.RequestOf(test.trace, swr.Miss, middleware.ReasonURI, 700*time.Millisecond)
			want := "1"
			if test.want {
				want += ` # {trace_id="` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(test.trace) + `"} 0.7 `
			}
			got := bucket(openMetrics(registry))
			if !strings.HasPrefix(got, want) || !test.want && got != want {
				t.Errorf("got %.200q, want %.200q", got, want)
			}
			if s := samples(t, registry, "reprise_requests_total")["miss products"]; s.value != 1 {
				t.Errorf("%v requests", s.value)
			}
			if s := samples(t, registry, "reprise_request_reasons_total")["products uri-miss"]; s.value != 1 {
				t.Errorf("%v reasons", s.value)
			}
		})
	}
}

// From a request's context to what Prometheus scrapes.
func TestExemplarsOfRequests(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	cache := newCache(t, middleware.WithRecorder(c), middleware.WithTrace(traceOf))
	h := withTrace(cache.Handler(middleware.Policy{Name: "products", TTL: time.Minute})(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Traceparent", "trace-of-the-miss")
	h.ServeHTTP(httptest.NewRecorder(), r)
	page := openMetrics(registry)
	if !strings.Contains(page, `# {trace_id="trace-of-the-miss"} `) {
		t.Error("the miss has no exemplar")
	}
	if n := strings.Count(page, "trace-of-the-miss"); n != 1 {
		t.Errorf("%d series or exemplars name the trace", n)
	}
}
