package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
)

var handlerPanics = []struct {
	name  string
	value any
}{{"panic", "no"}, {"ErrAbortHandler", http.ErrAbortHandler}}

// handlerFreeBar is how soon after a panic the key is free.
const handlerFreeBar = 50 * time.Millisecond

const handlerPage = "whole page"

// A handler panics once, in the middle of its page, while 100 others wait for
// it, at two instances. They look again: one of them leads the next run.
func TestPanicWith100Waiters(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		for _, p := range handlerPanics {
			t.Run(p.name, func(t *testing.T) { handlerPanicsOnce(t, b, p.name+", "+b.name, p.value) })
		}
	})
}

func handlerPanicsOnce(t *testing.T, b *handlerBackend, row string, value any) {
	const waiters, rounds = 100, 5
	var runs atomic.Int64
	var panicked, again time.Time
	ready := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if runs.Add(1) > 1 {
			again = time.Now()
			fmt.Fprint(w, handlerPage)
			return
		}
		<-ready
		fmt.Fprint(w, handlerPage[:5])
		panicked = time.Now()
		panic(value)
	})
	var servers [2]*httptest.Server
	for i := range servers {
		cache := handlerCache(t, b.store(t))
		servers[i] = handlerServer(t, cache.Handler(reprise.Policy{Name: "page", TTL: time.Minute})(handler))
	}
	client := handlerClient(t)

	var most int64
	gaps := make([]time.Duration, 0, rounds)
	for round := range rounds {
		runs.Store(0)
		path := fmt.Sprintf("/%s/%d", strings.ReplaceAll(row, " ", ""), round)
		var cut, whole atomic.Int64
		var all sync.WaitGroup
		for i := range waiters + 1 {
			all.Go(func() {
				switch a := handlerGet(client, servers[i%2], path); {
				case a.err != nil:
					cut.Add(1)
				case a.status == http.StatusOK && string(a.body) == handlerPage:
					whole.Add(1)
				default:
					t.Errorf("got %d %q", a.status, a.body)
				}
			})
		}
		handlerAwait(t, waiters-1) // the first one at the other instance waits for the lease
		ready <- struct{}{}
		all.Wait()
		if cut.Load() != 1 || whole.Load() != waiters {
			t.Errorf("round %d: %d clients were cut off and %d got the page", round, cut.Load(), whole.Load())
		}
		most = max(most, runs.Load())
		gaps = append(gaps, again.Sub(panicked))
	}
	figures.AtMost(t, row, "handler runs, 100 waiters", most, 3)
	handlerInTime(t, row, "next run after the panic, median", handlerFreeBar, func(int) time.Duration { return handlerPercentile(gaps, 50) })
}

// The lease of a fill that panicked is free at once: on Redis, another instance
// can have it.
func TestPanicFreesTheLease(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		other := b.store(t)
		for _, p := range handlerPanics {
			t.Run(p.name, func(t *testing.T) {
				panicked := make(chan time.Time, 1)
				held := make(chan struct{})
				cache := handlerCache(t, b.store(t))
				policy := reprise.Policy{Name: "page", TTL: time.Minute, Key: handlerPathKey}
				server := handlerServer(t, cache.Handler(policy)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					<-held
					panicked <- time.Now()
					panic(p.value)
				})))
				client := handlerClient(t)
				handlerInTime(t, p.name+", "+b.name, "lease free after the panic", handlerFreeBar, func(round int) time.Duration {
					key := fmt.Sprintf("/lease/%s/%d", p.name, round)
					done := make(chan handlerReply)
					go func() { done <- handlerGet(client, server, key) }()
					acquire := func() bool { return handlerAcquires(t, other, key) }
					redistest.Eventually(t, handlerLimit, "the handler runs under its lease", func() bool { return !acquire() })
					held <- struct{}{}
					at := <-panicked
					redistest.Eventually(t, handlerLimit, "the lease is free", acquire)
					took := time.Since(at)
					if a := <-done; a.err == nil {
						t.Errorf("the client got %d %q", a.status, a.body)
					}
					return took
				})
			})
		}
	})
}

// A handler that always panics is asked for each of its 100 clients: nobody
// gets another one's panic. They must not be asked one after another.
func TestPanicForEachOf100Clients(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		const clients, work = 100, 100 * time.Millisecond
		var runs atomic.Int64
		cache := handlerCache(t, b.store(t))
		server := handlerServer(t, cache.Handler(reprise.Policy{Name: "page", TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			runs.Add(1)
			time.Sleep(work)
			panic(http.ErrAbortHandler)
		})))
		client := handlerClient(t)
		row := "always panics, " + b.name
		handlerInTime(t, row, "wall time, handler takes 100ms", 5*work, func(round int) time.Duration {
			runs.Store(0)
			began := time.Now()
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					if a := handlerGet(client, server, fmt.Sprintf("/%d", round)); a.err == nil {
						t.Errorf("a client got %d %q", a.status, a.body)
					}
				})
			}
			all.Wait()
			return time.Since(began)
		})
		figures.Exactly(t, row, "handler runs for 100 clients", runs.Load(), clients)
	})
}
