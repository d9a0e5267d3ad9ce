package metrics_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/swr"
)

// A Collector shows of a data cache what that counts itself.
func TestCachesAreCounted(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := swr.NewCache(st, swr.Config[int]{
		Name: "numbers", Windows: swr.Windows{Fresh: time.Minute}, Recorder: c,
		Validate: func(n int) error {
			if n < 0 {
				return errors.New("negative")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{7, 7, 7, -1} {
		_, _ = cache.GetOrSet(t.Context(), map[bool]string{true: "a", false: "b"}[n > 0], func(context.Context) (int, error) { return n, nil })
	}
	_, _ = cache.Get(t.Context(), "c")
	_, _ = cache.GetOrSet(t.Context(), "", func(context.Context) (int, error) { return 0, nil })
	expect(t, registry, `
# HELP reprise_cache_calls_total Calls of a data cache, by where the value came from. One for many keys counts once per key.
# TYPE reprise_cache_calls_total counter
reprise_cache_calls_total{cache="numbers",outcome="bypass"} 1
reprise_cache_calls_total{cache="numbers",outcome="collapsed"} 0
reprise_cache_calls_total{cache="numbers",outcome="hit"} 2
reprise_cache_calls_total{cache="numbers",outcome="miss"} 3
reprise_cache_calls_total{cache="numbers",outcome="rescued"} 0
reprise_cache_calls_total{cache="numbers",outcome="revalidated"} 0
reprise_cache_calls_total{cache="numbers",outcome="stale"} 0
# HELP reprise_cache_errors_total Calls of a data cache that brought an error, a miss and a value that does not exist left out.
# TYPE reprise_cache_errors_total counter
reprise_cache_errors_total{cache="numbers"} 1
# HELP reprise_cache_refused_total Values of a data cache that were not used or not stored, by why.
# TYPE reprise_cache_refused_total counter
reprise_cache_refused_total{cache="numbers",reason="decode"} 0
reprise_cache_refused_total{cache="numbers",reason="encode"} 0
reprise_cache_refused_total{cache="numbers",reason="foreign"} 0
reprise_cache_refused_total{cache="numbers",reason="invalid"} 1
reprise_cache_refused_total{cache="numbers",reason="schema"} 0
reprise_cache_refused_total{cache="numbers",reason="size"} 0
reprise_cache_refused_total{cache="numbers",reason="tags"} 0
`, "reprise_cache_calls_total", "reprise_cache_errors_total", "reprise_cache_refused_total")
	fills := samples(t, registry, "reprise_fills_total")
	if fills["foreground numbers ok"].value != 1 || fills["foreground numbers error"].value != 1 {
		t.Errorf("%v", fills)
	}
}
