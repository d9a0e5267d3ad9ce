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
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/reprise-go/reprise/store"
)

// Options say how much a Store keeps. The zero value is the defaults.
type Options struct {
	_ [0]func()

	// Bytes bounds what is kept, with its overhead; 0: 64 MiB, at least 64 KiB.
	// An entry of more than an eighth of it is not kept, since it would push
	// out too much else: its Commit returns nil, and a look finds nothing.
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
	items     *otter.Cache[store.Slot, *entry]
	budget    int64
	largest   int64 // size of one entry
	evictions atomic.Uint64
	start     time.Time
	log       purgeLog
	shards    [shardCount]shard
	recorder  store.Recorder
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Sizer      = (*Store)(nil)
	_ store.ManyGetter = (*Store)(nil)
	_ store.Pinger     = (*Store)(nil)
)

// New returns a Store, or what is wrong with o, as *OptionErrors.
func New(o Options) (*Store, error) {
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
	}
	if o.Bytes < minBytes {
		return nil, errors.Join(&OptionError{"Bytes", o.Bytes, "less than 64 KiB"})
	}
	s := &Store{budget: o.Bytes, largest: min(o.Bytes/8, math.MaxUint32), start: time.Now(), recorder: o.Recorder}
	if s.recorder == nil {
		s.recorder = unrecorded{}
	}
	s.log.init()
	for i := range s.shards {
		s.shards[i].init()
	}
	var err error
	s.items, err = otter.New(&otter.Options[store.Slot, *entry]{
		MaximumWeight: uint64(o.Bytes),
		Weigher:       func(slot store.Slot, e *entry) uint32 { return uint32(size(slot, e)) }, // tooLarge sees to it that it fits
		// Ends of lives are checked by look-ups, and what nobody looks up any
		// more is what the budget drops: otter's expiry would start a
		// goroutine with a ticker.
		//
		// Upkeep runs in the goroutine that makes it necessary, so that the
		// store needs no Close. None of the callbacks here calls the cache,
		// and nothing that runs under its locks does.
		Executor: func(f func()) { f() },
		OnAtomicDeletion: func(e otter.DeletionEvent[store.Slot, *entry]) {
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

// overhead is of one entry, beside what it holds: the map's node and table, the
// policy's links and sketch, the allocator's rounding.
const overhead = 200

// size estimates the bytes that an entry takes.
func size(slot store.Slot, e *entry) int64 {
	n := overhead + int(unsafe.Sizeof(*e)) + len(slot.Key) + len(slot.Variant) + len(e.Meta) + e.Memo() + len(e.Body)
	for _, t := range e.Tags {
		n += len(t) + int(unsafe.Sizeof(t))
	}
	if slot.Variant != "" {
		n += 2 * nameOverhead // there may be as many names of variants that have gone
	}
	return int64(n)
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

// clock is the time since the store was made: it only goes forward.
func (s *Store) clock() time.Duration { return time.Since(s.start) }

type unrecorded struct{}

func (unrecorded) StoreOp(string, string, time.Duration) {}
func (unrecorded) Purged(string, bool, error)            {}
