// Package known remembers what recent callers asked for, and which stored item
// answers it once many have: the straight line past a store's look-up.
package known

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/reprise-go/reprise/store"
)

const (
	// After is how many hits make an item well known. A store that drops what is
	// used least has learned by then how often it is used.
	After = 16
	// Sampled is how many hits of a well-known item there are for each that goes to
	// the store all the same, so that it learns of them, and is timed.
	Sampled = 32
)

// A Table is a bounded set of questions, in which a later one takes an earlier one's
// place, of a few that it may be in: with one place for each, half of a thousand
// would take turns in theirs. Any goroutine may use it.
type Table[Q any] struct{ sets []Set[Q] }

// A Set is the places of the questions with one remainder of their hash, with some
// bits of it by which to see which one to look at.
type Set[Q any] struct {
	tags  [ways]atomic.Uint32
	asked [ways]atomic.Pointer[Q]
}

const (
	numSets = 1024
	ways    = 4
)

// NewTable returns one with 4,096 places, which take 48 KiB beside what is in them.
func NewTable[Q any]() *Table[Q] { return &Table[Q]{make([]Set[Q], numSets)} }

// Set is where a question with that hash is, if it is, and the tag it has there.
func (t *Table[Q]) Set(hash uint64) (s *Set[Q], tag uint32) {
	return &t.sets[hash%numSets], uint32(hash >> 32)
}

// With calls yield with what may be the question that has tag, until it returns false.
func (s *Set[Q]) With(tag uint32) func(yield func(*Q) bool) {
	return func(yield func(*Q) bool) {
		for i := range s.asked {
			if s.tags[i].Load() == tag {
				if q := s.asked[i].Load(); q != nil && !yield(q) {
					return
				}
			}
		}
	}
}

// Add puts q where nothing is, or in the place of one that is not well known, if it
// can. A tag that is another's for a moment only hides what is there.
func (s *Set[Q]) Add(q *Q, tag uint32, isWellKnown func(*Q) bool) {
	first := rand.IntN(ways)
	place := first
	for i := range ways {
		at := (first + i) % ways
		old := s.asked[at].Load()
		if old == nil {
			place = at
			break
		}
		if !isWellKnown(old) {
			place = at
		}
	}
	s.asked[place].Store(q)
	s.tags[place].Store(tag)
}

// An Answer leads to the item that answers a question, once it is well known.
type Answer struct {
	hits atomic.Uint32 // up to After
	ref  atomic.Pointer[store.Ref]
}

// Ref returns what leads to the item, or nil: the store is to be asked.
func (a *Answer) Ref() *store.Ref { return a.ref.Load() }

// WellKnown tells whether a has led to an item.
func (a *Answer) WellKnown() bool { return a.ref.Load() != nil }

// Hit notes that it, which st has found, was the answer, for the after-th time or more.
func (a *Answer) Hit(it *store.Item, st store.Store, after uint32) {
	if a.hits.Load() < after && a.hits.Add(1) < after {
		return
	}
	var ref *store.Ref
	if by, ok := st.(store.Referrer); ok { // and not it.Ref, which may be of a store that st wraps
		ref = by.Ref(it)
	}
	if a.ref.Load() != ref {
		a.ref.Store(ref)
	}
}
