package faults

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
)

// 10,000 keys (2,500 under the race detector) are stale at the same moment, and clients ask for all of them.
// Everybody is served at once; behind them no more refreshes run than there are
// workers, until all keys are fresh. Half of the clients show credentials: they
// have no pool of their own.
func Test10kKeysExpireTogether(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		const keys, pool, clients = 10_000 / handlerShare, 32, 4
		row := "10k keys expire, " + b.name
		var fills, running, most, refreshes atomic.Int64
		var expired atomic.Bool
		cache := handlerCache(t, b.store(t), reprise.WithRefreshWorkers(pool))
		h := cache.Handler(reprise.Policy{Name: "page", Key: handlerPathKey})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=600")
			if !expired.Load() {
				fills.Add(1)
				w.Header().Set("Cache-Control", "public, max-age=0, stale-while-revalidate=600")
			} else {
				refreshes.Add(1)
				now := running.Add(1)
				defer running.Add(-1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				time.Sleep(2 * time.Millisecond) // the work
			}
			fmt.Fprint(w, handlerPage)
		}))
		ask := func(i int) (xCache string, took time.Duration) {
			var fields http.Header
			if i%2 == 0 && expired.Load() {
				fields = http.Header{"Authorization": {"Basic eDp5"}}
			}
			began := time.Now()
			return handlerAsk(t, h, fmt.Sprintf("/%d", i), fields), time.Since(began)
		}
		handlerTogether(clients, keys, func(i int) []struct{} { ask(i); return nil })
		expired.Store(true)

		var stale, missed atomic.Int64
		var mu sync.Mutex
		var took []time.Duration
		pass := func() (fresh int) {
			return len(handlerTogether(clients, keys, func(i int) []int {
				x, d := ask(i)
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
				switch x {
				case "HIT":
					return []int{i}
				case "STALE":
					stale.Add(1)
				default:
					missed.Add(1)
				}
				return nil
			}))
		}
		redistest.Eventually(t, 2*handlerLimit, "all keys are fresh again", func() bool { return pass() == keys })
		figures.AtMost(t, row, "refreshes at the same time", most.Load(), pool)
		figures.AtLeast(t, row, "of them, so that they run in parallel", most.Load(), 2)
		figures.AtMost(t, row, "refreshes a key", float64(refreshes.Load())/keys, 1.05)
		figures.Exactly(t, row, "requests that waited for a handler", missed.Load(), 0)
		figures.Note(t, row, "stale answers meanwhile", stale.Load())
		figures.Note(t, row, "time to an answer meanwhile, p99", handlerPercentile(took, 99).Round(10*time.Microsecond))
	})
}

// All that is stored goes, under load at 4 instances. Each key is filled again
// once for them all.
func TestFLUSHALLWithFourInstances(t *testing.T) {
	const keys, instances, flushes = 400, 4, 3
	redis := redistest.Process(t) // its data are nobody else's
	b := &handlerBackend{name: "redis", redis: redis.Addr()}
	b.fresh(t)
	var runs [keys]atomic.Int64
	var all atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var key int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &key)
		runs[key].Add(1)
		all.Add(1)
		time.Sleep(2 * time.Millisecond) // the work
		fmt.Fprint(w, handlerPage)
	})
	var ask [instances]func(key int)
	for i := range ask {
		cache := handlerCache(t, b.store(t))
		h := cache.Handler(reprise.Policy{Name: "page", TTL: time.Hour, Key: handlerPathKey})(handler)
		ask[i] = func(key int) { handlerAsk(t, h, fmt.Sprintf("/%d", key), nil) }
	}

	var passes [instances]atomic.Int64 // over all keys, begun at different ones
	end := make(chan struct{})
	var load sync.WaitGroup
	for i := range ask {
		for worker := range 4 {
			load.Go(func() {
				for n := (i*4 + worker) * keys / 16; ; n++ {
					select {
					case <-end:
						return
					default:
					}
					ask[i](n % keys)
					if worker == 0 && n%keys == 0 {
						passes[i].Add(1)
					}
				}
			})
		}
	}
	defer load.Wait()
	defer close(end)
	around := func() { // all instances have asked for all keys, twice
		var from [instances]int64
		for i := range from {
			from[i] = passes[i].Load()
		}
		redistest.Eventually(t, 2*handlerLimit, "all keys are asked for everywhere", func() bool {
			for i := range from {
				if passes[i].Load() < from[i]+2 {
					return false
				}
			}
			return true
		})
	}
	around()
	figures.AtMost(t, "FLUSHALL, 4 instances", "handler runs a key, cold", float64(all.Load())/keys, 1.05)
	for flush := range flushes {
		before := all.Load()
		redis.Do("FLUSHALL")
		around()
		figures.AtMost(t, "FLUSHALL, 4 instances", fmt.Sprintf("handler runs a key, flush %d", flush+1), float64(all.Load()-before)/keys, 1.05)
	}
}
