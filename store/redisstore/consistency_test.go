package redisstore

import (
	"context"
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

// A trial runs readers, fills and purges of every kind on three instances. A
// read that begins after a purge returned in its own process must not get what
// was there before, in another process after bound.
type trial struct {
	*testing.T
	instances []*Store
	bound     time.Duration
	pause     time.Duration // between one purger's purges, at most
	patience  time.Duration // of a purge
	faults    bool          // errors are to be expected

	truths                         [4]truth
	stop                           atomic.Bool
	reads, hits, overtaken, purges atomic.Int64
}

// run lasts for length at least, and on a slow machine until enough has
// happened to prove something.
func (t *trial) run(length time.Duration) {
	for k := range t.truths {
		t.truths[k].version.Store(1)
	}
	var wg sync.WaitGroup
	for r := range 12 {
		wg.Go(func() { t.readAll(r % len(t.instances)) })
	}
	for w := range t.instances {
		wg.Go(func() { t.purgeAll(w) })
	}
	for begun := time.Now(); time.Since(begun) < length || !t.enough() && time.Since(begun) < 10*length; {
		<-time.After(10 * time.Millisecond)
	}
	t.stop.Store(true)
	wg.Wait()
	t.Logf("%d reads, %d hits, %d fills overtaken, %d purges", t.reads.Load(), t.hits.Load(), t.overtaken.Load(), t.purges.Load())
	if !t.enough() {
		t.Error("too little happened to prove anything")
	}
}

func (t *trial) enough() bool {
	return t.hits.Load() > 0 && t.overtaken.Load() > 0 && t.purges.Load() > 0
}

func (t *trial) readAll(i int) {
	for !t.stop.Load() {
		k := rand.IntN(len(t.truths))
		tr := &t.truths[k]
		here, begun := tr.floor[i].Load(), time.Now()
		everywhere := tr.older(begun.Add(-t.bound - slack))
		got, made, err := readOrFill(t.instances[i], k, tr)
		switch {
		case errors.Is(err, store.ErrOvertaken):
			t.overtaken.Add(1)
			continue
		case err != nil && t.faults:
			<-time.After(time.Millisecond) // it may come at once: others need the processor
			continue
		case err != nil:
			t.Error(err)
			return
		case got < here || got < everywhere:
			t.Errorf("key %d: read %d; purged here up to %d, elsewhere long ago up to %d", k, got, here, everywhere)
		}
		if t.reads.Add(1); !made {
			t.hits.Add(1)
		}
	}
}

func (t *trial) purgeAll(w int) {
	for !t.stop.Load() {
		k := rand.IntN(len(t.truths))
		tr := &t.truths[k]
		v := tr.version.Add(1)
		key := store.Purge{Keys: []string{fmt.Sprint("key", k)}}
		tag := store.Purge{Tags: []string{fmt.Sprint("tag", k)}}
		kinds := []store.Purge{key, key, key, tag, tag, tag, {All: true}, {Match: key.Keys[0]}}
		if t.faults { // one kind for each key, or one would hide the other's fault
			kinds = []store.Purge{key, tag}[k%2 : k%2+1]
		}
		limited, cancel := context.WithTimeout(ctx, t.patience)
		_, err := t.instances[w].Purge(limited, kinds[rand.IntN(len(kinds))])
		cancel()
		if err != nil {
			if t.faults {
				continue
			}
			t.Error(err)
			return
		}
		t.purges.Add(1)
		raise(&tr.floor[w], v)
		tr.mu.Lock()
		tr.purges = append(tr.purges, purgeDone{v, time.Now()})
		tr.mu.Unlock()
		<-time.After(rand.N(t.pause))
	}
}

func TestNothingPurgedComesBack(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: 5 * time.Second}
	tr := trial{T: t, instances: []*Store{open(t, o), open(t, o), open(t, o)}, bound: 250 * time.Millisecond, pause: 5 * time.Millisecond, patience: 20 * time.Second}
	tr.run(2 * time.Second)
}

// TestNothingPurgedComesBackUnderFaults holds back what one instance or another
// sends or gets, and breaks connections.
func TestNothingPurgedComesBackUnderFaults(t *testing.T) {
	server := newServer(t)
	o := Options{Lease: 300 * time.Millisecond, Trust: 200 * time.Millisecond}
	tr := trial{T: t, bound: o.Trust + 50*time.Millisecond, pause: 400 * time.Millisecond, patience: time.Second, faults: true}
	var proxies []*proxy
	for range 3 {
		p := newProxy(t, server.addr)
		o.Addrs = []string{p.addr}
		proxies = append(proxies, p)
		tr.instances = append(tr.instances, open(t, o))
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for !tr.stop.Load() {
			p := proxies[rand.IntN(len(proxies))]
			gates := []*gate{&p.up, &p.down}
			g := gates[rand.IntN(2)]
			g.set(true)
			<-time.After(rand.N(time.Second))
			g.set(false)
			if rand.IntN(4) == 0 {
				p.cut()
			}
			<-time.After(rand.N(100 * time.Millisecond))
		}
	})
	tr.run(6 * time.Second)
	wg.Wait()
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
		<-time.After(rand.N(3 * time.Millisecond))
		return v, true, l.Commit(ctx, store.Entry{Body: strconv.AppendInt(nil, v, 10), Tags: []string{fmt.Sprint("tag", k)}, Life: time.Minute})
	}
	return 0, false, errors.New("looked 1000 times")
}
