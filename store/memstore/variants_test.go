package memstore

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
)

// varying returns a store of that budget where "k" is a base, filled by another.
func varying(t *testing.T, budget int64) (*Store, *store.Item) {
	t.Helper()
	s, err := New(Options{Bytes: budget})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(t.Context(), store.Entry{Life: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	base, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	return s, base
}

// vary fills a variant of base, of which there may be most.
func vary(t *testing.T, s *Store, base *store.Item, most int, e store.Entry) error {
	t.Helper()
	l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: base.Key, Variant: e.Variant}, Base: base, Hold: time.Minute, Variants: most})
	if err != nil {
		return err
	}
	return l.Commit(t.Context(), e)
}

func (s *Store) namesOf(key string) int {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return len(s.find(store.Slot{Key: key}).names().of)
}

// Names of variants that have gone must not fill the memory, whether or not
// anybody counts them.
func TestNamesAreBounded(t *testing.T) {
	for _, most := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			s, base := varying(t, 0)
			for i := range 5000 {
				if err := vary(t, s, base, most, store.Entry{Variant: fmt.Sprint(i), Life: 50 * time.Second}); err != nil {
					t.Fatalf("variant %d, most %d: %v", i, most, err)
				}
				if n := s.namesOf("k"); n > 101 { // twice the 50 that live
					t.Fatalf("%d names of 50 variants, most %d", n, most)
				}
				time.Sleep(time.Second)
			}
		})
	}
}

// An evicted variant takes no place.
func TestEvictedVariantsDoNotCount(t *testing.T) {
	s, base := varying(t, 256<<10)
	body := make([]byte, 8<<10)
	for i := range 500 { // some 30 fit
		if err := vary(t, s, base, 64, store.Entry{Variant: fmt.Sprint(i), Body: body, Life: time.Hour}); err != nil {
			t.Fatalf("variant %d: %v", i, err)
		}
		if _, err := s.Get(t.Context(), "k"); err != nil {
			t.Fatalf("the base, the hottest of all, is gone after %d variants: %v", i, err)
		}
	}
	if n := s.namesOf("k"); n > 64 {
		t.Errorf("%d names, of at most 64", n)
	}
}

// The record of a varying response carries no tags: a purge of a tag drops
// variants and leaves their base.
func TestVariantsPurgedByTagDoNotCount(t *testing.T) {
	s, base := varying(t, 0)
	for range 3 {
		for i := range 4 {
			if err := vary(t, s, base, 4, store.Entry{Variant: fmt.Sprint(i), Tags: []string{"t"}, Life: time.Hour}); err != nil {
				t.Fatalf("variant %d: %v", i, err)
			}
		}
		if err := vary(t, s, base, 4, store.Entry{Variant: "new", Life: time.Hour}); !errors.Is(err, store.ErrFull) {
			t.Fatalf("a variant more than may be: %v", err)
		}
		if _, err := s.Purge(t.Context(), store.Purge{Tags: []string{"t"}}); err != nil {
			t.Fatal(err)
		}
		if err := vary(t, s, base, 4, store.Entry{Variant: "after", Tags: []string{"t"}, Life: time.Hour}); err != nil {
			t.Errorf("after a purge of the others: %v", err)
		}
		if _, err := s.Purge(t.Context(), store.Purge{Tags: []string{"t"}}); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkFull(b *testing.B) {
	s, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	l, err := s.Acquire(b.Context(), store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	if err := l.Commit(b.Context(), store.Entry{Life: time.Hour}); err != nil {
		b.Fatal(err)
	}
	base, _ := s.Get(b.Context(), "k")
	for i := range 64 {
		c := store.Claim{Slot: store.Slot{Key: "k", Variant: fmt.Sprint(i)}, Base: base, Hold: time.Minute}
		l, err := s.Acquire(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Commit(b.Context(), store.Entry{Variant: c.Variant, Life: time.Hour}); err != nil {
			b.Fatal(err)
		}
	}
	c := store.Claim{Slot: store.Slot{Key: "k", Variant: "new"}, Base: base, Hold: time.Minute, Variants: 64}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Acquire(b.Context(), c); !errors.Is(err, store.ErrFull) {
			b.Fatal(err)
		}
	}
}
