package memstore

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
)

// Callers that take leases and never end them, until the process ends.
func TestForgottenLeasesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		live, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "live"}, Hold: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		const batch = 10 * shardCount
		for i := range 50 {
			for j := range batch {
				c := store.Claim{Slot: store.Slot{Key: fmt.Sprint("key ", i, " ", j)}, Hold: time.Second}
				if _, err := s.Acquire(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
		// What can lapse between two sweeps, and one batch.
		if n, most := s.held(t), shardCount*2*minSweep+batch; n > most {
			t.Errorf("%d leases are kept, of which none has not lapsed; want at most %d", n, most)
		}
		if err := live.Commit(t.Context(), store.Entry{Life: time.Hour}); err != nil {
			t.Errorf("Commit of a fill that has not lapsed: %v", err)
		}
	})
}

func TestEndedLeasesLeaveNothing(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []store.Lease
	for i := range 1000 {
		key := fmt.Sprint("key ", i)
		l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: key}, Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	for i := range all[:100] {
		key := fmt.Sprint("key ", i)
		if all[i], err = s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: key}, Hold: time.Minute, Steal: true}); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.held(t); n != 1000 {
		t.Fatalf("%d leases are kept", n)
	}
	for i, l := range all {
		switch i % 4 {
		case 0:
			err = l.Commit(t.Context(), store.Entry{Life: time.Hour})
		case 1:
			err = l.Release(t.Context())
		case 2:
			_, err = s.Purge(t.Context(), store.Purge{Keys: []string{fmt.Sprint("key ", i)}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := s.held(t); n != 250 {
		t.Errorf("%d leases are kept, want the 250 that nothing has ended", n)
	}
	if _, err := s.Purge(t.Context(), store.Purge{All: true}); err != nil {
		t.Fatal(err)
	}
	if n := s.held(t); n != 0 {
		t.Errorf("%d leases are kept after a purge of all", n)
	}
}

// held counts the leases, and checks the shards' own count.
func (s *Store) held(t *testing.T) (n int) {
	t.Helper()
	for i := range s.shards {
		sh, in := &s.shards[i], 0
		for key, of := range sh.leases {
			before := in
			for range of.all {
				in++
			}
			if in == before {
				t.Errorf("%q is kept without a lease", key)
			}
		}
		if in != sh.count {
			t.Errorf("a shard of %d leases counts %d", in, sh.count)
		}
		n += in
	}
	return n
}
