package swr

import (
	"errors"
	"sync/atomic"
	"time"
)

// A Recorder is asked once per Cache, so that a call costs no look-up of labels.
type Recorder interface{ Cache(name string) Calls }

// Calls records what happens to one Cache. Its methods must not block.
type Calls interface {
	Observer

	// Called records one call, or one key of a call for many. failed: it brought
	// neither a value nor the word that there is none, but a miss of Get's is no
	// failure. took is 0 where it was not measured: of hits, about one in 32 is.
	Called(o Outcome, failed bool, took time.Duration)
	// Refused records a value that was not used or not stored, by why: "foreign",
	// "schema", "decode" and "invalid" of what is stored, "invalid", "encode",
	// "size" and "tags" of what was loaded or Set.
	Refused(why string)
}

// A refusal is why a value is not used or not stored.
type refusal uint8

const (
	refusedForeign refusal = iota
	refusedSchema
	refusedDecode
	refusedInvalid
	refusedEncode
	refusedSize
	refusedTags
	numRefusals
)

var refusalNames = [numRefusals]string{"foreign", "schema", "decode", "invalid", "encode", "size", "tags"}

// saidAt is when a refusal was last logged, in nanoseconds since 1970.
type saidAt struct{ atomic.Int64 }

// quiet is how long a refusal is not logged again: one broken deployment would
// write a line for every value.
const quiet = time.Minute

// refuse records err, which it returns.
func (c *Cache[T]) refuse(why refusal, err error) error {
	c.stats.refused.Add(1)
	c.record.Refused(refusalNames[why])
	now, last := time.Now().UnixNano(), c.said[why].Load()
	if (last == 0 || now-last >= int64(quiet)) && c.said[why].CompareAndSwap(last, now) {
		c.config.Logger.Warn("value refused", "cache", c.config.Name, "why", refusalNames[why], "err", err)
	}
	return err
}

// Stats are what a Cache has counted since it was made, or since ResetStats.
type Stats struct {
	Hits      uint64 // fresh
	Stale     uint64 // stored and stale
	Collapsed uint64 // loaded for another caller who came first
	Misses    uint64 // loaded for the caller, or nothing found by Get
	Rescued   uint64 // loading failed, and what was stored stood in
	Bypassed  uint64 // ErrKey
	Errors    uint64 // calls of these that brought an error; ErrMiss and ErrNotFound are none
	Refused   uint64 // values that were not used or not stored, see Calls
	Failures  uint64 // of the store
	Loads     uint64 // runs of a load, refreshes among them

	Latency     time.Duration // of a call, on average; of hits, one in 32 is measured
	LoadLatency time.Duration // of a load, on average
}

// Calls is how many there were. A call for many counts once per key.
func (s Stats) Calls() uint64 {
	return s.Hits + s.Stale + s.Collapsed + s.Misses + s.Rescued + s.Bypassed
}

// HitRate is the part of the calls that were answered from the store, fresh or
// stale: from 0 to 1; 0 without any call.
func (s Stats) HitRate() float64 {
	if s.Calls() == 0 {
		return 0
	}
	return float64(s.Hits+s.Stale+s.Rescued) / float64(s.Calls())
}

// A tally is Stats being counted.
type tally struct {
	outcomes                 [NumOutcomes]atomic.Uint64
	errors, refused, failure atomic.Uint64
	hit, other, load         timing
}

// A timing is the sum of what was timed.
type timing struct{ count, sum atomic.Int64 }

func (t *timing) add(d time.Duration) {
	t.count.Add(1)
	t.sum.Add(int64(d))
}

func (t *timing) mean() time.Duration {
	if n := t.count.Load(); n > 0 {
		return time.Duration(t.sum.Load() / n)
	}
	return 0
}

func (t *timing) reset() {
	t.count.Store(0)
	t.sum.Store(0)
}

// count records one call.
func (c *Cache[T]) count(o Outcome, err error, took time.Duration) {
	failed := err != nil && !errors.Is(err, ErrMiss) && !errors.Is(err, ErrNotFound)
	t := &c.stats
	t.outcomes[o].Add(1)
	if failed {
		t.errors.Add(1)
	}
	switch {
	case took == 0:
	case o == Hit:
		t.hit.add(took)
	default:
		t.other.add(took)
	}
	c.record.Called(o, failed, took)
}

// Stats returns what was counted. What happens meanwhile may be in a part of it.
func (c *Cache[T]) Stats() Stats {
	t := &c.stats
	s := Stats{
		Hits: t.outcomes[Hit].Load(), Stale: t.outcomes[HitStale].Load(), Collapsed: t.outcomes[Collapsed].Load(),
		Misses: t.outcomes[Miss].Load(), Rescued: t.outcomes[Rescued].Load(), Bypassed: t.outcomes[Bypass].Load(),
		Errors: t.errors.Load(), Refused: t.refused.Load(), Failures: t.failure.Load(),
		Loads: uint64(t.load.count.Load()), LoadLatency: t.load.mean(),
	}
	if n := s.Calls(); n > 0 { // the hits that were timed stand for all of them
		s.Latency = time.Duration((float64(t.hit.mean())*float64(s.Hits) + float64(t.other.mean())*float64(n-s.Hits)) / float64(n))
	}
	return s
}

// ResetStats begins to count anew. Config.Recorder is not told.
func (c *Cache[T]) ResetStats() {
	t := &c.stats
	for i := range t.outcomes {
		t.outcomes[i].Store(0)
	}
	for _, n := range []*atomic.Uint64{&t.errors, &t.refused, &t.failure} {
		n.Store(0)
	}
	for _, n := range []*timing{&t.hit, &t.other, &t.load} {
		n.reset()
	}
}

// watched is the Observer of a Cache's Group.
type watched struct {
	Calls
	t *tally
}

// Filled is of Observer.
func (w watched) Filled(key string, took time.Duration, background bool, err error) {
	w.t.load.add(took)
	w.Calls.Filled(key, took, background, err)
}

// StoreFailed is of Observer.
func (w watched) StoreFailed(op string, err error) {
	w.t.failure.Add(1)
	w.Calls.StoreFailed(op, err)
}

// uncounted is the Recorder of a Cache without one.
type uncounted struct{ unobserved }

func (uncounted) Cache(string) Calls                  { return uncounted{} }
func (uncounted) Called(Outcome, bool, time.Duration) {}
func (uncounted) Refused(string)                      {}
