// Package memstore keeps values in this process's memory, bounded in bytes. It
// is the store for a program that runs once, and for tests: the same contract
// as a fleet's store, with nothing to install.
//
// What is kept is chosen by how often and how lately it was asked for (W-TinyLFU,
// by otter), so that a scan of rare keys does not push out what is hot.
package memstore

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/reprise-go/reprise/internal/heap"
	"github.com/reprise-go/reprise/store"
)

// Options say how much a Store keeps. The zero value is the defaults.
type Options struct {
	_ [0]func()

	// Bytes bounds what is kept, with its overhead; 0: 64 MiB, at least 64 KiB.
	// An entry of more than an eighth of it is not kept, since it would push
	// out too much else: its Commit returns store.ErrTooLarge.
	// Beside it there are up to 5 MiB for the purges of tags.
	Bytes int64

	Recorder store.Recorder // nil: nothing is recorded
}

// An OptionError is one thing that is wrong with Options.
type OptionError struct {
	Field  string
	Value  any
	Reason string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("memstore: Options.%s = %v: %s", e.Field, e.Value, e.Reason)
}

const (
	defaultBytes = 64 << 20
	minBytes     = 64 << 10
)

// A Store is a store.Store in memory. It starts no goroutines and needs no Close.
type Store struct {
	items     *otter.Cache[uint64, *entry] // by Slot.Hash: who finds an entry looks whether it is the slot's
	seed      maphash.Seed
	budget    int64
	largest   int64 // size of one entry
	evictions atomic.Uint64
	zero      int64 // when store.Monotonic was 0, by the clock of the day as it was when the store was made
	log       purgeLog
	shards    [shardCount]shard
	recorder  store.Recorder
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Sizer      = (*Store)(nil)
	_ store.ManyGetter = (*Store)(nil)
	_ store.Pinger     = (*Store)(nil)
	_ store.Referrer   = (*Store)(nil)
	_ store.Locator    = (*Store)(nil)
)

// New returns a Store, or what is wrong with o, as *OptionErrors.
func New(o Options) (*Store, error) {
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
	}
	if o.Bytes < minBytes {
		return nil, errors.Join(&OptionError{"Bytes", o.Bytes, "less than 64 KiB"})
	}
	s := &Store{budget: o.Bytes, largest: min(o.Bytes/8, math.MaxUint32), seed: maphash.MakeSeed(), zero: time.Now().UnixNano() - int64(store.Monotonic()), recorder: o.Recorder}
	if s.recorder == nil {
		s.recorder = unrecorded{}
	}
	s.log.init()
	for i := range s.shards {
		s.shards[i].init()
	}
	var err error
	s.items, err = otter.New(&otter.Options[uint64, *entry]{
		MaximumWeight: uint64(o.Bytes),
		Weigher:       func(_ uint64, e *entry) uint32 { return uint32(size(e)) }, // tooLarge sees to it that it fits
		// Ends of lives are checked by look-ups, and what nobody looks up any
		// more is what the budget drops: otter's expiry would start a
		// goroutine with a ticker.
		//
		// Upkeep runs in the goroutine that makes it necessary, so that the
		// store needs no Close. None of the callbacks here calls the cache,
		// and nothing that runs under its locks does.
		Executor: func(f func()) { f() },
		OnAtomicDeletion: func(e otter.DeletionEvent[uint64, *entry]) {
			e.Value.Drop()
			if e.Cause == otter.CauseOverflow {
				s.evictions.Add(1)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("memstore: %w", err)
	}
	return s, nil
}

// overhead is of one entry, beside the memory that it allocates itself: the map's
// node and its place in the table, and the policy's sketch.
const overhead = 48 + 40

// size estimates the bytes that an entry takes.
func size(e *entry) int64 {
	n := overhead + heap.Size(int(unsafe.Sizeof(*e))) + heap.Size(len(e.Key)) + heap.Size(len(e.Meta)) + store.MemoSize
	for _, t := range e.Tags {
		n += heap.Size(len(t))
	}
	n += heap.Size(len(e.Tags) * int(unsafe.Sizeof("")))
	if e.Kin != nil {
		n += heap.Size(int(unsafe.Sizeof(*e.Kin))) + heap.Size(len(e.Kin.Variant)) +
			2*nameOverhead // there may be as many names of variants that have gone
	}
	return int64(n + heap.Size(len(e.Body)))
}

// LocalSize is of store.Sizer.
func (s *Store) LocalSize() store.LocalSize {
	return store.LocalSize{
		Bytes:     int64(s.items.WeightedSize()),
		Budget:    s.budget,
		Entries:   int64(s.items.EstimatedSize()),
		Evictions: s.evictions.Load(),
	}
}

// end is when what has life left will end, as an Item's Ends, on the store's clock:
// setting the clock of the day changes no life.
func (s *Store) end(life time.Duration) int64 {
	now := s.zero + int64(store.Monotonic())
	return now + min(int64(life), math.MaxInt64-now)
}

// ended tells whether it's life had ended when store.Monotonic said now.
func (s *Store) ended(it *store.Item, now time.Duration) bool { return s.zero+int64(now) >= it.Ends }

type unrecorded struct{}

func (unrecorded) StoreOp(string, string, time.Duration) {}
func (unrecorded) Purged(string, bool, error)            {}
