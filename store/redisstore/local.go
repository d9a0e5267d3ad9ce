package redisstore

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/reprise-go/reprise/store"
)

// local is the memory of this process: one map for all connections, bounded in
// bytes. Only the connections' readers put into it, in the order in which Redis
// answered and pushed, so that no invalidation falls between a read and its
// put. Anybody may drop.
type local struct {
	items     *otter.Cache[store.Slot, *item]
	budget    int64
	evictions atomic.Uint64
}

func newLocal(budget int64) (*local, error) {
	l := &local{budget: budget}
	var err error
	l.items, err = otter.New(&otter.Options[store.Slot, *item]{
		MaximumWeight: uint64(budget),
		Weigher:       weigh,
		OnAtomicDeletion: func(e otter.DeletionEvent[store.Slot, *item]) {
			e.Value.Drop()
			if e.Cause == otter.CauseOverflow {
				l.evictions.Add(1)
			}
		},
	})
	return l, err
}

// overhead is of one item: the map's node and table, the policy's links, the
// allocator's rounding. Measured with 100,000 small items.
const overhead = 200

// weigh estimates the bytes that an item takes.
func weigh(_ store.Slot, it *item) uint32 {
	n := overhead + int(unsafe.Sizeof(*it)) + len(it.raw) + it.Memo() +
		len(it.refs)*int(unsafe.Sizeof(ref{})) + len(it.Tags)*16
	if it.packed != nil {
		n += int(unsafe.Sizeof(*it.packed)) + it.packed.size
	}
	return uint32(min(n, math.MaxUint32))
}

// get returns what is kept of slot if a live connection still tracks it.
func (l *local) get(slot store.Slot, now, after int64) *item {
	it, ok := l.items.GetIfPresent(slot)
	if !ok || !it.tracked(now, after) {
		return nil
	}
	if after != 0 { // its push, and the proof of having read it, may have come since
		if still, _ := l.items.GetIfPresent(slot); still != it {
			return nil
		}
	}
	return it
}

// tracked tells whether a live connection still tracks it, which is kept.
func (it *item) tracked(now, after int64) bool {
	return now < it.ends && it.gen == it.conn.gen.Load() && it.conn.live(now, after)
}

// Current is of store.Keeper.
func (it *item) Current(t time.Time) bool {
	s := it.conn.s
	now := s.at(t)
	return it.tracked(now, 0) && s.asTold().vouched(it, now) && it.ready()
}

// same returns the kept item if it was decoded from raw, so that a value is
// decoded and held once.
func (l *local) same(slot store.Slot, raw string) *item {
	it, ok := l.items.GetIfPresent(slot)
	if !ok || it.raw != raw || it.gen != it.conn.gen.Load() {
		return nil
	}
	return it
}

func (l *local) put(it *item) {
	if it.Variant == "" {
		it.Keep(it)
	}
	l.items.Set(store.Slot{Key: it.Key, Variant: it.Variant}, it)
}

func (l *local) drop(slot store.Slot) { l.items.Invalidate(slot) }

// dropIf removes what f says. It walks the whole map.
func (l *local) dropIf(f func(*item) bool) {
	for slot, it := range l.items.All() {
		if f(it) {
			l.items.Invalidate(slot)
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
