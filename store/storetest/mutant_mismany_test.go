package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/reprise-go/reprise/store"
)

// lookedUp is a mutant whose GetMany alters what it has found.
func lookedUp(name string, alter func(keys []string, items []*store.Item), fails ...string) mutant {
	return mutant{name: name, fails: fails, breaks: func(f *faulty) {
		f.many = func(ctx context.Context, keys []string, items []*store.Item) error {
			err := f.Store.(store.ManyGetter).GetMany(ctx, keys, items)
			alter(keys, items)
			return err
		}
	}}
}

func manyMutants() []mutant {
	found := func(it *store.Item) bool { return it != nil }
	return []mutant{
		lookedUp("GetMany finds nothing", func(_ []string, items []*store.Item) { clear(items) },
			byMany+"a*", byMany+"b*", byMany+"i*", byMany+"k*", byMany+"s*", byMany+"the fields*", byMany+"what reuses*", "GetMany finds each*", "GetMany of views*"),
		lookedUp("GetMany finds none but the first", func(_ []string, items []*store.Item) {
			if i := slices.IndexFunc(items, found); i >= 0 {
				clear(items[i+1:])
			}
		}, "GetMany finds each key in its place", "GetMany without those that a purge of a tag dropped"),
		lookedUp("GetMany leaves no gaps", func(_ []string, items []*store.Item) {
			there := slices.DeleteFunc(slices.Clone(items), func(it *store.Item) bool { return it == nil })
			clear(items)
			copy(items, there)
		}, "GetMany finds each key in its place", byMany+"a commit can be read, every field of it"),
		{name: "GetMany leaves items as they were where nothing is found", breaks: func(f *faulty) {
			f.many = func(ctx context.Context, keys []string, items []*store.Item) error {
				old := slices.Clone(items)
				err := f.Store.(store.ManyGetter).GetMany(ctx, keys, items)
				for i := range items {
					if items[i] == nil {
						items[i] = old[i]
					}
				}
				return err
			}
		}, fails: []string{"GetMany forgets what was in items"}},
		{name: "GetMany takes any number of items", breaks: func(f *faulty) {
			f.many = func(ctx context.Context, keys []string, items []*store.Item) error {
				n := min(len(keys), len(items))
				return f.Store.(store.ManyGetter).GetMany(ctx, keys[:n], items[:n])
			}
		}, fails: []string{"GetMany into too few or too many items writes none"}},
		{name: "GetMany of nothing fails", breaks: func(f *faulty) {
			f.many = func(ctx context.Context, keys []string, items []*store.Item) error {
				if len(keys) == 0 {
					return errors.New("nothing to ask")
				}
				return f.Store.(store.ManyGetter).GetMany(ctx, keys, items)
			}
		}, fails: []string{"GetMany of nothing"}},
		{name: "GetMany keeps keys as they come", breaks: manyRemembers(false), fails: []string{"GetMany of views of a buffer", byMany + "a key may be a view of a buffer"}},
		{name: "GetMany finds what it has found before", breaks: manyRemembers(true), fails: []string{
			"GetMany without those that a purge of a tag dropped", byMany + "a commit replaces what was there", byMany + "an entry ends with its life",
			byMany + "a purge *", byMany + "a soft purge makes*", byMany + "no look at a base after a purge of *",
		}},
		lookedUp("GetMany finds another's", func(_ []string, items []*store.Item) {
			if i := slices.IndexFunc(items, found); i >= 0 {
				items[0] = items[i]
			}
		}, byMany+"*"),
	}
}

// manyRemembers keeps what GetMany has found under its key, of which it makes a
// copy or does not.
func manyRemembers(copies bool) func(*faulty) {
	return func(f *faulty) {
		var m memoryOf
		f.many = func(ctx context.Context, keys []string, items []*store.Item) error {
			err := f.Store.(store.ManyGetter).GetMany(ctx, keys, items)
			for i, key := range keys {
				if it := m.find(key); it != nil {
					items[i] = it
				} else if items[i] != nil {
					if copies {
						key = string([]byte(key))
					}
					m.add(key, items[i])
				}
			}
			return err
		}
	}
}

func pingMutants() []mutant {
	fails := []string{"a store that works says so to a ping"}
	ping := func(name string, alter func(store.Health) (store.Health, error)) mutant {
		return mutant{name: name, fails: fails, breaks: func(f *faulty) {
			f.ping = func(ctx context.Context) (store.Health, error) {
				h, err := f.Store.(store.Pinger).Ping(ctx)
				if err != nil {
					return h, err
				}
				return alter(h)
			}
		}}
	}
	return []mutant{
		ping("a ping fails", func(h store.Health) (store.Health, error) { return h, errors.New("not today") }),
		ping("a ping knows no size", func(h store.Health) (store.Health, error) { h.Local = store.LocalSize{}; return h, nil }),
		ping("a ping goes back in time", func(h store.Health) (store.Health, error) { h.Latency = -1; return h, nil }),
		ping("a ping hears of purges before they are made", func(h store.Health) (store.Health, error) { h.Lag = -1; return h, nil }),
		ping("a ping has not heard of purges for long", func(h store.Health) (store.Health, error) { h.Lag = time.Hour; return h, nil }),
		ping("a ping calls broken what works", func(h store.Health) (store.Health, error) {
			h.Degraded = store.NoTracking + ", " + store.BreakerOpen
			return h, nil
		}),
	}
}
