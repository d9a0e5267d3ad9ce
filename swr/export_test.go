package swr

import "github.com/reprise-go/reprise/internal/known"

// What tests outside the package see of a Group.

// MaxMemos bounds Memos.
const MaxMemos = maxMemos

// Locked calls f while g's mutex is taken.
func (g *Group[V]) Locked(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// Memos returns how many slots g remembers something of.
func (g *Group[V]) Memos() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.memos.of)
}

// Waiting returns how many callers wait for fills.
func (g *Group[V]) Waiting() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.flights {
		n += f.waiting
	}
	return n
}

// Fingerprint is of T with the default codec.
func Fingerprint[T any](version string) uint64 { return fingerprint[T](JSON[T]{}, version) }

// WellKnown is how many hits make a value well known.
const WellKnown = known.After

// MaxPlaces is how many calls of a store LoadMany makes at the same time.
const MaxPlaces = maxPlaces
