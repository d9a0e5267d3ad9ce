package redisstore

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// TestPartitionBoundsStaleness cuts A off, silently, and purges on B.
func TestPartitionBoundsStaleness(t *testing.T) {
	addr := sharedAddr(t)
	p := newProxy(t, addr)
	o := Options{Addrs: []string{p.addr}, Namespace: randomNamespace(), Trust: 200 * time.Millisecond}
	a := open(t, o)
	o.Addrs = []string{addr}
	b := open(t, o)
	for _, purge := range []store.Purge{{Keys: []string{"k"}}, {Tags: []string{"tag"}}} {
		eventually(t, 2*time.Second, "filled", func() bool { return tryFill(b, "k", "v", "tag") == nil || body(b, "k") == "v" })
		eventually(t, 2*time.Second, "A keeps it", func() bool { return body(a, "k") == "v" && isLocal(a, store.Slot{Key: "k"}) })
		p.up.set(true)
		p.down.set(true)
		if _, err := b.Purge(ctx, purge); err != nil {
			t.Fatal(err)
		}
		purged := time.Now()
		eventually(t, 2*time.Second, "A stops serving it", func() bool { return body(a, "k") == "" })
		if took := time.Since(purged); took > o.Trust+50*time.Millisecond+slack {
			t.Errorf("A served it for %v", took)
		}
		p.up.set(false)
		p.down.set(false)
		eventually(t, 2*time.Second, "A is back", func() bool {
			_, err := a.Get(ctx, "k")
			return errors.Is(err, store.ErrNotFound)
		})
	}
}

// TestLateAnswerIsNotForNewerReads holds back Redis's answers until a read is
// given up and the value has changed. rueidis then meets the old answer while
// newer reads of the key are pending.
func TestLateAnswerIsNotForNewerReads(t *testing.T) {
	addr := sharedAddr(t)
	p := newProxy(t, addr)
	o := Options{Addrs: []string{p.addr}, Namespace: randomNamespace(), Trust: 400 * time.Millisecond, Timeout: 100 * time.Millisecond}
	a := open(t, o)
	o.Addrs, o.Timeout = []string{addr}, time.Second
	b := open(t, o)
	answered := 0
	for round := range 8 {
		key := string(rune('a' + round))
		fill(t, b, key, "old")
		p.down.set(true)
		// Given up early: a whole Timeout of silence would end all reading.
		short, cancel := context.WithTimeout(ctx, o.Timeout/20)
		if it, err := a.asTold().fetch(short, store.Slot{Key: key}); err == nil {
			t.Fatalf("answered %q through a shut gate", it.Body)
		}
		cancel()
		fill(t, b, key, "new")
		var wg sync.WaitGroup
		got := make([]string, 8)
		for i := range got {
			wg.Go(func() { got[i] = body(a, key) })
		}
		time.AfterFunc(20*time.Millisecond, func() { p.down.set(false) })
		wg.Wait()
		for _, v := range got {
			if v == "old" {
				t.Fatalf("round %d: a read got what was there before it began", round)
			}
			if v == "new" {
				answered++
			}
		}
		eventually(t, 2*time.Second, "A is itself again", func() bool { return body(a, key) == "new" && isLocal(a, store.Slot{Key: key}) })
	}
	if answered == 0 {
		t.Error("no read was answered: nothing was tested")
	}
}
