package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/reprise-go/reprise/store"
)

// claiming is a mutant that claims otherwise than it is told, or with false is full.
func claiming(name string, change func(ctx context.Context, f *faulty, c *store.Claim) bool, fails ...string) mutant {
	return mutant{name: name, fails: fails, breaks: func(f *faulty) {
		f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
			if !change(ctx, f, &c) {
				return nil, store.ErrFull
			}
			return f.Store.Acquire(ctx, c)
		}
	}}
}

// isFull tells whether the key of c takes no further variant.
func (f *faulty) isFull(ctx context.Context, c store.Claim) bool {
	c.Variant, c.Seen = "a variant that nobody fills", nil
	l, err := f.Store.Acquire(ctx, c)
	if err == nil {
		_ = l.Release(ctx)
	}
	return errors.Is(err, store.ErrFull)
}

// A list is of names by key, for stores that count in a way of their own.
type list struct {
	mu    sync.Mutex
	names map[string][]string
}

func (n *list) add(key, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names == nil {
		n.names = make(map[string][]string)
	}
	if name != "" && !slices.Contains(n.names[key], name) {
		n.names[key] = append(n.names[key], name)
	}
}

func (n *list) clear(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.names, key)
}

func (n *list) isFull(key string, c store.Claim) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return c.Variants > 0 && c.Variant != "" && len(n.names[key]) >= c.Variants && !slices.Contains(n.names[key], c.Variant)
}

// A miscount is how a mutant counts names, instead of what is stored.
type miscount struct {
	allKeys bool // in one
	claims  bool // rather than commits
	forEver bool // not anew with each base
}

func (m miscount) breaks(f *faulty) {
	var n list
	of := func(key string) string {
		if m.allKeys {
			return "all"
		}
		return key
	}
	f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
		l, err := f.Store.Acquire(ctx, c)
		if err != nil {
			return nil, err
		}
		if n.isFull(of(c.Key), c) {
			_ = l.Release(ctx)
			return nil, store.ErrFull
		}
		if m.claims {
			n.add(of(c.Key), c.Variant)
		}
		return l, nil
	}
	f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
		err := l.Lease.Commit(ctx, entries...)
		if err != nil {
			return err
		}
		key := of(l.claim.Key)
		for i := range entries {
			if entries[i].Variant == "" && !m.forEver && !m.allKeys {
				n.clear(key)
			}
			n.add(key, entries[i].Variant)
		}
		return nil
	}
}

func fullMutants() []mutant {
	unbounded := func(_ context.Context, _ *faulty, c *store.Claim) bool { c.Variants = 0; return true }
	notHere := claiming("an instance knows no bound", unbounded, "instances count a key's variants together")
	notHere.pair = true
	return []mutant{
		claiming("a key is never full", unbounded,
			"a full key takes no new variant", "a full key's *", "fills at the same time do not overfill a key",
			"a key is not overfilled, however many try", "a full key has no more room after a soft purge of *"),
		notHere,
		claiming("fills under way are not bounded", func(ctx context.Context, f *faulty, c *store.Claim) bool {
			full := c.Variant != "" && c.Seen == nil && f.isFull(ctx, *c)
			c.Variants = 0
			return !full
		}, "fills at the same time do not overfill a key"),
		claiming("a full key takes no variant at all", func(ctx context.Context, f *faulty, c *store.Claim) bool {
			return c.Variant == "" || !f.isFull(ctx, *c)
		}, "a full key's variants can be refilled"),
		claiming("a full key takes no base", func(ctx context.Context, f *faulty, c *store.Claim) bool {
			return c.Variant != "" || !f.isFull(ctx, *c)
		}, "a full key's base can be refilled*"),
		claiming("a steal is not bounded", func(_ context.Context, _ *faulty, c *store.Claim) bool {
			if c.Steal {
				c.Variants = 0
			}
			return true
		}, "a full key takes no new variant"),
		claiming("the bound is not the claim's", func(_ context.Context, _ *faulty, c *store.Claim) bool {
			c.Variants = most
			return true
		}, "a full key takes no new variant"),
		claiming("a soft purge makes room", func(_ context.Context, f *faulty, c *store.Claim) bool {
			if slices.ContainsFunc(f.purged(0), func(p store.Purge) bool { return p.Soft }) {
				c.Variants = 0
			}
			return true
		}, "a full key has no more room after a soft purge of *", "a full key's variants can be refilled"),
		{name: "variants of all keys count together", breaks: miscount{allKeys: true}.breaks, fails: []string{"a full key takes no new variant"}},
		{name: "fills count that store nothing", breaks: miscount{claims: true}.breaks, fails: []string{"a variant that was not stored takes no place"}},
		{name: "a variant that has gone counts", breaks: miscount{}.breaks, fails: []string{
			"a variant that was not stored takes no place", "a variant that has ended makes room",
		}},
		{name: "the count outlives its base", breaks: miscount{forEver: true}.breaks, fails: []string{
			"a full key has room after a purge of *", "a full key's base can be refilled*",
		}},
	}
}
