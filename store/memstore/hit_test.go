package memstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

func warm(t testing.TB) (*memstore.Store, *store.Item) {
	t.Helper()
	s := newStore(t, memstore.Options{})
	fill(t, s, "k", store.Entry{Body: []byte("names"), Tags: []string{"a", "b"}, Life: time.Hour},
		store.Entry{Variant: "v", Body: []byte("body"), Tags: []string{"a", "c"}, Life: time.Hour})
	base, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	return s, base
}

func TestHitDoesNotAllocate(t *testing.T) {
	s, base := warm(t)
	ctx := t.Context()
	get := func(key string) {
		if _, err := s.Get(ctx, key); err != nil {
			t.Error(err)
		}
	}
	if n := testing.AllocsPerRun(1000, func() { get("k") }); n != 0 {
		t.Errorf("Get: %v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := s.Variant(ctx, base, "v"); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("Variant: %v allocations", n)
	}
	// The first look after a purge of something else is a thorough one.
	keys := make([]string, 1001)
	for i := range keys {
		keys[i] = fmt.Sprint("key ", i)
		fill(t, s, keys[i], store.Entry{Tags: []string{"a", "b"}, Life: time.Hour})
	}
	if _, err := s.Purge(ctx, store.Purge{Tags: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	next := 0
	if n := testing.AllocsPerRun(len(keys)-1, func() { get(keys[next]); next++ }); n != 0 {
		t.Errorf("Get after a purge: %v allocations", n)
	}
}

func BenchmarkGet(b *testing.B) {
	s, _ := warm(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(ctx, "k"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetParallel(b *testing.B) {
	s, _ := warm(b)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Get(ctx, "k"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkVariant(b *testing.B) {
	s, base := warm(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Variant(ctx, base, "v"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	s, _ := warm(b)
	b.ReportAllocs()
	body := make([]byte, 1024)
	for b.Loop() {
		fill(b, s, "k", store.Entry{Body: body, Life: time.Hour})
	}
}

func BenchmarkPurgeTag(b *testing.B) {
	s, _ := warm(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Purge(ctx, store.Purge{Tags: []string{"x"}}); err != nil {
			b.Fatal(err)
		}
	}
}
