package metrics_test

import (
	"slices"
	"testing"
	"time"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// Counts are what a scrape has: of each policy once, however often it was asked for.
func TestCounts(t *testing.T) {
	c, _ := newCollector(t, metrics.Options{})
	if got := c.Counts(); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
	products := c.Policy("products")
	c.Policy("articles").Request(swr.Bypass, middleware.ReasonMethod, time.Second)
	for range 31 {
		products.Request(swr.Hit, middleware.ReasonNone, 0)
	}
	products.Request(swr.Hit, middleware.ReasonNone, 20*time.Microsecond)
	products.Request(swr.Miss, middleware.ReasonURI, 250*time.Millisecond)
	c.Policy("products").Request(swr.Miss, middleware.ReasonURI, 750*time.Millisecond) // a second cache

	articles := middleware.PolicyCounts{Policy: "articles"}
	articles.Requests[swr.Bypass], articles.Timed[swr.Bypass], articles.Took[swr.Bypass] = 1, 1, time.Second
	both := middleware.PolicyCounts{Policy: "products"}
	both.Requests[swr.Hit], both.Timed[swr.Hit], both.Took[swr.Hit] = 32, 1, 20*time.Microsecond
	both.Requests[swr.Miss], both.Timed[swr.Miss], both.Took[swr.Miss] = 2, 2, time.Second
	got := c.Counts()
	for i := range got {
		for o := range got[i].Took {
			got[i].Took[o] = got[i].Took[o].Round(time.Nanosecond * 10) // seconds, as floating point
		}
	}
	if want := []middleware.PolicyCounts{articles, both}; !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}
