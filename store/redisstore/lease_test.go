package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// load is the least that an engine does: get, else fill, else wait.
func load(s *Store, key string, fill func() string) (string, error) {
	for range 100 {
		it, err := s.Get(ctx, key)
		if err == nil {
			return string(it.Body), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: key}, Hold: time.Minute})
		switch {
		case errors.Is(err, store.ErrHeld):
			if err := s.Wait(ctx, store.Slot{Key: key}); err != nil {
				return "", err
			}
			continue
		case errors.Is(err, store.ErrChanged):
			continue
		case err != nil:
			return "", err
		}
		b := fill()
		return b, l.Commit(ctx, store.Entry{Body: []byte(b), Life: time.Minute})
	}
	return "", errors.New("looked 100 times")
}

func TestOneFillInTheFleet(t *testing.T) {
	a, b := pair(t)
	var fills atomic.Int64
	const rounds, each = 50, 40
	for r := range rounds {
		key := fmt.Sprint("round", r)
		var wg sync.WaitGroup
		for i := range 2 * each {
			s := a
			if i%2 == 0 {
				s = b
			}
			wg.Go(func() {
				got, err := load(s, key, func() string {
					fills.Add(1)
					return key
				})
				if err != nil || got != key {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		wg.Wait()
	}
	if n := fills.Load(); n != rounds {
		t.Errorf("%d fills in %d rounds", n, rounds)
	}
}

func TestWaitWakesByPush(t *testing.T) {
	a, b := pair(t)
	for name, end := range map[string]func(store.Lease) error{
		"commit":  func(l store.Lease) error { return l.Commit(ctx, store.Entry{Body: []byte("v"), Life: time.Minute}) },
		"release": func(l store.Lease) error { return l.Release(ctx) },
		"purge": func(store.Lease) error {
			_, err := a.Purge(ctx, store.Purge{Keys: []string{"purge"}})
			return err
		},
		"steal": func(store.Lease) error {
			l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "steal"}, Hold: time.Minute, Steal: true})
			if err == nil {
				defer func() { _ = l.Release(ctx) }()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			slot := store.Slot{Key: name}
			l, err := a.Acquire(ctx, store.Claim{Slot: slot, Hold: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			waited := make(chan error, 1)
			go func() { waited <- b.Wait(ctx, slot) }()
			eventually(t, time.Second, "B waits", func() bool {
				b.wakers.mu.Lock()
				defer b.wakers.mu.Unlock()
				return len(b.wakers.byKey) == 1
			})
			select {
			case err := <-waited:
				t.Fatalf("B does not wait: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
			begun := time.Now()
			if err := end(l); err != nil {
				t.Fatal(err)
			}
			if err := <-waited; err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took > 500*time.Millisecond {
				t.Errorf("woken after %v: that was the timer", took)
			}
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	a, b := pair(t)
	l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Release(ctx) }()
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := b.Wait(short, store.Slot{Key: "k"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := b.Wait(ctx, store.Slot{Key: "nobody"}); err != nil {
		t.Errorf("nobody holds it: %v", err)
	}
}

func TestLeaseIsRenewedUpToHold(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second, Lease: 100 * time.Millisecond}
	a, b := open(t, o), open(t, o)
	slot := store.Slot{Key: "k"}
	begun := time.Now()
	hold := 500 * time.Millisecond
	l, err := a.Acquire(ctx, store.Claim{Slot: slot, Hold: hold})
	if err != nil {
		t.Fatal(err)
	}
	var next store.Lease
	err = store.ErrHeld
	for errors.Is(err, store.ErrHeld) {
		if err := b.Wait(ctx, slot); err != nil {
			t.Fatal(err)
		}
		next, err = b.Acquire(ctx, store.Claim{Slot: slot, Hold: hold})
	}
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	if took < hold-10*time.Millisecond || took > hold+2*o.Lease {
		t.Errorf("it passed on after %v", took)
	}
	if err := l.Commit(ctx, store.Entry{Life: time.Minute}); !errors.Is(err, store.ErrOvertaken) {
		t.Errorf("the first holder commits: %v", err)
	}
	if err := next.Commit(ctx, store.Entry{Body: []byte("2"), Life: time.Minute}); err != nil {
		t.Errorf("the second: %v", err)
	}
	if err := next.Release(ctx); !errors.Is(err, store.ErrOvertaken) {
		t.Errorf("a second end: %v", err)
	}
}

func TestKilledHolderPassesOn(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second, Lease: 200 * time.Millisecond}
	a, b := open(t, o), open(t, o)
	slot := store.Slot{Key: "k"}
	if _, err := a.Acquire(ctx, store.Claim{Slot: slot, Hold: time.Minute}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	a.Kill()
	if _, err := load(b, "k", func() string { return "v" }); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > o.Lease+100*time.Millisecond {
		t.Errorf("it passed on after %v", took)
	}
}

func TestCloseReleasesLeases(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second}
	a, b := open(t, o), open(t, o)
	slot := store.Slot{Key: "k"}
	if _, err := a.Acquire(ctx, store.Claim{Slot: slot, Hold: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := b.Acquire(ctx, store.Claim{Slot: slot, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(ctx); err != nil {
		t.Error(err)
	}
	if _, err := a.Get(ctx, "k"); err == nil {
		t.Error("a closed store answers")
	}
}

// A program that ends lets its cancelled fills release their leases, and closes
// the store, at the same time.
func TestCloseAmongReleasesLeavesNoLease(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second}
	other := open(t, o)
	for round := range 20 {
		s := open(t, o)
		leases := make([]store.Lease, 100)
		for i := range leases {
			l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: fmt.Sprintf("%d/%d", round, i)}, Hold: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			leases[i] = l
		}
		var releases sync.WaitGroup
		for _, l := range leases {
			releases.Go(func() { _ = l.Release(context.Background()) })
		}
		eventually(t, time.Minute, "some are over", func() bool {
			return slices.ContainsFunc(leases, func(l store.Lease) bool {
				l.(*lease).mu.Lock()
				defer l.(*lease).mu.Unlock()
				return l.(*lease).over
			})
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for i := range leases {
			l, err := other.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: fmt.Sprintf("%d/%d", round, i)}, Hold: time.Minute})
			if err != nil {
				t.Errorf("round %d: a lease is left: %v", round, err)
				continue
			}
			_ = l.Release(t.Context())
		}
		releases.Wait()
	}
}

func TestCommitShapes(t *testing.T) {
	a, _ := pair(t)
	life := time.Minute
	for name, entries := range map[string][]store.Entry{
		"no life":       {{}},
		"two bases":     {{Life: life}, {Life: life}},
		"two variants":  {{Variant: "a", Life: life}, {Variant: "b", Life: life}},
		"negative life": {{Life: -1}},
	} {
		l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: name}, Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(ctx, entries...); err == nil || errors.Is(err, store.ErrOvertaken) {
			t.Errorf("%s: %v", name, err)
		}
		fill(t, a, name, "the lease was ended")
	}
	// Without entries the slot is deleted.
	l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "no life"}, Base: get(t, a, "no life"), Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if got := body(a, "no life"); got != "" {
		t.Errorf("deleted, but got %q", got)
	}
	if _, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}}); !errors.Is(err, errHold) {
		t.Errorf("a claim without Hold: %v", err)
	}
}

// TestPurgeBetweenWriteAndVerdict purges a tag when the entry is already in
// Redis and its fill does not know yet whether it counts.
func TestPurgeBetweenWriteAndVerdict(t *testing.T) {
	a, b := pair(t)
	for _, soft := range []bool{false, true} {
		key := fmt.Sprint("soft ", soft)
		got, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: key}, Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		l := got.(*lease)
		p, err := l.plan([]store.Entry{
			{Body: []byte("old"), Life: time.Minute}, {Variant: "v", Body: []byte("old"), Tags: []string{"tag"}, Life: time.Minute},
		})
		if err != nil {
			t.Fatal(err)
		}
		limited, cancel := a.limit(ctx)
		defer cancel()
		if v, err := l.verdict(limited, p); v != valid {
			t.Fatal(v, err)
		}
		if code, err := l.write(limited, p); code != 1 || err != nil {
			t.Fatal(code, err)
		}
		if _, err := a.Purge(ctx, store.Purge{Tags: []string{"tag"}, Soft: soft}); err != nil {
			t.Fatal(err)
		}
		if err := l.settle(limited, p); !errors.Is(err, store.ErrOvertaken) {
			t.Errorf("the verdict: %v", err)
		}
		eventually(t, time.Second, "both are taken back", func() bool { return body(a, key) == "" && body(b, key) == "" })
		l.end()
		l.forget()
	}
}

// TestConfirmationInTheGapOfAPurge begins a fill between the two steps of a
// purge: the leases have gone, and the base is still there to be seen and
// confirmed. What is made anew there is made after the purge began; what reuses
// the old body is not.
func TestConfirmationInTheGapOfAPurge(t *testing.T) {
	addr := sharedAddr(t)
	s := open(t, Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second})
	for _, variant := range []string{"", "v"} {
		for _, reuses := range []bool{true, false} {
			fill(t, s, "k", "old")
			command(addr, "UNLINK", s.keys.control("k"))
			l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Base: get(t, s, "k"), Hold: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			command(addr, "UNLINK", s.keys.base("k"))
			entries := []store.Entry{{Body: []byte("new"), Life: time.Minute, Reuses: reuses}}
			if variant != "" { // it has turned out to vary
				entries = append(entries, store.Entry{Variant: variant, Body: []byte("new"), Life: time.Minute, Reuses: reuses})
			}
			err = l.Commit(ctx, entries...)
			if reuses && (!errors.Is(err, store.ErrOvertaken) || body(s, "k") != "") {
				t.Errorf("variant %q: what was purged is back: %v, %q", variant, err, body(s, "k"))
			}
			if !reuses && err != nil {
				t.Errorf("variant %q, made anew: %v", variant, err)
			}
		}
	}
}
