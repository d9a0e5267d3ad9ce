package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// fillErrors returns an error of every kind that fills tell apart.
func fillErrors() []error {
	return []error{
		store.ErrOvertaken, swr.ErrPanicked, &swr.PanicError{Value: "boom"},
		context.DeadlineExceeded, context.Canceled, swr.ErrClosed, errDown,
	}
}

func TestFills(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{Buckets: []float64{0.1}})
	p := c.Policy("products")
	p.Flying(1)
	p.Filled("k", 50*time.Millisecond, false, nil)
	p.Flying(-1)
	p.Flying(1)
	p.Filled("k", 150*time.Millisecond, true, nil)
	p.Filled("k", 0, true, fmt.Errorf("refresh: %w", &swr.PanicError{Value: "boom"}))
	for _, err := range fillErrors() {
		p.Filled("k", time.Second, false, fmt.Errorf("of a fill: %w", err))
	}
	p.StoreFailed("commit", errDown)
	p.StoreFailed("commit", errDown)
	p.StoreFailed("get", errDown)

	expect(t, registry, `
# HELP reprise_fills_total Runs of a handler or loader that the cache made, for a caller (foreground) or as a refresh behind one (background), by how they ended.
# TYPE reprise_fills_total counter
reprise_fills_total{kind="background",policy="products",result="canceled"} 0
reprise_fills_total{kind="background",policy="products",result="error"} 0
reprise_fills_total{kind="background",policy="products",result="ok"} 1
reprise_fills_total{kind="background",policy="products",result="overtaken"} 0
reprise_fills_total{kind="background",policy="products",result="panic"} 1
reprise_fills_total{kind="background",policy="products",result="timeout"} 0
reprise_fills_total{kind="foreground",policy="products",result="canceled"} 2
reprise_fills_total{kind="foreground",policy="products",result="error"} 1
reprise_fills_total{kind="foreground",policy="products",result="ok"} 1
reprise_fills_total{kind="foreground",policy="products",result="overtaken"} 1
reprise_fills_total{kind="foreground",policy="products",result="panic"} 2
reprise_fills_total{kind="foreground",policy="products",result="timeout"} 1
# HELP reprise_flights Fills under way that other callers may wait for.
# TYPE reprise_flights gauge
reprise_flights{policy="products"} 1
# HELP reprise_store_failures_total Times the engine found that the store had failed, and went on without it.
# TYPE reprise_store_failures_total counter
reprise_store_failures_total{op="acquire",policy="products"} 0
reprise_store_failures_total{op="commit",policy="products"} 2
reprise_store_failures_total{op="get",policy="products"} 1
reprise_store_failures_total{op="release",policy="products"} 0
reprise_store_failures_total{op="wait",policy="products"} 0
`, "reprise_fills_total", "reprise_flights", "reprise_store_failures_total")
	expectDurations(t, registry, "reprise_fill_duration_seconds", map[string]sample{
		"foreground products": {count: 8, sum: 7.05},
		"background products": {count: 1, sum: 0.15}, // nobody times a refresh that panics
	})
}

// A value is the source of the simplest Group: nothing is stored, and its fill
// fails when it is told to.
type value struct {
	begun, end chan struct{}
	err        error
}

func (value) Lookup(context.Context) (string, error) { return "", store.ErrNotFound }
func (value) State(string) swr.State                 { return swr.Absent }
func (value) Claim() store.Claim                     { return store.Claim{Slot: store.Slot{Key: "k"}} }

func (v value) Fill(context.Context, *swr.Run, string) (swr.Made[string], error) {
	close(v.begun)
	<-v.end
	return swr.Made[string]{}, v.err
}

func (v value) Detach(ctx context.Context) (context.Context, swr.Source[string]) {
	return context.WithoutCancel(ctx), v
}

// The Requests of a policy are the Observer of any Group, so a cache of values
// other than responses has the same metrics.
func TestObservesAGroup(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	group := swr.NewGroup[string](swr.Options{Observe: c.Policy("users")})
	src := value{make(chan struct{}), make(chan struct{}), errDown}
	done := make(chan error)
	go func() {
		_, _, err := group.Load(t.Context(), src)
		done <- err
	}()

	<-src.begun
	if s := samples(t, registry, "reprise_flights")["users"]; s.value != 1 {
		t.Errorf("%v flights during a fill, want 1", s.value)
	}
	close(src.end)
	if err := <-done; !errors.Is(err, errDown) {
		t.Errorf("Load: %v", err)
	}
	if s := samples(t, registry, "reprise_flights")["users"]; s.value != 0 {
		t.Errorf("%v flights after the fill, want 0", s.value)
	}
	if s := samples(t, registry, "reprise_fills_total")["foreground users error"]; s.value != 1 {
		t.Errorf("%v fills, want 1", s.value)
	}
}
