package swr_test

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// A filled is what Observer.Filled was told.
type filled struct {
	key        string
	took       time.Duration
	background bool
	err        error
}

// A watcher is an Observer that remembers.
type watcher struct {
	mu     sync.Mutex
	flying int
	fills  []filled
	failed []string // the operations of the store
}

func (w *watcher) Filled(key string, took time.Duration, background bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fills = append(w.fills, filled{key, took, background, err})
}

func (w *watcher) StoreFailed(op string, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, op)
}

func (w *watcher) Flying(delta int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying += delta
}

// failures returns how often the store was said to have failed at op.
func (w *watcher) failures(op string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.failed {
		if o == op {
			n++
		}
	}
	return n
}

// filled returns what ended, in order.
func (w *watcher) filled() []filled {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.fills)
}

// ends returns how many fills ended with err.
func (w *watcher) ends(err error) (n int) {
	for _, f := range w.filled() {
		if errors.Is(f.err, err) {
			n++
		}
	}
	return n
}
