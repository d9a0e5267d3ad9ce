package redisstore

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/reprise-go/reprise/internal/heap"
	"github.com/reprise-go/reprise/store"
)

// local is the memory of this process: one map for all connections, bounded in
// bytes. Only the connections' readers put into it, in the order in which Redis
// answered and pushed, so that no invalidation falls between a read and its
// put. Anybody may drop.
type local struct {
	items     *otter.Cache[uint64, *item] // by Slot.Hash: who finds an item looks whether it is the slot's
	seed      maphash.Seed
	budget    int64
	evictions atomic.Uint64

	// putting is how many puts are under way, and due whether one of them has left
	// upkeep to do: a connection's reader does nothing slow.
	putting atomic.Int32
	due     atomic.Bool
}

func newLocal(budget int64) (*local, error) {
	l := &local{budget: budget, seed: maphash.MakeSeed()}
	var err error
	l.items, err = otter.New(&otter.Options[uint64, *item]{
		MaximumWeight: uint64(budget),
		Weigher:       weigh,
		Executor: func(f func()) {
			if l.putting.Load() > 0 {
				l.due.Store(true)
			} else {
				go f()
			}
		},
		OnAtomicDeletion: func(e otter.DeletionEvent[uint64, *item]) {
			e.Value.Drop()
			if e.Cause == otter.CauseOverflow {
				l.evictions.Add(1)
			}
		},
	})
	return l, err
}

// overhead is of one item, beside the memory that it allocates itself: the map's
// node and its place in the table, and the policy's sketch.
const overhead = 48 + 40

// weigh estimates the bytes that an item takes.
func weigh(_ uint64, it *item) uint32 {
	n := overhead + heap.Size(int(unsafe.Sizeof(*it))) + heap.Size(len(it.raw)) + store.MemoSize +
		heap.Size(len(it.Tags)*int(unsafe.Sizeof("")))
	if it.Kin != nil {
		n += heap.Size(int(unsafe.Sizeof(*it.Kin)))
	}
	if it.packed != nil {
		n += heap.Size(int(unsafe.Sizeof(*it.packed))) + heap.Size(it.packed.size)
	}
	return uint32(min(n, math.MaxUint32))
}

// find returns what is kept of slot, or nil.
func (l *local) find(slot store.Slot) *item {
	it, ok := l.items.GetIfPresent(slot.Hash(l.seed))
	if !ok || it.Slot() != slot {
		return nil
	}
	return it
}

// get returns what is kept of slot if a live connection still tracks it.
func (l *local) get(slot store.Slot, now, after int64) *item {
	it := l.find(slot)
	if it == nil || !it.tracked(now, after) {
		return nil
	}
	// Its push, and the proof of having read it, may have come since.
	if after != 0 && l.find(slot) != it {
		return nil
	}
	return it
}

// tracked tells whether a live connection still tracks it, which is kept.
func (it *item) tracked(now, after int64) bool {
	return now < it.ends && it.gen == uint32(it.conn.gen.Load()) && it.conn.live(now, after)
}

// A keeper is a Store that tells whether what it keeps is still valid.
type keeper Store

// Current is of store.Keeper. What is kept is the first field of an item.
func (k *keeper) Current(kept *store.Item, t time.Duration) bool {
	s, it := (*Store)(k), (*item)(unsafe.Pointer(kept))
	now := s.at(t)
	return it.tracked(now, 0) && s.asTold().vouched(it, now) && it.ready()
}

// same returns the kept item if it was decoded from raw, so that a value is
// decoded and held once.
func (l *local) same(slot store.Slot, raw string) *item {
	it := l.find(slot)
	if it == nil || it.raw != raw || it.gen != uint32(it.conn.gen.Load()) {
		return nil
	}
	return it
}

// ref returns the way back to it, which l keeps for by; nil: it does not, or it is a
// variant.
func (l *local) ref(it *store.Item, by *keeper) *store.Ref {
	if r := it.Ref(); r != nil {
		return r
	}
	slot := it.Slot()
	e, ok := l.items.GetEntryQuietly(slot.Hash(l.seed))
	if !ok || &e.Value.Item != it || slot.Variant != "" {
		return nil
	}
	return it.Keep(by) // dropped since: its Ref is cut
}

func (l *local) put(it *item) {
	l.putting.Add(1)
	defer l.putting.Add(-1)
	l.items.Set(it.Slot().Hash(l.seed), it)
}

// tend does the upkeep that puts have made necessary. Who has asked for what was put
// calls it: a goroutine made for it would cost a tenth of the look-up, and might drop
// what was put before that one has found it.
func (l *local) tend() {
	if l.due.Load() && l.due.CompareAndSwap(true, false) {
		l.items.CleanUp()
	}
}

func (l *local) drop(slot store.Slot) { l.items.Invalidate(slot.Hash(l.seed)) }

// dropIf removes what f says. It walks the whole map.
func (l *local) dropIf(f func(*item) bool) {
	for hash, it := range l.items.All() {
		if f(it) {
			l.items.Invalidate(hash)
		}
	}
}

func (l *local) size() store.LocalSize {
	return store.LocalSize{
		Bytes:     int64(l.items.WeightedSize()),
		Budget:    l.budget,
		Entries:   int64(l.items.EstimatedSize()),
		Evictions: l.evictions.Load(),
	}
}

func (l *local) close() {
	l.items.InvalidateAll()
	l.items.CleanUp()
	l.items.StopAllGoroutines()
}
