package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/reprise-go/reprise/store"
)

// byMany is what the names of checks begin with that look by GetMany.
const byMany = "by GetMany: "

// manyChecks are of stores that are a store.ManyGetter: what it promises beside
// Get, and what Get promises, seen through it.
func manyChecks() []check {
	all := []check{
		{name: "GetMany finds each key in its place", run: manyInPlace},
		{name: "GetMany forgets what was in items", run: manyForgets},
		{name: "GetMany of views of a buffer", run: manyViews},
		{name: "GetMany of nothing", run: manyOfNone},
		{name: "GetMany into too few or too many items writes none", run: manyMismatch},
		{name: "GetMany without those that a purge of a tag dropped", run: manyHalfPurged},
	}
	for _, c := range slices.Concat(valueChecks(), keyChecks(), purgeChecks(), softChecks(), raceChecks()) {
		if c.name == "an empty store has nothing" || c.race && !strings.HasPrefix(c.name, "no look at a base after a purge") {
			continue // others say the same of GetMany
		}
		run := c.run
		c.name = byMany + c.name
		c.run = func(r *room) {
			r.a, r.b = through(r.a, r.b)
			run(r)
		}
		all = append(all, c)
	}
	for i := range all {
		all[i].many = true
	}
	return all
}

// A manyStore looks for a base by GetMany, among others.
type manyStore struct{ store.Store }

// through returns a and b, which may be one, as manyStores.
func through(a, b store.Store) (store.Store, store.Store) {
	first := &manyStore{a}
	if a == b {
		return first, first
	}
	return first, &manyStore{b}
}

func (m *manyStore) Get(ctx context.Context, key string) (*store.Item, error) {
	items := make([]*store.Item, 4)
	keys := []string{"nobody fills this", key, "nor this", key}
	switch err := m.Store.(store.ManyGetter).GetMany(ctx, keys, items); {
	case err != nil:
		return nil, err
	case items[0] != nil || items[2] != nil:
		return nil, errors.New("GetMany finds what nobody has filled")
	case items[1] == nil:
		return nil, store.ErrNotFound
	}
	return items[1], nil
}

// getMany returns what st has under keys.
func (r *room) getMany(st store.Store, keys ...string) []*store.Item {
	r.Helper()
	items := make([]*store.Item, len(keys))
	if err := st.(store.ManyGetter).GetMany(r.Context(), keys, items); err != nil {
		r.Fatalf("GetMany: %v", err)
	}
	return items
}

// hasMany fails unless st has want under keys; "" is nothing.
func (r *room) hasMany(st store.Store, keys, want []string) {
	r.Helper()
	for i, it := range r.getMany(st, keys...) {
		got := ""
		if it != nil {
			got = string(it.Body)
		}
		if got != want[i] || it != nil && it.Key != keys[i] {
			r.Errorf("%q holds %.40q, want %.40q", keys[i], got, want[i])
		}
	}
}

func manyInPlace(r *room) {
	var keys, want []string
	for i := range 100 {
		key, body := fmt.Sprint("key ", i), ""
		if i%3 != 0 {
			body = fmt.Sprint("body ", i)
			r.fill(r.a, key, base(body, "t"))
		}
		keys, want = append(keys, key, key), append(want, body, body) // each twice
	}
	slices.Reverse(keys)
	slices.Reverse(want)
	for range 2 { // the second time some may be at hand
		r.hasMany(r.a, keys, want)
	}
	for i := range 4 {
		r.hasMany(r.a, keys[i:i+1], want[i:i+1])
	}
}

func manyForgets(r *room) {
	old := r.fill(r.a, "old", base("old"))
	items := []*store.Item{old, old}
	if err := r.a.(store.ManyGetter).GetMany(r.Context(), []string{"nothing", "old"}, items); err != nil {
		r.Fatalf("GetMany: %v", err)
	}
	if items[0] != nil || items[1] == nil || string(items[1].Body) != "old" {
		r.Errorf("found %v and %v", items[0], items[1])
	}
}

func manyViews(r *room) {
	r.commit(r.acquire(r.a, store.Slot{Key: "key"}), base("base"))
	buf := []byte("key")
	view := unsafe.String(&buf[0], len(buf))
	r.hasMany(r.a, []string{view, view}, []string{"base", "base"})
	copy(buf, "odd")
	r.hasMany(r.a, []string{view}, []string{""})
	copy(buf, "key")
	r.hasMany(r.a, []string{view, "key", "odd"}, []string{"base", "base", ""})
}

func manyOfNone(r *room) {
	if err := r.a.(store.ManyGetter).GetMany(r.Context(), nil, nil); err != nil {
		r.Errorf("GetMany of no keys: %v", err)
	}
}

func manyMismatch(r *room) {
	it := r.fill(r.a, "k", base("body"))
	for _, n := range []int{0, 1, 3} {
		items := make([]*store.Item, n)
		for i := range items {
			items[i] = it
		}
		err := r.a.(store.ManyGetter).GetMany(r.Context(), []string{"none", "k"}, items)
		if wrong := (*store.ManyError)(nil); !errors.As(err, &wrong) || wrong.Keys != 2 || wrong.Items != n {
			r.Errorf("GetMany of two keys into %d items: %v", n, err)
		}
		if slices.Contains(items, nil) {
			r.Errorf("GetMany of two keys into %d items writes", n)
		}
	}
}

func manyHalfPurged(r *room) {
	var keys, before, after []string
	for i := range 100 {
		key, tag := fmt.Sprint("key ", i), "odd"
		if i%2 == 0 {
			tag = "even"
		}
		r.fill(r.a, key, base(key, tag, "all"))
		keys, before, after = append(keys, key), append(before, key), append(after, key)
		if i%2 == 0 {
			after[i] = ""
		}
	}
	r.hasMany(r.a, keys, before)
	r.purge(r.a, store.Purge{Tags: []string{"even"}})
	r.hasMany(r.a, keys, after)
	r.purge(r.a, store.Purge{Tags: []string{"odd"}, Soft: true})
	for i, it := range r.getMany(r.a, keys...) {
		if (it == nil) != (i%2 == 0) || it != nil && !it.Soft() {
			r.Errorf("%q after a soft purge of the odd: %v", keys[i], it)
		}
	}
	r.purge(r.a, store.Purge{All: true})
	r.hasMany(r.a, keys, make([]string, len(keys)))
}
