// Package forms keeps decoded what is asked for often, for pages and values alike.
package forms

import (
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/reprise-go/reprise/store"
)

// Forms remember what items decode to, of those that are asked for again and
// again. What is decoded takes more than many an item itself: so it is bounded in
// bytes, beside the budget of the store, and the oldest give way to new ones. One
// that is asked for still is ready again after a few more times.
//
// Set the fields before the first call; the methods may be called at the same time.
type Forms[T any] struct {
	Decode func(*store.Item) (*T, error)
	Size   func(*T) int // of the heap, in bytes
	Bound  int          // of all that are ready, in bytes; a sixteenth of it of one
	After  uint32       // how many times an item is decoded before its form stays ready

	mu    sync.Mutex
	queue []readyForm[T] // the oldest first
	bytes int
}

// Bound is a fair Bound of what a cache on st remembers: a sixteenth of what st
// keeps in this process, and at least 4 MiB.
func Bound(st store.Store) int {
	const least, part = 4 << 20, 16
	if s, ok := st.(store.Sizer); ok {
		return max(least, int(s.LocalSize().Budget/part))
	}
	return least
}

// A form is what an item's memo holds.
type form[T any] struct {
	ready atomic.Pointer[T] // nil: it is decoded each time
	asked atomic.Uint32     // how often it was, while ready was nil
}

// A readyForm does not keep its form from going with the item.
type readyForm[T any] struct {
	form  weak.Pointer[form[T]]
	bytes int
}

// Place is what Forms take for one that is ready, beside Size, in bytes.
const Place = 64

func newForm[T any](*store.Item) (*form[T], error) { return new(form[T]), nil }

// Decoded returns what it decodes to. What is ready costs no allocation.
func (fs *Forms[T]) Decoded(it *store.Item) (*T, error) {
	f, err := store.Decoded(it, newForm[T])
	if err != nil {
		return nil, err
	}
	if v := f.ready.Load(); v != nil {
		return v, nil
	}
	v, err := fs.Decode(it)
	if err == nil && f.asked.Add(1) >= fs.After {
		fs.add(f, v)
	}
	return v, err
}

// Ready returns the item that r leads to, as r.Get does, and what it decodes to if that
// is ready, or nil.
func (fs *Forms[T]) Ready(r *store.Ref, now time.Duration) (*store.Item, *T) {
	it, f := store.Recalled[form[T]](r, now)
	if f == nil {
		return it, nil
	}
	return it, f.ready.Load()
}

// add makes v f's, in the place of the oldest ones.
func (fs *Forms[T]) add(f *form[T], v *T) {
	k := readyForm[T]{weak.Make(f), fs.Size(v) + Place}
	if k.bytes > fs.Bound/16 {
		return
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if !f.ready.CompareAndSwap(nil, v) {
		return
	}
	fs.queue = append(fs.queue, k)
	for fs.bytes += k.bytes; fs.bytes > fs.Bound; fs.queue = fs.queue[1:] {
		oldest := fs.queue[0]
		fs.bytes -= oldest.bytes
		if f := oldest.form.Value(); f != nil {
			f.asked.Store(0)
			f.ready.Store(nil)
		}
	}
}
