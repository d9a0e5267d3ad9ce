package redisstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// A source of truth: one number per key, with what each instance has promised
// about it.
type truth struct {
	version atomic.Int64
	floor   [3]atomic.Int64 // by instance: the greatest version whose purge has returned there

	mu     sync.Mutex
	purges []purgeDone
}

type purgeDone struct {
	version int64
	at      time.Time
}

// older returns the greatest version that was purged, anywhere, before at.
func (tr *truth) older(at time.Time) (v int64) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, p := range tr.purges {
		if p.at.Before(at) {
			v = max(v, p.version)
		}
	}
	return v
}

// TestNothingPurgedComesBack runs readers, fills and purges of every kind on
// three instances. A read that begins after a purge returned in its own process
// must not get what was there before, in another process after 250 ms.
func TestNothingPurgedComesBack(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second}
	instances := []*Store{open(t, o), open(t, o), open(t, o)}
	truths := make([]*truth, 4)
	for k := range truths {
		truths[k] = &truth{}
		truths[k].version.Store(1)
	}
	var stop atomic.Bool
	var reads, hits, overtaken, purges atomic.Int64
	var wg sync.WaitGroup
	for r := range 12 {
		wg.Go(func() {
			i := r % len(instances)
			for !stop.Load() {
				k := rand.IntN(len(truths))
				tr := truths[k]
				here, begun := tr.floor[i].Load(), time.Now()
				everywhere := tr.older(begun.Add(-250*time.Millisecond - slack))
				got, made, err := readOrFill(instances[i], k, tr)
				if errors.Is(err, store.ErrOvertaken) {
					overtaken.Add(1)
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if reads.Add(1); !made {
					hits.Add(1)
				}
				if got < here || got < everywhere {
					t.Errorf("key %d: read %d; purged here up to %d, elsewhere long ago up to %d", k, got, here, everywhere)
				}
			}
		})
	}
	for w := range len(instances) {
		wg.Go(func() {
			for !stop.Load() {
				k := rand.IntN(len(truths))
				v := truths[k].version.Add(1)
				key := store.Purge{Keys: []string{fmt.Sprint("key", k)}}
				tag := store.Purge{Tags: []string{fmt.Sprint("tag", k)}}
				kinds := []store.Purge{key, key, key, tag, tag, tag, {All: true}, {Match: key.Keys[0]}}
				if _, err := instances[w].Purge(ctx, kinds[rand.IntN(len(kinds))]); err != nil {
					t.Error(err)
					return
				}
				purges.Add(1)
				raise(&truths[k].floor[w], v)
				truths[k].mu.Lock()
				truths[k].purges = append(truths[k].purges, purgeDone{v, time.Now()})
				truths[k].mu.Unlock()
				<-time.After(time.Duration(rand.IntN(5)) * time.Millisecond)
			}
		})
	}
	<-time.After(2 * time.Second)
	stop.Store(true)
	wg.Wait()
	t.Logf("%d reads, %d hits, %d fills overtaken, %d purges", reads.Load(), hits.Load(), overtaken.Load(), purges.Load())
	if hits.Load() == 0 || overtaken.Load() == 0 {
		t.Error("too little happened to prove anything")
	}
}

func raise(to *atomic.Int64, v int64) {
	for old := to.Load(); old < v && !to.CompareAndSwap(old, v); old = to.Load() {
	}
}

// readOrFill returns the version that is stored, or fills.
func readOrFill(s *Store, k int, tr *truth) (v int64, made bool, err error) {
	slot := store.Slot{Key: fmt.Sprint("key", k)}
	for range 1000 {
		it, err := s.Get(ctx, slot.Key)
		if err == nil {
			v, err := strconv.ParseInt(string(it.Body), 10, 64)
			return v, false, err
		}
		l, err := s.Acquire(ctx, store.Claim{Slot: slot, Hold: time.Minute})
		switch {
		case errors.Is(err, store.ErrHeld):
			if err := s.Wait(ctx, slot); err != nil {
				return 0, false, err
			}
			continue
		case errors.Is(err, store.ErrChanged):
			continue
		case err != nil:
			return 0, false, err
		}
		v := tr.version.Load()
		<-time.After(time.Duration(rand.IntN(3)) * time.Millisecond)
		return v, true, l.Commit(ctx, store.Entry{Body: strconv.AppendInt(nil, v, 10), Tags: []string{fmt.Sprint("tag", k)}, Life: time.Minute})
	}
	return 0, false, errors.New("looked 1000 times")
}
