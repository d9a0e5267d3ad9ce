package observability

import (
	"fmt"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// gauges returns the values of a gauge, by the value of its label condition, or "".
func gauges(t *testing.T, g client.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]float64)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			condition := ""
			for _, l := range m.GetLabel() {
				if l.GetName() == "condition" {
					condition = l.GetValue()
				}
			}
			found[condition] = m.GetGauge().GetValue()
		}
	}
	return found
}

// TestPurgeLagOfAFrozenLink scrapes a program whose link to Redis freezes. Its
// connection is not closed, and nothing tells it of purges.
func TestPurgeLagOfAFrozenLink(t *testing.T) {
	link := redistest.NewLink(t, redistest.Process(t).Addr())
	collector, err := metrics.New(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	registry := client.NewPedanticRegistry()
	registry.MustRegister(collector)
	const trust = 200 * time.Millisecond
	st, err := redisstore.New(redisstore.Options{Addrs: []string{link.Addr()}, Namespace: "lag", Trust: trust, Recorder: collector})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	collector.Watch("pages", st)
	lag := func() float64 { return gauges(t, registry, "reprise_store_purge_lag_seconds")[""] }
	up := func() bool { return gauges(t, registry, "reprise_store_up")[""] == 1 }
	untrusted := func() bool {
		return gauges(t, registry, "reprise_store_condition")[store.LocalUntrusted] == 1
	}
	well := func() bool { got := lag(); return got > 0 && got < trust.Seconds() && up() && !untrusted() }
	redistest.Eventually(t, 5*time.Second, "it is connected", up)
	slot := store.Slot{Key: "k"}
	fill(t, st, slot)
	kept(t, st, slot)
	redistest.Eventually(t, 5*time.Second, "it has heard of all purges", well)
	link.Shut(redistest.Down) // not for long: toxiproxy takes 5 s to be rid of each connection that was given up meanwhile
	redistest.Eventually(t, 5*time.Second, "what is kept is not trusted", untrusted)
	for _, seconds := range []float64{0.25, 0.5, 0.75} {
		redistest.Eventually(t, 5*time.Second, fmt.Sprintf("a lag of %v s", seconds), func() bool { return lag() > seconds })
	}
	if up() {
		t.Error("the store is up")
	}
	link.Open(redistest.Down)
	kept(t, st, slot) // by a new connection, if the old one was given up
	redistest.Eventually(t, 5*time.Second, "it has heard of all purges again", well)
}

func fill(t *testing.T, st *redisstore.Store, slot store.Slot) {
	t.Helper()
	l, err := st.Acquire(t.Context(), store.Claim{Slot: slot, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(t.Context(), store.Entry{Body: []byte("v"), Life: time.Hour}); err != nil {
		t.Fatal(err)
	}
}

// kept reads slot until it is kept in this process.
func kept(t *testing.T, st *redisstore.Store, slot store.Slot) {
	t.Helper()
	redistest.Eventually(t, 5*time.Second, "kept in this process", func() bool {
		_, err := st.Get(t.Context(), slot.Key)
		return err == nil && st.Local(slot)
	})
}
