package swr

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/reprise-go/reprise/store"
)

// GetMany is Get for many keys, in one round trip to each node of a store that
// has any. The map holds those of which something usable is stored; a key that is
// invalid, missing or known to have no value is not in it. It returns no error of the
// store's: what cannot be read is not there.
func (c *Cache[T]) GetMany(ctx context.Context, keys ...string) map[string]T {
	found := make(map[string]T, len(keys))
	for _, k := range c.callsFor(ctx, keys, nil) {
		key := k.own()
		v, st := c.group.Peek(ctx, k)
		outcome := Miss
		switch st {
		case Fresh:
			outcome = Hit
		case Stale:
			outcome = HitStale
		default:
			v = nil
		}
		if value, err := c.finish(k, v, outcome, nil); err == nil {
			found[key] = value
		}
	}
	return found
}

// GetOrSetMany is GetOrSet for many keys: those that are not stored are loaded by
// one call of load, which need not know of all: a key that it leaves out has no value,
// as if by ErrNotFound. Those that somebody else is loading are waited for. Stale
// ones are refreshed one by one. What ErrKey is said of is loaded by a call of its
// own.
//
// The map holds what there is; the error, if any, is one of those that kept the
// others from being loaded.
func (c *Cache[T]) GetOrSetMany(ctx context.Context, keys []string, load func(ctx context.Context, missing []string) (map[string]T, error)) (map[string]T, error) {
	calls := c.callsFor(ctx, keys, load)
	srcs := make([]Source[*cell[T]], len(calls))
	for i, k := range calls {
		srcs[i] = k
	}
	b := newBatch(nil, load)
	results := c.group.LoadMany(ctx, srcs, func(leading []int) {
		for _, i := range leading {
			calls[i].batch = b
			b.keys = append(b.keys, calls[i].own())
		}
	})
	all := make(map[string]T, len(keys))
	var failed error
	for i, r := range results {
		key := calls[i].own()
		err := r.Err
		if r.Outcome == HitStale {
			err = nil
		}
		switch value, err := c.finish(calls[i], r.Value, r.Outcome, err); {
		case err == nil:
			all[key] = value
		case !errors.Is(err, ErrNotFound) && failed == nil:
			failed = err
		}
	}
	if err := c.bypassMany(ctx, keys, load, all); failed == nil {
		failed = err
	}
	return all, failed
}

// bypassMany is bypass for those of keys that cannot be stored. It puts into all what
// it brings.
func (c *Cache[T]) bypassMany(ctx context.Context, keys []string, load func(context.Context, []string) (map[string]T, error), all map[string]T) (failed error) {
	var none []string
	for _, key := range keys {
		if !isKey(key) {
			none = append(none, key)
		}
	}
	slices.Sort(none)
	none = slices.Compact(none)
	b := newBatch(slices.Clone(none), load)
	for _, key := range none {
		switch v, err := c.bypass(ctx, func(ctx context.Context) (T, error) { return b.of(ctx, key) }); {
		case err == nil:
			all[key] = v
		case !errors.Is(err, ErrNotFound) && failed == nil:
			failed = err
		}
	}
	return failed
}

// callsFor returns a call for each of keys that is one, once, primed with what is
// stored.
func (c *Cache[T]) callsFor(ctx context.Context, keys []string, load func(context.Context, []string) (map[string]T, error)) []*call[T] {
	calls := make([]*call[T], 0, len(keys))
	names := make([]string, 0, len(keys))
	seen := make(map[string]struct{}, len(keys))
	now := c.clock.Read()
	for _, key := range keys {
		if _, twice := seen[key]; twice || !isKey(key) {
			continue
		}
		seen[key] = struct{}{}
		k := c.call(key, now, nil)
		if load != nil {
			k.load = func(ctx context.Context) (T, error) { return one(ctx, key, load) }
			k.early = c.config.EarlyRefresh
		}
		calls, names = append(calls, k), append(names, k.Claim().Key)
	}
	m, ok := c.store.(store.ManyGetter)
	if !ok || len(calls) < 2 {
		return calls
	}
	items := make([]*store.Item, len(calls))
	if err := m.GetMany(ctx, names, items); err != nil {
		c.record.StoreFailed("get", err)
		c.stats.failure.Add(1)
	}
	for i, k := range calls {
		k.primed, k.asked = items[i], true
	}
	return calls
}

// A batch is one load for many calls.
type batch[T any] struct {
	load func(context.Context, []string) (map[string]T, error)
	keys []string

	running atomic.Bool
	done    chan struct{}
	values  map[string]T
	err     error
	panic   any // of the load: each of the calls panics with it, as if it had loaded alone
}

// errExited is of a load for many that ended its goroutine, and has brought nothing.
var errExited = errors.New("swr: load called runtime.Goexit")

func newBatch[T any](keys []string, load func(context.Context, []string) (map[string]T, error)) *batch[T] {
	return &batch[T]{keys: keys, load: load, done: make(chan struct{})}
}

// of returns the value of key. The first to ask loads for all, in its context.
func (b *batch[T]) of(ctx context.Context, key string) (T, error) {
	if b.running.CompareAndSwap(false, true) {
		b.run(ctx)
	}
	<-b.done
	if b.panic != nil {
		panic(b.panic)
	}
	return pick(b.values, b.err, key)
}

func (b *batch[T]) run(ctx context.Context) {
	defer func() {
		b.panic = recover()
		close(b.done)
	}()
	b.err = errExited // until it has returned: what it left out is not known to be missing
	b.values, b.err = b.load(ctx, b.keys)
}

// one loads one key by a load for many.
func one[T any](ctx context.Context, key string, load func(context.Context, []string) (map[string]T, error)) (T, error) {
	values, err := load(ctx, []string{key})
	return pick(values, err, key)
}

// pick returns what a load for many has brought for key.
func pick[T any](values map[string]T, err error, key string) (v T, _ error) {
	if v, ok := values[key]; ok {
		return v, nil
	}
	if err == nil {
		err = ErrNotFound
	}
	return v, err
}
