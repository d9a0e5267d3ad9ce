package memstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

func entry(bodySize int, tags ...string) store.Entry {
	return store.Entry{Meta: []byte("meta"), Body: make([]byte, bodySize), Tags: tags, Life: time.Hour}
}

func TestBudgetIsKept(t *testing.T) {
	for _, tt := range []struct {
		name     string
		budget   int64
		body, in int // in: how many goroutines
	}{
		{name: "empty bodies", budget: 1 << 20, body: 0, in: 1},
		{name: "small bodies", budget: 1 << 20, body: 100, in: 4},
		{name: "pages", budget: 4 << 20, body: 20 << 10, in: 1},
		{name: "pages, many writers", budget: 4 << 20, body: 20 << 10, in: 4},
		{name: "near the largest", budget: 4 << 20, body: 500 << 10, in: 2},
		{name: "the least budget", budget: 64 << 10, body: 4 << 10, in: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t, memstore.Options{Bytes: tt.budget})
			total := int(10*tt.budget/int64(tt.body+600)) + 1
			var all sync.WaitGroup
			for g := range tt.in {
				all.Go(func() {
					for i := g; i < total; i += tt.in {
						fill(t, s, fmt.Sprint("key ", i), entry(tt.body, "tag"))
						if i%16 == 0 {
							if got := s.LocalSize(); got.Bytes > got.Budget {
								t.Errorf("after %d entries %d bytes of %d", i, got.Bytes, got.Budget)
								return
							}
						}
					}
				})
			}
			all.Wait()
			got := s.LocalSize()
			if got.Bytes > tt.budget || got.Bytes < tt.budget/2 {
				t.Errorf("%d bytes of %d are used", got.Bytes, tt.budget)
			}
			if got.Evictions == 0 || got.Entries == 0 || int64(got.Evictions)+got.Entries < int64(total) {
				t.Errorf("%d entries and %d evictions of %d", got.Entries, got.Evictions, total)
			}
		})
	}
}

// A memo stands for a decoded form of the size that is estimated.
type memo [store.MemoSize]byte

func newMemo(*store.Item) (*memo, error) { return new(memo), nil }

// The estimate has to be near what the entries take of the heap, or the budget
// is none.
func TestEstimateIsHonest(t *testing.T) {
	for _, tt := range []struct {
		body int
		tags []string
	}{{0, nil}, {100, []string{"a tag", "another tag"}}, {4000, nil}} {
		const n = 20_000
		before := measure.Heap()
		s := newStore(t, memstore.Options{Bytes: 1 << 30})
		for i := range n {
			key := fmt.Sprintf("https://example.com/products/%d", i)
			fill(t, s, key, entry(tt.body, tt.tags...))
			it, err := s.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.Decoded(it, newMemo); err != nil {
				t.Fatal(err)
			}
		}
		took, said := measure.Heap()-before, s.LocalSize().Bytes
		if s.LocalSize().Entries != n {
			t.Fatalf("%d of %d entries are kept", s.LocalSize().Entries, n)
		}
		if ratio := float64(took) / float64(said); ratio > 1.15 || ratio < 0.6 {
			t.Errorf("bodies of %d, %d tags: %d bytes an entry, estimated %d", tt.body, len(tt.tags), took/n, said/n)
		}
		runtime.KeepAlive(s)
	}
}

func TestTooLargeIsNotKept(t *testing.T) {
	s := newStore(t, memstore.Options{Bytes: 1 << 20})
	fill(t, s, "k", entry(100<<10))
	if !has(t, s, "k") {
		t.Fatalf("a tenth of the budget is not kept")
	}
	fill(t, s, "other", entry(100))
	base, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "k"}, Base: base, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(t.Context(), entry(128<<10)); !errors.Is(err, store.ErrTooLarge) { // with its overhead more than an eighth
		t.Errorf("Commit: %v", err)
	}
	if has(t, s, "k") {
		t.Errorf("more than an eighth of the budget is kept, or what was there before")
	}
	if got := s.LocalSize(); got.Entries != 1 || !has(t, s, "other") {
		t.Errorf("%d entries; the other one is there: %v", got.Entries, has(t, s, "other"))
	}
}

func TestHotKeysSurviveAScan(t *testing.T) {
	s := newStore(t, memstore.Options{Bytes: 1 << 20})
	const hot = 20
	for i := range hot {
		fill(t, s, fmt.Sprint("hot ", i), entry(2<<10))
	}
	for i := range 5000 { // 10 times the budget and more
		if i%10 == 0 {
			for j := range hot {
				_ = has(t, s, fmt.Sprint("hot ", j))
			}
		}
		fill(t, s, fmt.Sprint("once ", i), entry(2<<10))
	}
	left := 0
	for i := range hot {
		if has(t, s, fmt.Sprint("hot ", i)) {
			left++
		}
	}
	if left < hot-1 {
		t.Errorf("%d of %d hot keys survived a scan", left, hot)
	}
}

// Nothing looks for what has ended: it has to make room all the same.
func TestDeadEntriesMakeRoom(t *testing.T) {
	s := newStore(t, memstore.Options{Bytes: 1 << 20})
	body := bytes.Repeat([]byte("x"), 4<<10)
	for i := range 1000 {
		fill(t, s, fmt.Sprint("dead ", i), store.Entry{Body: body, Tags: []string{"t"}, Life: time.Hour})
	}
	if _, err := s.Purge(t.Context(), store.Purge{Tags: []string{"t"}}); err != nil {
		t.Fatal(err)
	}
	const live = 100
	for range 20 { // as requests do: a miss, then a fill
		for i := range live {
			if key := fmt.Sprint("live ", i); !has(t, s, key) {
				fill(t, s, key, store.Entry{Body: body, Life: time.Hour})
			}
		}
	}
	left := 0
	for i := range live {
		if has(t, s, fmt.Sprint("live ", i)) {
			left++
		}
	}
	if left < live*9/10 {
		t.Errorf("%d of %d entries that are asked for found room among dead ones", left, live)
	}
}

func TestDeadEntriesAreFreedWhenLookedAt(t *testing.T) {
	s := newStore(t, memstore.Options{})
	for i := range 100 {
		fill(t, s, fmt.Sprint("k", i), entry(10, "t"))
	}
	if _, err := s.Purge(t.Context(), store.Purge{Tags: []string{"t"}}); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if has(t, s, fmt.Sprint("k", i)) {
			t.Fatalf("a purged entry is found")
		}
	}
	if got := s.LocalSize(); got.Entries != 0 || got.Bytes != 0 || got.Evictions != 0 {
		t.Errorf("after looks at purged entries: %+v", got)
	}
	fill(t, s, "k", entry(10))
	if _, err := s.Purge(t.Context(), store.Purge{All: true}); err != nil {
		t.Fatal(err)
	}
	if got := s.LocalSize(); got.Entries != 0 || got.Bytes != 0 {
		t.Errorf("after a purge of all: %+v", got)
	}
}
