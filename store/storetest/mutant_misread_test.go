package storetest

import (
	"context"
	"strings"
	"sync"

	"github.com/reprise-go/reprise/store"
)

// altered is a mutant that stores other entries than it is given.
func altered(name string, alter func(l *faultyLease, entries []store.Entry) []store.Entry, fails ...string) mutant {
	return mutant{name: name, fails: fails, breaks: func(f *faulty) {
		f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
			return l.Lease.Commit(ctx, alter(l, entries)...)
		}
	}}
}

// each applies change to every entry.
func each(change func(e *store.Entry)) func(*faultyLease, []store.Entry) []store.Entry {
	return func(_ *faultyLease, entries []store.Entry) []store.Entry {
		for i := range entries {
			change(&entries[i])
		}
		return entries
	}
}

func valueMutants() []mutant {
	return []mutant{
		altered("tags are lost", each(func(e *store.Entry) { e.Tags = nil }), "a commit can be read*", "a purge of a tag drops what carries it"),
		altered("meta is lost", each(func(e *store.Entry) { e.Meta = nil }), "a commit can be read*", "everything at once does no harm"),
		altered("lives are short", each(func(e *store.Entry) { e.Life /= 2 }), "a commit can be read, every field of it"),
		altered("lives do not end", each(func(e *store.Entry) { e.Life = hour }), "an entry ends with its life"),
		altered("nobody asks what is reused", each(func(e *store.Entry) { e.Reuses = false }), "what reuses an entry is not stored once that has ended"),
		altered("bodies end at 64 KiB", each(func(e *store.Entry) { e.Body = e.Body[:min(len(e.Body), 64<<10)] }), "bodies may be empty or large"),
		altered("only the first entry is stored", func(_ *faultyLease, entries []store.Entry) []store.Entry {
			return entries[:min(1, len(entries))]
		}, "a base and a variant are committed together", "a new base may come with a variant of another name"),
		altered("a variant gets the name of its lease", func(l *faultyLease, entries []store.Entry) []store.Entry {
			for i := range entries {
				if entries[i].Variant != "" && l.claim.Variant != "" {
					entries[i].Variant = l.claim.Variant
				}
			}
			return entries
		}, "a new base may come with a variant of another name"),
		altered("a variant comes with a new base", func(l *faultyLease, entries []store.Entry) []store.Entry {
			if len(entries) == 1 && entries[0].Variant != "" {
				return append(entries, store.Entry{Meta: l.claim.Base.Meta, Body: l.claim.Base.Body, Life: hour})
			}
			return entries
		}, "a variant is replaced alone"),
		{name: "a commit without entries does nothing", breaks: func(f *faulty) {
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				if len(entries) == 0 {
					return l.Lease.Release(ctx)
				}
				return l.Lease.Commit(ctx, entries...)
			}
		}, fails: []string{"a commit without entries deletes", "a variant without its base is not stored"}},
		{name: "the first commit stays", breaks: func(f *faulty) {
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				if _, err := f.Store.Get(ctx, l.claim.Key); err == nil && l.claim.Variant == "" {
					return l.Lease.Release(ctx)
				}
				return l.Lease.Commit(ctx, entries...)
			}
		}, fails: []string{"a commit replaces what was there", "a commit can be read elsewhere"}},
		{name: "a commit writes over the bytes of before", breaks: func(f *faulty) {
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				if old := l.claim.Base; old != nil && len(entries) > 0 {
					copy(old.Body, "!!!!!!")
				}
				return l.Lease.Commit(ctx, entries...)
			}
		}, fails: []string{"items are unharmed by what comes later"}},
	}
}

// A memory remembers what it has once returned, by a name.
type memoryOf struct {
	mu    sync.Mutex
	names []string
	items []*store.Item
}

func (m *memoryOf) add(name string, it *store.Item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.names, m.items = append(m.names, name), append(m.items, it)
}

func (m *memoryOf) find(name string) *store.Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.names) - 1; i >= 0; i-- {
		if m.names[i] == name {
			return m.items[i]
		}
	}
	return nil
}

// remembering looks into the store first or last, and remembers under name.
func (m *memoryOf) remembering(f *faulty, first bool, name func(key, variant string) string) {
	look := func(name string, ask func() (*store.Item, error)) (*store.Item, error) {
		if it := m.find(name); it != nil && first {
			return it, nil
		}
		it, err := ask()
		if err == nil {
			m.add(name, it)
			return it, nil
		}
		if it := m.find(name); it != nil {
			return it, nil
		}
		return nil, err
	}
	f.get = func(ctx context.Context, key string) (*store.Item, error) {
		return look(name(key, ""), func() (*store.Item, error) { return f.Store.Get(ctx, key) })
	}
	f.variant = func(ctx context.Context, base *store.Item, v string) (*store.Item, error) {
		return look(name(base.Key, v), func() (*store.Item, error) { return f.Store.Variant(ctx, base, v) })
	}
}

func separate(key, variant string) string { return key + "\x00\x00" + variant }

func lookMutants() []mutant {
	return []mutant{
		{name: "what was found once is found for ever", breaks: func(f *faulty) { new(memoryOf).remembering(f, false, separate) },
			fails: []string{"an entry ends with its life", "a commit without entries deletes", "a purge drops the keys it names*", "no look at a base after a purge *"}},
		{name: "an empty store has something", breaks: func(f *faulty) {
			f.get = func(ctx context.Context, key string) (*store.Item, error) {
				if it, err := f.Store.Get(ctx, key); err == nil {
					return it, nil
				}
				return nil, nil
			}
		}, fails: []string{"an empty store has nothing"}},
		{name: "key and name run together", breaks: func(f *faulty) {
			new(memoryOf).remembering(f, false, func(key, variant string) string { return key + variant })
		}, fails: []string{"keys and names do not run together"}},
		{name: "keys are kept as they come", breaks: func(f *faulty) {
			new(memoryOf).remembering(f, true, func(key, variant string) string {
				if variant == "" {
					return key // not a copy
				}
				return separate(key, variant)
			})
		}, fails: []string{"a key may be a view of a buffer"}},
		{name: "keys are trimmed", breaks: func(f *faulty) {
			f.get = func(ctx context.Context, key string) (*store.Item, error) {
				return f.Store.Get(ctx, strings.TrimSpace(key))
			}
		}, fails: []string{"keys and names may be any bytes"}},
		{name: "variants outlive their base", breaks: func(f *faulty) {
			var m memoryOf
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				err := l.Lease.Commit(ctx, entries...)
				base, _ := f.Store.Get(ctx, l.claim.Key)
				for _, e := range entries {
					if e.Variant == "" || base == nil {
						continue
					}
					if it, err := f.Store.Variant(ctx, base, e.Variant); err == nil {
						m.add(separate(it.Key, it.Variant()), it)
					}
				}
				return err
			}
			f.variant = func(_ context.Context, base *store.Item, name string) (*store.Item, error) {
				if it := m.find(separate(base.Key, name)); it != nil {
					return it, nil
				}
				return nil, store.ErrNotFound
			}
		}, fails: []string{
			"a base without variants hides those of before", "a variant of an older base is not found",
			"a purge drops the keys it names, with all variants", "a purge of all drops all",
		}},
		{name: "a variant is looked up by its key", breaks: func(f *faulty) {
			f.variant = func(ctx context.Context, base *store.Item, name string) (*store.Item, error) {
				now, err := f.Store.Get(ctx, base.Key)
				if err != nil {
					return nil, err
				}
				return f.Store.Variant(ctx, now, name)
			}
		}, fails: []string{"a variant of an older base is not found"}},
		{name: "a look may return another key's", breaks: func(f *faulty) {
			var m memoryOf
			f.get = func(ctx context.Context, key string) (*store.Item, error) {
				it, err := f.Store.Get(ctx, key)
				if err == nil {
					m.add("any", it)
				}
				if other := m.find("any"); err != nil && other != nil {
					return other, nil
				}
				return it, err
			}
		}, fails: []string{"everything at once does no harm"}},
	}
}

// pairMutants break the second of two instances.
func pairMutants() []mutant {
	deaf := func(f *faulty) { new(memoryOf).remembering(f, true, separate) }
	return []mutant{
		{name: "an instance does not hear of the other", pair: true, breaks: deaf,
			fails: []string{"a purge reaches the other instances", "a soft purge reaches the other instances"}},
		{name: "an instance has a store of its own", pair: true, breaks: func(f *faulty) {
			f.get = func(context.Context, string) (*store.Item, error) { return nil, store.ErrNotFound }
		}, fails: []string{"a commit can be read elsewhere"}},
		{name: "an instance's purges are its own", pair: true, breaks: func(f *faulty) {
			f.purge = func(context.Context, store.Purge) (store.Purged, error) { return store.Purged{}, nil }
		}, fails: []string{"a fill is overtaken by another instance's purge of *"}},
	}
}
