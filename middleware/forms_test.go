package middleware

import (
	"runtime"
	"testing"

	"github.com/reprise-go/reprise/store"
)

// Forms that are ready are bounded in bytes, whatever number of responses is asked
// for; what is asked for again becomes ready again.
func TestReadyFormsAreBounded(t *testing.T) {
	var fs forms
	meta := sample().encode()
	items := make([]*store.Item, 3*maxReady/sample().memory())
	ask := func(it *store.Item, times uint32) {
		for range times {
			if r, err := fs.decoded(it); err != nil || r.item != it {
				t.Fatalf("decoded to %v, %v", r, err)
			}
		}
	}
	for i := range items {
		items[i] = &store.Item{Meta: meta, Body: []byte("body")}
		ask(items[i], askedOften-1)
		if remembered(items[i]) != nil {
			t.Fatalf("ready when it was asked for %d times", askedOften-1)
		}
		ask(items[i], 1)
		if remembered(items[i]) == nil {
			t.Fatalf("not ready when it was asked for %d times", askedOften)
		}
	}
	ready := 0
	for _, it := range items {
		if r := remembered(it); r != nil {
			ready += r.memory()
		}
	}
	if ready > maxReady || ready < maxReady*9/10 || fs.bytes != ready {
		t.Errorf("%d bytes are ready, counted as %d; want at most %d", ready, fs.bytes, maxReady)
	}
	if remembered(items[0]) != nil {
		t.Error("the oldest is ready")
	}
	ask(items[0], askedOften)
	if remembered(items[0]) == nil {
		t.Error("not ready again")
	}
	if n := testing.AllocsPerRun(100, func() { ask(items[0], 1) }); n != 0 {
		t.Errorf("what is ready costs %v allocations", n)
	}
	runtime.KeepAlive(items)
}
