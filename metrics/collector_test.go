package metrics_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// newCollector returns a Collector and the registry it is registered with. A
// pedantic registry checks at each Gather that what is collected was described.
func newCollector(t testing.TB, o metrics.Options) (*metrics.Collector, *prometheus.Registry) {
	t.Helper()
	c, err := metrics.New(o)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	return c, registry
}

// expect compares the whole of the named families with what is exposed.
func expect(t *testing.T, g prometheus.Gatherer, want string, families ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(g, strings.NewReader(want), families...); err != nil {
		t.Error(err)
	}
}

// size is a store.Sizer that always says the same.
type size store.LocalSize

func (s size) LocalSize() store.LocalSize { return store.LocalSize(s) }

// exercise makes c count everything it can, with the values of every enum and
// some that are in none.
func exercise(c *metrics.Collector, policy string, took time.Duration) {
	p := c.Policy(policy)
	for o := range swr.NumOutcomes + 2 {
		for why := range middleware.NumReasons + 2 {
			p.Request(o, why, took)
		}
	}
	for _, behind := range []bool{false, true} {
		for _, err := range append(fillErrors(), nil) {
			p.Filled("key", took, behind, err)
		}
	}
	for _, op := range append(words("op"), "get", "acquire", "wait", "commit", "release", "renew", "purge") {
		p.StoreFailed(op, errDown)
		for _, result := range append(words("result"), "ok", "miss", "held", "changed", "full", "overtaken", "timeout", "error", "oom", "readonly", "loading", "noauth", "wrongtype") {
			c.StoreOp(op, result, took)
		}
	}
	for _, kind := range append(words("kind"), "key", "tag", "match", "all") {
		for _, soft := range []bool{false, true} {
			c.Purged(kind, soft, nil)
			c.Purged(kind, soft, errDown)
		}
	}
	data := c.Cache(policy)
	for o := range swr.NumOutcomes + 2 {
		data.Called(o, false, took)
		data.Called(o, true, took)
	}
	for _, why := range append(words("why"), "foreign", "schema", "decode", "invalid", "encode", "size", "tags") {
		data.Refused(why)
	}
	c.Watch("pages", size{Bytes: 1, Budget: 2, Entries: 3, Evictions: 4})
	c.Watch("shared", says(store.Health{Degraded: store.BreakerOpen + ", " + strings.Join(words("condition"), ", ")}, errDown))
}

// words returns values that are in no enum.
func words(prefix string) []string {
	return []string{"", prefix + "-1", prefix + "-2", "/a/path?q=\xff"}
}

var errDown = errors.New("store is down")

func TestLintIsClean(t *testing.T) {
	c, _ := newCollector(t, metrics.Options{})
	exercise(c, "products", time.Millisecond)
	problems, err := testutil.CollectAndLint(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestCollectsWhatItDescribes(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	exercise(c, "products", time.Millisecond)
	exercise(c, "not \xff UTF-8", time.Millisecond)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(families), len(described(c)); got != want {
		t.Errorf("%d metrics collected, %d described", got, want)
	}
}

// A label made of anything a request brings would be seen here as growth.
func TestSeriesCountIsConstant(t *testing.T) {
	calls := 1_000_000
	if testing.Short() {
		calls = 10_000
	}
	c, registry := newCollector(t, metrics.Options{})
	exercise(c, "products", time.Millisecond)
	before, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}

	p := c.Policy("products")
	for i := range calls {
		key := fmt.Sprintf("/products/%d", i)
		p.Request(swr.Outcome(i), middleware.Reason(i), time.Duration(i))
		p.Filled(key, time.Duration(i), i%2 == 0, errors.New(key))
		p.StoreFailed(key, errors.New(key))
		c.StoreOp(key, key, time.Duration(i))
		c.Purged(key, i%2 == 0, nil)
	}
	after, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("%d series after %d distinct calls, %d before", after, calls, before)
	}
}

// rate() counts from the second sample of a series on: one that appears with
// its first event loses that event.
func TestSeriesExistFromTheStart(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	p := c.Policy("products")
	c.Watch("pages", size{})
	before, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}

	for o := range swr.NumOutcomes {
		for why := range middleware.NumReasons {
			p.Request(o, why, time.Millisecond)
		}
	}
	for _, behind := range []bool{false, true} {
		for _, err := range append(fillErrors(), nil) {
			p.Filled("key", time.Millisecond, behind, err)
		}
	}
	for _, op := range []string{"get", "acquire", "wait", "commit", "release"} {
		p.StoreFailed(op, errDown)
	}
	for _, op := range []string{"get", "acquire", "commit", "release", "renew", "wait", "purge"} {
		c.StoreOp(op, "ok", time.Millisecond)
		c.StoreOp(op, "error", time.Millisecond)
	}
	for _, kind := range []string{"key", "tag", "match", "all"} {
		for _, soft := range []bool{false, true} {
			c.Purged(kind, soft, nil)
			c.Purged(kind, soft, errDown)
		}
	}
	after, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("%d series after the first events, %d before", after, before)
	}
}

func TestTwoCollectorsInOneRegistry(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	for i, app := range []string{"shop", "blog"} {
		c, err := metrics.New(metrics.Options{ConstLabels: prometheus.Labels{"app": app}})
		if err != nil {
			t.Fatal(err)
		}
		registry.MustRegister(c)
		c.Watch("pages", size{Bytes: int64(i + 1), Budget: 10})
		c.Policy("all").Flying(i + 1)
	}
	expect(t, registry, `
# HELP reprise_flights Fills under way that other callers may wait for.
# TYPE reprise_flights gauge
reprise_flights{app="blog",policy="all"} 2
reprise_flights{app="shop",policy="all"} 1
# HELP reprise_local_bytes Estimated memory of what the store keeps in this process, with overhead.
# TYPE reprise_local_bytes gauge
reprise_local_bytes{app="blog",store="pages"} 2
reprise_local_bytes{app="shop",store="pages"} 1
`, "reprise_flights", "reprise_local_bytes")
}

func TestConcurrentUse(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	const goroutines, rounds = 8, 20
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range rounds {
				exercise(c, "products", time.Millisecond)
				c.Policy("products").Flying(1)
				if _, err := registry.Gather(); err != nil {
					t.Error(err)
					return
				}
				c.Policy("products").Flying(-1)
			}
		})
	}
	wg.Wait()

	const each = goroutines * rounds
	expect(t, registry, fmt.Sprintf(`
# HELP reprise_flights Fills under way that other callers may wait for.
# TYPE reprise_flights gauge
reprise_flights{policy="products"} 0
# HELP reprise_store_failures_total Times the engine found that the store had failed, and went on without it.
# TYPE reprise_store_failures_total counter
reprise_store_failures_total{op="acquire",policy="products"} %[1]d
reprise_store_failures_total{op="commit",policy="products"} %[1]d
reprise_store_failures_total{op="get",policy="products"} %[1]d
reprise_store_failures_total{op="other",policy="products"} %[2]d
reprise_store_failures_total{op="release",policy="products"} %[1]d
reprise_store_failures_total{op="wait",policy="products"} %[1]d
`, each, 6*each), "reprise_flights", "reprise_store_failures_total")
}

func TestOptionErrors(t *testing.T) {
	_, err := metrics.New(metrics.Options{
		ConstLabels: prometheus.Labels{
			"":        "x",
			"9lives":  "x",
			"a-b":     "x",
			"__name":  "x",
			"policy":  "x",
			"le":      "x",
			"app":     "not UTF-8: \xff",
			"env":     "fine",
			"_zone_9": "",
		},
		Buckets: []float64{0, 0.1, 0.1, math.Inf(1)},
	})
	want := []string{
		`metrics: ConstLabels = : not a label name`,
		`metrics: ConstLabels = 9lives: not a label name`,
		`metrics: ConstLabels = __name: not a label name`,
		`metrics: ConstLabels = a-b: not a label name`,
		`metrics: ConstLabels = app: value is not UTF-8`,
		`metrics: ConstLabels = le: a label of reprise's own`,
		`metrics: ConstLabels = policy: a label of reprise's own`,
		`metrics: Buckets[0] = 0: not a positive, finite number of seconds`,
		`metrics: Buckets[2] = 0.1: not more than the one before`,
		`metrics: Buckets[3] = +Inf: not a positive, finite number of seconds`,
	}
	if err == nil {
		t.Fatal("no error")
	}
	if got := err.Error(); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	var option *metrics.OptionError
	if !errors.As(err, &option) {
		t.Errorf("%T is not an *OptionError", err)
	}
	if _, err := metrics.New(metrics.Options{Buckets: []float64{math.NaN()}}); err == nil {
		t.Error("NaN is a bucket")
	}
}
