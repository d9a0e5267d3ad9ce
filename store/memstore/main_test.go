package memstore_test

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// The store starts no goroutines, with or without waiters, purges and upkeep.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newStore(t testing.TB, o memstore.Options) *memstore.Store {
	t.Helper()
	s, err := memstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill stores entries under key, whatever is there.
func fill(t testing.TB, s *memstore.Store, key string, entries ...store.Entry) {
	t.Helper()
	base, err := s.Get(t.Context(), key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: key}, Base: base, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func has(t testing.TB, s *memstore.Store, key string) bool {
	t.Helper()
	_, err := s.Get(t.Context(), key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
