package memstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

func TestGetManyAllocatesNothing(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	keys, items := make([]string, 100), make([]*store.Item, 100)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
		if i%4 == 0 {
			continue
		}
		l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: keys[i]}, Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(ctx, store.Entry{Body: []byte(keys[i]), Life: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { err = errors.Join(err, s.GetMany(ctx, keys, items)) }); n != 0 || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
	for i, it := range items {
		if (it == nil) != (i%4 == 0) || it != nil && string(it.Body) != keys[i] {
			t.Errorf("%q: %v", keys[i], it)
		}
	}
}

func TestPing(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if h, err := s.Ping(context.Background()); err != nil || h.Latency != 0 || h.Degraded != "" || h.Lag != 0 || h.Local.Budget != defaultBytes {
		t.Errorf("%+v, %v", h, err)
	}
}
