package swr

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
	"unsafe"

	"github.com/reprise-go/reprise/internal/clock"
	"github.com/reprise-go/reprise/store"
)

// A call is one caller's view of one value: the Source of a Cache.
type call[T any] struct {
	c    *Cache[T]
	key  []byte // with the prefix
	name string // key, once somebody keeps it
	load func(context.Context) (T, error)

	early  float64 // Config.EarlyRefresh, if the call may refresh
	began  clock.Reading
	now    int64 // of the last look, in nanoseconds since 1970
	looked bool
	asked  bool        // somebody has looked for several callers, and
	primed *store.Item // this is what the first look finds
	batch  *batch[T]   // which loads for several callers; nil: load does

	found *store.Item // by the last look, usable or not
	cell  *cell[T]    // the last one that was opened, and
	value T           // what it holds
}

// call returns one for key that began at now.
func (c *Cache[T]) call(key string, now clock.Reading, load func(context.Context) (T, error)) *call[T] {
	k := c.calls.Get().(*call[T])
	k.key = append(append(k.key[:0], c.prefix...), key...)
	k.load = load
	k.began, k.now = now, now.Nanos
	return k
}

// reset lets go of what k refers to.
func (k *call[T]) reset() { *k = call[T]{c: k.c, key: k.key[:0]} }

// Lookup is of Source.
func (k *call[T]) Lookup(ctx context.Context) (*cell[T], error) {
	k.found, k.cell = nil, nil
	if k.looked {
		k.now = k.c.clock.Read().Nanos
	}
	k.looked = true
	it, err := k.look(ctx)
	if err != nil {
		return nil, err
	}
	k.found = it
	v, err := k.c.read(it)
	if err == nil {
		err = k.open(v)
	}
	if err != nil {
		k.c.unusable(ctx, it, err)
		return nil, store.ErrNotFound
	}
	return v, nil
}

func (k *call[T]) look(ctx context.Context) (*store.Item, error) {
	if !k.asked {
		// A store clones a key that it keeps, so this need not be a string of its own.
		return k.c.store.Get(ctx, text(k.key))
	}
	k.asked = false
	if k.primed == nil {
		return nil, store.ErrNotFound
	}
	return k.primed, nil
}

// own is the caller's key, without the prefix.
func (k *call[T]) own() string { return k.Claim().Key[len(k.c.prefix):] }

// open makes k's value that of v.
func (k *call[T]) open(v *cell[T]) (err error) {
	if k.cell == v {
		return nil
	}
	if k.value, err = k.c.open(v); err != nil {
		return err
	}
	k.cell = v
	return nil
}

// State is of Source.
func (k *call[T]) State(v *cell[T]) State {
	if v == nil || k.open(v) != nil {
		return Absent
	}
	if k.early == 0 {
		return v.state(k.now, 0, 0)
	}
	return v.state(k.now, k.early, rand.ExpFloat64())
}

// Claim is of Source.
func (k *call[T]) Claim() store.Claim {
	if k.name == "" {
		k.name = string(k.key)
	}
	return store.Claim{Slot: store.Slot{Key: k.name}, Base: k.found}
}

// Fill is of Source.
func (k *call[T]) Fill(ctx context.Context, run *Run, _ *cell[T]) (Made[*cell[T]], error) {
	began := time.Now()
	v, err := k.run(ctx)
	missing := errors.Is(err, ErrNotFound)
	if err != nil && !missing {
		return Made[*cell[T]]{}, err
	}
	if !missing {
		if err := k.c.validate(v); err != nil {
			return Made[*cell[T]]{}, k.c.refuse(refusedInvalid, err)
		}
	}
	made := k.c.made(began, v, missing)
	k.cell, k.value = made, v
	m := Made[*cell[T]]{Value: made, Shared: true}
	if !run.Solo() {
		if entry, why := k.c.entry(k.own(), made, v); why == nil {
			m.Keep = append(m.Keep, entry)
		}
	}
	// What is not stored is for those who wait all the same: to delete what it
	// takes the place of tells whether a purge came first. Who loads for himself
	// has nobody who waits, and leaves what is stored to those who store.
	m.Drop = len(m.Keep) == 0 && !run.Solo()
	return m, nil
}

// run loads: by what the caller brought, or as the Config says.
func (k *call[T]) run(ctx context.Context) (T, error) {
	switch {
	case k.batch != nil:
		return k.batch.of(ctx, k.own())
	case k.load != nil:
		return k.load(ctx)
	}
	return k.c.config.Load(ctx, k.own())
}

// Detach is of Source.
func (k *call[T]) Detach(ctx context.Context) (context.Context, Source[*cell[T]]) {
	own := &call[T]{c: k.c, key: []byte(k.Claim().Key), name: k.name, load: k.load, found: k.found, looked: true}
	return context.WithoutCancel(ctx), own
}

// text is b as a string, for as long as nobody writes to b.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
