package memstore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// These run in bubbles, where time is not the machine's. That they end at all
// proves that the store leaves neither goroutines nor timers.

func TestLifeEndsToTheMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, memstore.Options{})
		start := time.Now()
		fill(t, s, "k", store.Entry{Life: time.Minute})
		it, err := s.Get(t.Context(), "k")
		if err != nil || !it.Expires().Equal(start.Add(time.Minute)) {
			t.Fatalf("Get = %v, %v", it, err)
		}
		time.Sleep(time.Minute - 1)
		if !has(t, s, "k") {
			t.Errorf("gone a nanosecond before its end")
		}
		time.Sleep(time.Nanosecond)
		if has(t, s, "k") {
			t.Errorf("there at its end")
		}
	})
}

func TestBaseOutlivesItsVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, memstore.Options{})
		fill(t, s, "k", store.Entry{Life: time.Second}, store.Entry{Variant: "de", Life: time.Minute})
		time.Sleep(30 * time.Second)
		base, err := s.Get(t.Context(), "k")
		if err != nil {
			t.Fatalf("the base of a variant: %v", err)
		}
		l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "k", Variant: "en"}, Base: base, Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(t.Context(), store.Entry{Variant: "en", Life: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if until := time.Until(base.Expires()); until != 30*time.Second {
			t.Errorf("an item in use ends %v from now", until)
		}
		time.Sleep(time.Hour - 1)
		if _, err := s.Variant(t.Context(), base, "en"); err != nil {
			t.Errorf("a variant whose own life has not ended: %v", err)
		}
		if _, err := s.Variant(t.Context(), base, "de"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a variant whose life has ended: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := s.Variant(t.Context(), base, "en"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a variant whose life has ended: %v", err)
		}
	})
}

func TestHoldLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, memstore.Options{})
		c := store.Claim{Slot: store.Slot{Key: "k"}, Hold: 10 * time.Second}
		dead, err := s.Acquire(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 3 {
			go func() {
				if err := s.Wait(t.Context(), c.Slot); err != nil || time.Since(start) != c.Hold {
					t.Errorf("Wait = %v after %v", err, time.Since(start))
				}
			}()
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Wait(short, c.Slot); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Wait = %v after %v", err, time.Since(start))
		}
		time.Sleep(9*time.Second - 1)
		if _, err := s.Acquire(t.Context(), c); !errors.Is(err, store.ErrHeld) {
			t.Errorf("Acquire before the end of Hold: %v", err)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		next, err := s.Acquire(t.Context(), c)
		if err != nil {
			t.Fatalf("Acquire at the end of Hold: %v", err)
		}
		if err := dead.Commit(t.Context(), entry(1)); !errors.Is(err, store.ErrOvertaken) {
			t.Errorf("Commit after the lease was taken over: %v", err)
		}
		if err := next.Commit(t.Context(), entry(1)); err != nil {
			t.Errorf("Commit: %v", err)
		}
	})
}

// Nobody else has filled the slot meanwhile, so that nothing speaks against it.
func TestLapsedLeaseMayCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, memstore.Options{})
		l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := l.Commit(t.Context(), entry(1)); err != nil || !has(t, s, "k") {
			t.Errorf("Commit = %v; stored: %v", err, has(t, s, "k"))
		}
	})
}

func TestWaitersOfAPurgeOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, soft := range []bool{false, true} {
			s := newStore(t, memstore.Options{})
			slot := store.Slot{Key: "k"}
			if _, err := s.Acquire(t.Context(), store.Claim{Slot: slot, Hold: time.Minute}); err != nil {
				t.Fatal(err)
			}
			woken := make(chan error, 1)
			go func() { woken <- s.Wait(t.Context(), slot) }()
			synctest.Wait()
			if _, err := s.Purge(t.Context(), store.Purge{All: true, Soft: soft}); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := <-woken; err != nil || time.Since(start) != 0 {
				t.Errorf("soft: %v: Wait = %v, %v after a purge that ended the fill", soft, err, time.Since(start))
			}
		}
	})
}
