package metrics_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/store"
)

// pinger is a store that tells how it is.
type pinger struct {
	size
	ping func(context.Context) (store.Health, error)
}

func (p pinger) Ping(ctx context.Context) (store.Health, error) { return p.ping(ctx) }

// says is a pinger that always says the same.
func says(h store.Health, err error) pinger {
	return pinger{ping: func(context.Context) (store.Health, error) { return h, err }}
}

var healthFamilies = []string{
	"reprise_store_up", "reprise_store_ping_seconds", "reprise_store_purge_lag_seconds", "reprise_store_condition",
}

func TestHealthOfStores(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	c.Watch("sizer", size{})
	expect(t, registry, "", healthFamilies...) // it cannot tell

	c.Watch("pages", says(store.Health{Latency: time.Millisecond, Lag: 250 * time.Millisecond}, nil))
	c.Watch("users", says(store.Health{
		Degraded: store.NotAnswering + ", " + store.BreakerOpen + ", on fire", Lag: time.Minute,
	}, errDown))
	expect(t, registry, `
# HELP reprise_store_up Whether the store could be reached when it was scraped; without it handlers answer.
# TYPE reprise_store_up gauge
reprise_store_up{store="pages"} 1
reprise_store_up{store="users"} 0
# HELP reprise_store_ping_seconds How long the slowest node of the store took to answer when it was scraped; 0: no node was asked, or none answered.
# TYPE reprise_store_ping_seconds gauge
reprise_store_ping_seconds{store="pages"} 0.001
reprise_store_ping_seconds{store="users"} 0
# HELP reprise_store_purge_lag_seconds How old the newest proof is that this process has heard of every purge.
# TYPE reprise_store_purge_lag_seconds gauge
reprise_store_purge_lag_seconds{store="pages"} 0.25
reprise_store_purge_lag_seconds{store="users"} 60
# HELP reprise_store_condition Whether the store is in this condition, which it should not be in.
# TYPE reprise_store_condition gauge
reprise_store_condition{condition="breaker open",store="pages"} 0
reprise_store_condition{condition="local tier not trusted",store="pages"} 0
reprise_store_condition{condition="no tracking",store="pages"} 0
reprise_store_condition{condition="not answering",store="pages"} 0
reprise_store_condition{condition="not connected",store="pages"} 0
reprise_store_condition{condition="other",store="pages"} 0
reprise_store_condition{condition="partly away",store="pages"} 0
reprise_store_condition{condition="refusing",store="pages"} 0
reprise_store_condition{condition="breaker open",store="users"} 1
reprise_store_condition{condition="local tier not trusted",store="users"} 0
reprise_store_condition{condition="no tracking",store="users"} 0
reprise_store_condition{condition="not answering",store="users"} 1
reprise_store_condition{condition="not connected",store="users"} 0
reprise_store_condition{condition="other",store="users"} 1
reprise_store_condition{condition="partly away",store="users"} 0
reprise_store_condition{condition="refusing",store="users"} 0
`, healthFamilies...)

	c.Watch("pages", nil)
	c.Watch("users", nil)
	expect(t, registry, "", healthFamilies...)
}

// scrape returns whether store="pages" is up and not answering, and how long that took.
func scrape(t *testing.T, g prometheus.Gatherer) (up, silent bool, took time.Duration) {
	t.Helper()
	began := time.Now()
	up = samples(t, g, "reprise_store_up")["pages"].value == 1
	took = time.Since(began)
	silent = samples(t, g, "reprise_store_condition")[store.NotAnswering+" pages"].value == 1
	return up, silent, took
}

// A store that answers no ping, and does not look at its context, holds up no scrape
// for longer than half a second, and has one ping under way.
func TestAPingThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, registry := newCollector(t, metrics.Options{})
		var pings atomic.Int64
		release := make(chan struct{})
		c.Watch("pages", pinger{ping: func(context.Context) (store.Health, error) {
			pings.Add(1)
			<-release
			return store.Health{}, nil
		}})
		var scrapes sync.WaitGroup
		for range 4 {
			scrapes.Go(func() {
				if up, silent, took := scrape(t, registry); up || !silent || took != 500*time.Millisecond {
					t.Errorf("up %v, not answering %v, after %v", up, silent, took)
				}
			})
		}
		scrapes.Wait()
		if n := pings.Load(); n != 1 {
			t.Errorf("%d pings", n)
		}
		close(release)
		synctest.Wait()
		if up, silent, took := scrape(t, registry); !up || silent || took != 0 {
			t.Errorf("answering again: up %v, not answering %v, after %v", up, silent, took)
		}
	})
}

// A ping has a deadline before the scrape's, so that what it says of it is shown.
func TestAPingHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, registry := newCollector(t, metrics.Options{})
		c.Watch("pages", pinger{ping: func(ctx context.Context) (store.Health, error) {
			<-ctx.Done()
			return store.Health{Degraded: store.NotConnected, Lag: time.Second}, errors.New("no route")
		}})
		began := time.Now()
		if got := samples(t, registry, "reprise_store_purge_lag_seconds")["pages"].value; got != 1 {
			t.Errorf("lag %v: the store's own word is lost", got)
		}
		if took := time.Since(began); took >= 500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

// Stores are asked side by side: ten that hang take no longer than one.
func TestScrapeOfManyStoresThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, registry := newCollector(t, metrics.Options{})
		for i := range 10 {
			c.Watch(string(rune('a'+i)), pinger{ping: func(ctx context.Context) (store.Health, error) {
				<-ctx.Done()
				return store.Health{}, ctx.Err()
			}})
		}
		began := time.Now()
		if got := samples(t, registry, "reprise_store_up"); len(got) != 10 {
			t.Errorf("%v", got)
		}
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}
