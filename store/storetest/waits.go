package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

func waitChecks() []check {
	all := []check{
		{name: "a free slot is not waited for", run: freeSlot, two: true},
		{name: "waiting ends with its context", run: waitEnds, two: true},
	}
	for _, e := range wakers() {
		all = append(all,
			check{name: "a waiter wakes on " + e.name, run: e.whileWaiting, two: true},
			check{name: "a waiter who comes after it does not wait for " + e.name, run: e.beforeWaiting, two: true})
	}
	return all
}

// A waker frees a slot that l holds.
type waker struct {
	name string
	hold time.Duration
	free func(r *room, key string, l store.Lease)
}

func wakers() []waker {
	purge := func(p func(key string) store.Purge) func(*room, string, store.Lease) {
		return func(r *room, key string, _ store.Lease) { r.purge(r.a, p(key)) }
	}
	return []waker{
		{"a commit", minute, func(r *room, _ string, l store.Lease) { r.commit(l, base("body")) }},
		{"a release", minute, func(r *room, _ string, l store.Lease) {
			if err := l.Release(r.Context()); err != nil {
				r.Fatalf("Release: %v", err)
			}
		}},
		{"a purge of the key", minute, purge(func(key string) store.Purge { return store.Purge{Keys: []string{key}} })},
		{"a soft purge of the key", minute, purge(func(key string) store.Purge { return store.Purge{Keys: []string{key}, Soft: true} })},
		{"a purge that matches the key", minute, purge(func(key string) store.Purge { return store.Purge{Match: key + "*"} })},
		{"the end of the lease's Hold", 50 * time.Millisecond, func(*room, string, store.Lease) {}},
	}
}

func (e waker) acquire(r *room, key string) store.Lease {
	r.Helper()
	c := r.look(r.a, store.Slot{Key: key})
	c.Hold = e.hold
	l, err := r.a.Acquire(r.Context(), c)
	if err != nil {
		r.Fatalf("Acquire: %v", err)
	}
	return l
}

// waitOut waits until slot is free. It does not end the test, so that it may
// run in any goroutine.
func (r *room) waitOut(st store.Store, slot store.Slot) {
	ctx, cancel := context.WithTimeout(r.Context(), r.patience)
	defer cancel()
	for {
		if err := st.Wait(ctx, slot); err != nil {
			r.Errorf("Wait: %v, for a slot that is free", err)
			return
		}
		// Wait may return early. Only its holder keeps a slot from this claim.
		l, err := st.Acquire(ctx, store.Claim{Slot: slot, Hold: time.Millisecond, Base: &store.Item{Stamp: store.NewStamp()}})
		if err == nil {
			_ = l.Release(ctx)
		}
		if !errors.Is(err, store.ErrHeld) {
			return
		}
	}
}

func (e waker) whileWaiting(r *room) {
	for _, key := range []string{"first", "second"} {
		l := e.acquire(r, key)
		var all sync.WaitGroup
		for _, st := range []store.Store{r.a, r.b, r.a, r.b} {
			all.Go(func() { r.waitOut(st, store.Slot{Key: key}) })
		}
		// By then the waiters wait; if not, beforeWaiting is tested again.
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
		_ = r.a.Wait(ctx, store.Slot{Key: key})
		cancel()
		e.free(r, key, l)
		all.Wait()
	}
}

func (e waker) beforeWaiting(r *room) {
	l := e.acquire(r, "k")
	if e.hold == minute {
		r.refused(r.b, store.Claim{Slot: store.Slot{Key: "k"}, Hold: minute}, store.ErrHeld)
	}
	e.free(r, "k", l)
	r.waitOut(r.b, store.Slot{Key: "k"})
	r.waitOut(r.a, store.Slot{Key: "k"})
}

func freeSlot(r *room) {
	r.fill(r.a, "there", base("names"), variant("de", "hallo"))
	held := r.acquire(r.a, store.Slot{Key: "held", Variant: ""})
	for _, slot := range []store.Slot{{Key: "k"}, {Key: "there"}, {Key: "there", Variant: "de"}, {Key: "held", Variant: "de"}} {
		r.waitOut(r.a, slot)
		r.waitOut(r.b, slot)
	}
	r.commit(held, base("body"))
}

func waitEnds(r *room) {
	slot := store.Slot{Key: "k"}
	l := r.acquire(r.a, slot)
	for _, st := range []store.Store{r.a, r.b} {
		ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
		early, ended := 0, make(chan error, 1)
		go func() {
			var err error
			for ; err == nil && ctx.Err() == nil; early++ {
				err = st.Wait(ctx, slot)
			}
			ended <- err
		}()
		late := time.NewTimer(r.patience)
		select {
		case err := <-ended:
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("Wait: %v", err)
			}
			if early > 20 {
				r.Errorf("Wait returned %d times in 50 ms while the slot was held", early)
			}
		case <-late.C:
			r.Errorf("Wait did not return when its context ended")
		}
		late.Stop()
		cancel()
		cancelled, cancel := context.WithCancel(r.Context())
		cancel()
		if err := st.Wait(cancelled, slot); err != nil && !errors.Is(err, context.Canceled) {
			r.Errorf("Wait with a context that is done: %v", err)
		}
	}
	r.commit(l, base("body"))
}
