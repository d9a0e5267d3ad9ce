package storetest

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/reprise-go/reprise/store"
)

func mutants() []mutant {
	return slices.Concat(leaseMutants(), overtakeMutants(), waitMutants(), purgeMutants(), softMutants(), valueMutants(), lookMutants(), pairMutants(), fullMutants(), refMutants(), manyMutants(), pingMutants())
}

// A loose is a Keeper that never finds anything out.
type loose struct{}

func (loose) Current(*store.Item, time.Duration) bool { return true }

func refMutants() []mutant {
	return []mutant{{name: "a Ref outlives what it leads to", breaks: func(f *faulty) {
		f.get = func(ctx context.Context, key string) (*store.Item, error) {
			it, err := f.Store.Get(ctx, key)
			if err != nil {
				return nil, err
			}
			c := &store.Item{
				Key: it.Key, Meta: it.Meta, Body: it.Body, Tags: it.Tags, Ends: it.Ends,
				Stamp: it.Stamp, Kin: it.Kin,
			}
			if it.Soft() {
				c.Soften()
			}
			c.Keep(loose{})
			return c, nil
		}
	}, fails: []string{
		"a commit replaces what was there", "a commit without entries deletes", "an entry ends with its life",
		"a purge drops the keys it names, with all variants", "a purge of a tag drops what carries it", "a purge of all drops all",
		"a soft purge makes stale until the next fill, by *",
	}}}
}

func leaseMutants() []mutant {
	return []mutant{
		{name: "a commit ignores its lease", breaks: func(f *faulty) {
			f.commit = forced(func(*faultyLease) bool { return true })
		}, fails: []string{
			"an older fill never replaces a newer*", "a lease is used once", "a fill knows what it replaces: base",
			"a variant without its base is not stored", "a fill of a *",
			"no look at a base after a purge of its key sees what it dropped",
		}},
		{name: "a lease is handed out twice", breaks: func(f *faulty) {
			f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
				l, err := f.Store.Acquire(ctx, c)
				if errors.Is(err, store.ErrHeld) {
					c.Steal = true
					return f.Store.Acquire(ctx, c)
				}
				return l, err
			}
		}, fails: []string{"a slot has one holder", "two never hold one slot, however many try", "a lease is used once", "a long fill keeps its lease"}},
		{name: "a lease can be used again", breaks: func(f *faulty) {
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				_ = l.Lease.Commit(ctx, entries...)
				return nil
			}
		}, fails: []string{"a lease is used once"}},
		{name: "a release deletes", breaks: func(f *faulty) {
			f.release = func(ctx context.Context, l *faultyLease) error { return l.Lease.Commit(ctx) }
		}, fails: []string{"a released fill leaves what is stored as it is"}},
		{name: "a lease never lapses", breaks: func(f *faulty) {
			f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
				c.Hold = hour
				return f.Store.Acquire(ctx, c)
			}
		}, fails: []string{
			"an older fill never replaces a newer: lapse and takeover", "a dead holder's lease passes on",
			"a waiter wakes on the end of the lease's Hold", "a waiter who comes after it does not wait for the end of the lease's Hold",
		}},
		{name: "the end of a long lease overflows", breaks: func(f *faulty) {
			f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
				if c.Hold > math.MaxInt64/2 {
					c.Hold = 1
				}
				return f.Store.Acquire(ctx, c)
			}
		}, fails: []string{"a lease that is to stand for centuries stands"}},
		{name: "a lease lapses too soon", breaks: func(f *faulty) {
			f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
				c.Hold = min(c.Hold, lapseOfMutants)
				return f.Store.Acquire(ctx, c)
			}
			// Nor does it come back if nobody was there to take it.
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				if time.Since(l.at) >= lapseOfMutants {
					_ = l.Lease.Release(ctx)
					return store.ErrOvertaken
				}
				return l.Lease.Commit(ctx, entries...)
			}
		}, fails: []string{"a long fill keeps its lease"}},
		{name: "who comes late is not told", breaks: func(f *faulty) {
			f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
				l, err := f.Store.Acquire(ctx, c)
				if errors.Is(err, store.ErrChanged) {
					c.Base, _ = f.Store.Get(ctx, c.Key)
					if c.Seen = nil; c.Base == nil {
						c.Variant = ""
					} else if c.Variant != "" {
						c.Seen, _ = f.Store.Variant(ctx, c.Base, c.Variant)
					}
					return f.Store.Acquire(ctx, c)
				}
				return l, err
			}
		}, fails: []string{"who comes late to a base is told", "who comes late to a variant is told"}},
		{name: "what has gone counts as a change", breaks: func(f *faulty) {
			f.acquire = func(ctx context.Context, c store.Claim) (store.Lease, error) {
				if _, err := f.Store.Get(ctx, c.Key); err != nil && c.Base != nil {
					return nil, store.ErrChanged
				}
				return f.Store.Acquire(ctx, c)
			}
		}, fails: []string{"what has gone is no obstacle"}},
	}
}

// is tells whether p is of the kind of that name.
func is(p store.Purge, kind string) bool {
	switch kind {
	case "its key":
		return len(p.Keys) > 0
	case "its tag":
		return len(p.Tags) > 0
	case "a pattern":
		return p.Match != ""
	default:
		return p.All
	}
}

func overtakeMutants() []mutant {
	var all []mutant
	for kind := range kinds() {
		for how, soft := range map[string]bool{"purge of ": false, "soft purge of ": true} {
			all = append(all, mutant{name: "leases survive a " + how + kind, breaks: func(f *faulty) {
				f.commit = forced(func(l *faultyLease) bool {
					return slices.ContainsFunc(f.purged(l.since), func(p store.Purge) bool { return is(p, kind) && p.Soft == soft })
				})
			}, fails: []string{"a fill of a base is overtaken by a " + how + kind, "a fill of a variant is overtaken by a " + how + kind}})
		}
	}
	return append(all,
		mutant{name: "a purge ends leases after values", breaks: func(f *faulty) { new(gap).breaks(f) }, fails: []string{
			"no look at a base after a purge of its key sees what it dropped",
		}},
		mutant{name: "any purge ends all fills", breaks: func(f *faulty) {
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				if len(f.purged(l.since)) > 0 {
					return store.ErrOvertaken
				}
				return l.Lease.Commit(ctx, entries...)
			}
		}, fails: []string{"a fill is not overtaken by a purge of something else", "a dry run drops nothing and counts", "an empty purge drops nothing"}},
		mutant{name: "a purge is for ever", breaks: func(f *faulty) {
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				if len(f.purged(0)) > 0 {
					return store.ErrOvertaken
				}
				return l.Lease.Commit(ctx, entries...)
			}
		}, fails: []string{"a purge does not hurt what begins after it"}},
		mutant{name: "only the base's tags count", breaks: func(f *faulty) {
			f.commit = func(ctx context.Context, l *faultyLease, entries []store.Entry) error {
				for i := range entries {
					if entries[i].Variant != "" {
						entries[i].Tags = nil
					}
				}
				return l.Lease.Commit(ctx, entries...)
			}
		}, fails: []string{"a fill is overtaken by a purge of a tag of any of its entries", "a purge of a tag drops what carries it", "a base and a variant are committed together"}})
}

func waitMutants() []mutant {
	until := func(ctx context.Context, f *faulty) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.ended:
			return context.Canceled
		}
	}
	return []mutant{
		{name: "Wait never wakes", breaks: func(f *faulty) {
			f.wait = func(ctx context.Context, _ store.Slot) error { return until(ctx, f) }
		}, fails: []string{"a waiter wakes on *", "a waiter who comes after it does not wait for *", "a free slot is not waited for"}},
		{name: "Wait wakes only on what comes after it", breaks: func(f *faulty) {
			f.wait = func(ctx context.Context, s store.Slot) error {
				at, cancel := context.WithTimeout(ctx, lapseOfMutants/10)
				defer cancel()
				if f.Store.Wait(at, s) == nil { // nobody holds it
					return until(ctx, f)
				}
				return f.Store.Wait(ctx, s)
			}
		}, fails: []string{"a waiter who comes after it does not wait for a *", "a free slot is not waited for"}},
		{name: "Wait does not know its context", breaks: func(f *faulty) {
			f.wait = func(ctx context.Context, s store.Slot) error {
				return f.Store.Wait(untilEnd{context.WithoutCancel(ctx), f.ended}, s)
			}
		}, fails: []string{"waiting ends with its context"}},
		{name: "Wait does not wait", breaks: func(f *faulty) {
			f.wait = func(context.Context, store.Slot) error { return nil }
		}, fails: []string{"waiting ends with its context"}},
	}
}

// untilEnd is a context that is done when a check has ended, and not before.
type untilEnd struct {
	context.Context
	ended <-chan struct{}
}

func (u untilEnd) Done() <-chan struct{} { return u.ended }
func (u untilEnd) Err() error            { return context.Canceled }

// changed is a mutant whose purges are others than it is told.
func changed(name string, change func(p *store.Purge), fails ...string) mutant {
	return mutant{name: name, fails: fails, breaks: func(f *faulty) {
		f.purge = func(ctx context.Context, p store.Purge) (store.Purged, error) {
			change(&p)
			return f.Store.Purge(ctx, p)
		}
	}}
}

func purgeMutants() []mutant {
	return []mutant{
		changed("a purge of a tag does nothing", func(p *store.Purge) { p.Tags = nil }, "a purge of a tag drops what carries it", "keys and names may be any bytes"),
		changed("a purge of a tag drops all", func(p *store.Purge) { p.All = p.All || p.Tags != nil }, "a purge of a tag drops what carries it", "keys and names may be any bytes", "a soft purge of a tag makes what carries it stale"),
		changed("a purge drops the first of each alone", func(p *store.Purge) {
			p.Keys, p.Tags = p.Keys[:min(1, len(p.Keys))], p.Tags[:min(1, len(p.Tags))]
		}, "a purge drops the keys it names*", "a purge of a tag drops what carries it"),
		changed("a purge of keys drops all", func(p *store.Purge) { p.All = p.All || p.Keys != nil }, "a purge drops the keys it names*", "a fill is not overtaken by a purge of something else"),
		changed("a purge of all does nothing", func(p *store.Purge) { p.All = false }, "a purge of all drops all"),
		changed("a purge takes one field", func(p *store.Purge) {
			if p.Keys != nil {
				p.Match, p.Tags, p.All = "", nil, false
			}
		}, "the fields of a purge add up"),
		changed("a dry run is none", func(p *store.Purge) { p.DryRun = false }, "a dry run drops nothing and counts"),
		changed("an empty purge drops all", func(p *store.Purge) { p.All = len(p.Keys)+len(p.Tags)+len(p.Match) == 0 }, "an empty purge drops nothing"),
		changed("a pattern has no escapes", func(p *store.Purge) { p.Match = strings.ReplaceAll(p.Match, `\`, "") }, "a pattern drops what it matches and nothing else"),
		changed("a pattern is a prefix", func(p *store.Purge) {
			if p.Match != "" {
				p.Match += "*"
			}
		}, "a pattern drops what it matches and nothing else"),
		{name: "a purge counts nothing", breaks: func(f *faulty) {
			f.purge = func(ctx context.Context, p store.Purge) (store.Purged, error) {
				_, err := f.Store.Purge(ctx, p)
				return store.Purged{}, err
			}
		}, fails: []string{"a purge counts the base entries it drops", "a dry run drops nothing and counts", "the fields of a purge add up", "a pattern drops*"}},
		{name: "a purge returns before it is done", breaks: func(f *faulty) {
			f.purge = func(_ context.Context, p store.Purge) (store.Purged, error) {
				f.started.Go(func() {
					for range 20 {
						runtime.Gosched()
					}
					_, _ = f.Store.Purge(context.Background(), p)
				})
				return store.Purged{}, nil
			}
		}, fails: []string{"no look at *"}},
	}
}

func softMutants() []mutant {
	hard := func(it *store.Item, err error) (*store.Item, error) {
		if err != nil || !it.Soft() {
			return it, err
		}
		return &store.Item{
			Key: it.Key, Meta: it.Meta, Body: it.Body, Tags: it.Tags, Ends: it.Ends,
			Stamp: it.Stamp, Kin: it.Kin,
		}, nil
	}
	return []mutant{
		changed("a soft purge drops", func(p *store.Purge) { p.Soft = false }, "a soft purge *", "soft and hard purges in any order"),
		changed("a purge is always soft", func(p *store.Purge) { p.Soft = true }, "a purge drops the keys*", "a purge of *", "a pattern drops *", "the fields of a purge add up", "a purge reaches*", "soft and hard purges in any order"),
		changed("a soft purge does nothing", func(p *store.Purge) {
			if p.Soft {
				*p = store.Purge{}
			}
		}, "a soft purge *", "soft and hard purges in any order", "a waiter wakes on a soft purge of the key"),
		{name: "softness is lost", breaks: func(f *faulty) {
			f.get = func(ctx context.Context, key string) (*store.Item, error) { return hard(f.Store.Get(ctx, key)) }
			f.variant = func(ctx context.Context, base *store.Item, name string) (*store.Item, error) {
				return hard(f.Store.Variant(ctx, base, name))
			}
		}, fails: []string{"a soft purge *", "soft and hard purges in any order", "a fill of a base is overtaken by a soft purge of its key"}},
		{name: "softness of variants is lost", breaks: func(f *faulty) {
			f.variant = func(ctx context.Context, base *store.Item, name string) (*store.Item, error) {
				return hard(f.Store.Variant(ctx, base, name))
			}
		}, fails: []string{"a soft purge of *", "a soft purge reaches the other instances", "a fill of a variant is overtaken by a soft purge of its key"}},
		{name: "a fill of a softly purged key stays soft", breaks: func(f *faulty) {
			f.get = func(ctx context.Context, key string) (*store.Item, error) {
				it, err := f.Store.Get(ctx, key)
				if err == nil && slices.ContainsFunc(f.purged(0), func(p store.Purge) bool { return p.Soft }) {
					it.Soften()
				}
				return it, err
			}
		}, fails: []string{"a soft purge makes stale until*", "a soft purge of *", "soft and hard purges in any order"}},
	}
}
