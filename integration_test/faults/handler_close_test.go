package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
)

// Close comes while 100 refreshes run whose handlers never end by themselves.
// It returns by its deadline, its refreshes are told to end, and their leases are
// free; so they are if the store is closed right behind it, as programs do.
func TestCloseWith100RefreshesRunning(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		row := "close, " + b.name
		t.Run("handlers that heed their context", func(t *testing.T) {
			handlerCloses(t, b, row, false)
		})
		t.Run("handlers that do not", func(t *testing.T) {
			handlerCloses(t, b, row+", deaf handlers", true)
		})
	})
}

func handlerCloses(t *testing.T, b *handlerBackend, row string, deaf bool) {
	const refreshes, deadline = 100, 300 * time.Millisecond
	before := goleak.IgnoreCurrent()
	b.fresh(t)
	st := b.memory
	closeStore := func() error { return nil }
	if b.redis != "" {
		redis := b.open(t)
		st, closeStore = redis, redis.Close
	}
	cache, err := reprise.New(st, reprise.WithRefreshWorkers(refreshes))
	if err != nil {
		t.Fatal(err)
	}
	var running atomic.Int64
	release := make(chan struct{})
	site := handlerRefreshing(cache, func(r *http.Request) {
		running.Add(1)
		defer running.Add(-1)
		if deaf {
			<-release
			return
		}
		select {
		case <-r.Context().Done():
		case <-time.After(handlerLimit):
		}
	})
	server := handlerServer(t, site)
	client := handlerClient(t)
	for _, want := range []string{"MISS", "STALE"} { // the second time they are refreshed
		handlerTogether(8, refreshes, func(i int) []struct{} {
			if a := handlerGet(client, server, fmt.Sprintf("/%d", i)); a.err != nil || a.xCache != want {
				t.Errorf("got %q, %v, want %s", a.xCache, a.err, want)
			}
			return nil
		})
	}
	redistest.Eventually(t, handlerLimit, "100 refreshes run", func() bool { return running.Load() == refreshes })
	if b.redis != "" && b.leases(t) != refreshes {
		t.Errorf("%d leases are held", b.leases(t))
	}

	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	began := time.Now()
	err = cache.Close(ctx)
	took := time.Since(began)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	// On a machine that is busy, the one who waits gets it back later.
	figures.AtMost(t, row, "Close with a deadline of 300ms", took.Round(10*time.Microsecond), deadline+100*time.Millisecond*handlerSlow)
	began = time.Now()
	if err := closeStore(); err != nil {
		t.Error(err)
	}
	if b.redis != "" {
		figures.Exactly(t, row, "leases left when the store is closed", b.leases(t), 0)
	}
	figures.AtMost(t, row, "the store's Close after it", time.Since(began).Round(10*time.Microsecond), time.Second)
	close(release)
	server.Close()
	client.CloseIdleConnections()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	figures.Exactly(t, row, "refreshes left", running.Load(), 0)
}

// handlerRefreshing wraps a handler whose pages are stale at once, and calls
// refresh from the second run of each on.
func handlerRefreshing(cache *reprise.Cache, refresh func(*http.Request)) http.Handler {
	var seen sync.Map
	return cache.Handler(reprise.Policy{Name: "page", Key: handlerPathKey})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, again := seen.LoadOrStore(r.URL.Path, true); again {
			refresh(r)
		}
		w.Header().Set("Cache-Control", "max-age=0, stale-while-revalidate=600")
		fmt.Fprint(w, handlerPage)
	}))
}

// With a store that stays open, others have the leases at once.
func TestCloseFreesLeasesForOthers(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		const refreshes = 100
		other := b.store(t)
		handlerInTime(t, "close, "+b.name, "all leases free for another instance", 50*time.Millisecond, func(round int) time.Duration {
			var running atomic.Int64
			cache, err := reprise.New(b.store(t), reprise.WithRefreshWorkers(refreshes))
			if err != nil {
				t.Fatal(err)
			}
			release := make(chan struct{})
			defer close(release)
			server := handlerServer(t, handlerRefreshing(cache, func(*http.Request) { running.Add(1); <-release }))
			client := handlerClient(t)
			for range 2 {
				handlerTogether(8, refreshes, func(i int) []struct{} {
					handlerGet(client, server, fmt.Sprintf("/%d/%d", round, i))
					return nil
				})
			}
			redistest.Eventually(t, handlerLimit, "100 refreshes run", func() bool { return running.Load() == refreshes })
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			began := time.Now()
			if err := cache.Close(ctx); err == nil {
				t.Error("Close has waited for refreshes that do not end")
			}
			return slices.Max(handlerTogether(8, refreshes, func(i int) []time.Duration {
				key := fmt.Sprintf("/%d/%d", round, i)
				redistest.Eventually(t, handlerLimit, "the lease is free", func() bool { return handlerAcquires(t, other, key) })
				return []time.Duration{time.Since(began)}
			}))
		})
	})
}
