package middleware

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/reprise-go/reprise/swr"
)

// An Event is what became of one request that was no plain hit.
type Event struct {
	At      time.Time     `json:"at"`
	Outcome swr.Outcome   `json:"outcome"`
	Reason  Reason        `json:"reason"`
	Took    time.Duration `json:"took_ns"`
}

// recent remembers what became of the last requests of one policy, hits and bypasses
// left out, in 16 KiB.
type recent struct {
	seed maphash.Seed

	mu     sync.Mutex
	events [512]keyedEvent
	next   int // counts up
}

// A keyedEvent is an Event of a key with that hash, in few bytes.
type keyedEvent struct {
	key     uint64
	at      instant
	took    time.Duration
	outcome swr.Outcome
	reason  Reason
}

// maxRecent is how many Events of one key are told of.
const maxRecent = 32

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

func (c *recent) add(key string, at instant, o swr.Outcome, why Reason, took time.Duration) {
	e := keyedEvent{maphash.String(c.seed, key), at, took, o, why}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events[c.next%len(c.events)] = e
	c.next++
}

// of returns what is remembered of key, the latest first.
func (c *recent) of(key string) (list []Event) {
	hash := maphash.String(c.seed, key)
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := c.next - 1; n >= max(c.next-len(c.events), 0) && len(list) < maxRecent; n-- {
		if e := &c.events[n%len(c.events)]; e.key == hash {
			list = append(list, Event{e.at.time(), e.outcome, e.reason, e.took})
		}
	}
	return list
}

// A PurgeEvent is one purge of a Cache by its program. Those that unsafe requests
// have caused are not among them.
type PurgeEvent struct {
	At     time.Time     `json:"at"`
	Keys   []string      `json:"keys,omitempty"` // the first four
	Tags   []string      `json:"tags,omitempty"` // the first four
	Match  string        `json:"match,omitempty"`
	All    bool          `json:"all,omitempty"`
	Soft   bool          `json:"soft,omitempty"`
	DryRun bool          `json:"dry_run,omitempty"`
	Count  int           `json:"count"` // as store.Purged has it
	Took   time.Duration `json:"took_ns"`
	Err    string        `json:"err,omitempty"`
}

// purges are the last purges of a Cache.
type purges struct {
	mu   sync.Mutex
	last []PurgeEvent // the latest last
}

const maxPurges = 64

func (c *purges) add(e PurgeEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.last) == maxPurges {
		c.last = append(c.last[:0], c.last[1:]...)
	}
	c.last = append(c.last, e)
}

// Purges returns the last purges by this program, the latest first: at most 64.
func (c *Cache) Purges() []PurgeEvent {
	c.purges.mu.Lock()
	defer c.purges.mu.Unlock()
	list := slices.Clone(c.purges.last)
	slices.Reverse(list)
	return list
}

// head returns the first of names, as far as somebody may read them.
func head(names []string) []string {
	const most, longest = 4, 256
	short := slices.Clone(names[:min(len(names), most)])
	for i, n := range short {
		short[i] = n[:min(len(n), longest)]
	}
	return short
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
