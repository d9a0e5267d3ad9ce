package storetest

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/reprise-go/reprise/store"
)

func leaseChecks() []check {
	return []check{
		{name: "a slot has one holder", run: oneHolder, two: true},
		{name: "two never hold one slot, however many try", run: neverTwo, two: true},
		{name: "a lease that is to stand for centuries stands", run: longHold},
		{name: "a lease is used once", run: usedOnce},
		{name: "a released fill leaves what is stored as it is", run: releaseLeaves},
		{name: "an older fill never replaces a newer: steal", run: stolen, two: true},
		{name: "a fill knows what it replaces: base", run: compareBase},
	}
}

func oneHolder(r *room) {
	slot := store.Slot{Key: "k"}
	l := r.acquire(r.a, slot)
	r.refused(r.a, store.Claim{Slot: slot, Hold: minute}, store.ErrHeld)
	r.refused(r.b, store.Claim{Slot: slot, Hold: minute}, store.ErrHeld)
	other := r.acquire(r.b, store.Slot{Key: "other"})
	r.commit(other, base("other"))
	r.commit(l, base("names"), variant("de", "hallo"))

	de := r.acquire(r.a, store.Slot{Key: "k", Variant: "de"})
	en := r.acquire(r.a, store.Slot{Key: "k", Variant: "en"})
	r.refused(r.a, r.look(r.a, store.Slot{Key: "k", Variant: "de"}), store.ErrHeld)
	r.commit(en, variant("en", "hello"))
	r.commit(de, variant("de", "servus"))
	// What has ended leaves its slot free.
	for _, v := range []string{"", "de", "en"} {
		l := r.acquire(r.a, store.Slot{Key: "k", Variant: v})
		if err := l.Release(r.Context()); err != nil {
			r.Errorf("Release: %v", err)
		}
	}
}

func longHold(r *room) {
	c := store.Claim{Slot: store.Slot{Key: "k"}, Hold: math.MaxInt64}
	l, err := r.a.Acquire(r.Context(), c)
	if err != nil {
		r.Fatalf("Acquire: %v", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*r.lapse)
	defer cancel()
	if err := r.a.Wait(ctx, c.Slot); !errors.Is(err, context.DeadlineExceeded) {
		r.Errorf("Wait: %v, while it stands", err)
	}
	r.refused(r.a, c, store.ErrHeld)
	r.commit(l, base("new"))
}

func neverTwo(r *room) {
	const rounds, each = 50, 4
	for round := range rounds {
		slot := store.Slot{Key: "k"}
		if round%2 == 1 {
			slot = store.Slot{Key: "with a base", Variant: "v"}
			if r.get(r.a, slot.Key) == nil {
				r.fill(r.a, slot.Key, base("names"))
			}
			r.eventually("the base", func() bool { return r.get(r.b, slot.Key) != nil })
		}
		holders := make(chan store.Lease, 2*each)
		var refused atomic.Int64
		var all sync.WaitGroup
		for _, st := range []store.Store{r.a, r.b} {
			c := r.look(st, slot)
			for range each {
				all.Go(func() {
					l, err := st.Acquire(r.Context(), c)
					switch {
					case err == nil:
						holders <- l
					case errors.Is(err, store.ErrHeld):
						refused.Add(1)
					default:
						r.Errorf("Acquire: %v", err)
					}
				})
			}
		}
		all.Wait()
		close(holders)
		if len(holders) != 1 || refused.Load() != 2*each-1 {
			r.Fatalf("round %d: %d hold the lease, %d were told that it is held, of %d", round, len(holders), refused.Load(), 2*each)
		}
		if err := (<-holders).Release(r.Context()); err != nil {
			r.Fatalf("Release: %v", err)
		}
	}
}

func usedOnce(r *room) {
	l := r.acquire(r.a, store.Slot{Key: "k"})
	r.commit(l, base("one"))
	r.overtaken(l, base("again"))
	if err := l.Release(r.Context()); !errors.Is(err, store.ErrOvertaken) {
		r.Errorf("Release after Commit: %v", err)
	}
	r.has(r.a, "k", "one")

	l = r.acquire(r.a, store.Slot{Key: "k"})
	if err := l.Release(r.Context()); err != nil {
		r.Errorf("Release: %v", err)
	}
	r.overtaken(l, base("after its release"))
	if err := l.Release(r.Context()); !errors.Is(err, store.ErrOvertaken) {
		r.Errorf("Release after Release: %v", err)
	}
	r.has(r.a, "k", "one")

	// One that is over does not end the lease of the next.
	next := r.acquire(r.a, store.Slot{Key: "k"})
	r.overtaken(l, base("long after its release"))
	_ = l.Release(r.Context())
	r.refused(r.a, r.look(r.a, store.Slot{Key: "k"}), store.ErrHeld)
	r.commit(next, base("next"))
	r.has(r.a, "k", "next")
}

func releaseLeaves(r *room) {
	l := r.acquire(r.a, store.Slot{Key: "k"})
	if err := l.Release(r.Context()); err != nil {
		r.Fatalf("Release: %v", err)
	}
	r.hasNot(r.a, "k")
	b := r.fill(r.a, "k", base("names"), variant("de", "hallo"))
	for _, v := range []string{"", "de"} {
		l = r.acquire(r.a, store.Slot{Key: "k", Variant: v})
		if err := l.Release(r.Context()); err != nil {
			r.Fatalf("Release: %v", err)
		}
	}
	r.has(r.a, "k", "names")
	r.hasVariant(r.a, b, "de", "hallo")
}

func stolen(r *room) {
	b := r.fill(r.a, "with a base", base("names"))
	r.eventually("the base", func() bool { return r.get(r.b, b.Key) != nil })
	for _, slot := range []store.Slot{{Key: "k"}, {Key: b.Key, Variant: "de"}} {
		entry := func(body string) store.Entry {
			e := base(body)
			e.Variant = slot.Variant
			return e
		}
		old := r.acquire(r.a, slot)
		c := r.look(r.b, slot)
		c.Steal = true
		l, err := r.b.Acquire(r.Context(), c)
		if err != nil {
			r.Fatalf("Acquire with Steal: %v", err)
		}
		r.overtaken(old, entry("old"))
		r.commit(l, entry("new"))
		r.overtaken(old, entry("old"))
		if it := r.look(r.b, slot); slot.Variant == "" {
			r.has(r.b, slot.Key, "new")
		} else {
			r.hasVariant(r.b, it.Base, slot.Variant, "new")
		}
		// Nobody to steal from is fine too.
		if l, err = r.b.Acquire(r.Context(), func() store.Claim { c := r.look(r.b, slot); c.Steal = true; return c }()); err != nil {
			r.Fatalf("Acquire with Steal of a free slot: %v", err)
		}
		r.commit(l, entry("newer"))
	}
}

func compareBase(r *room) {
	// A fill of a variant may bring a new base. Two of them at once: the second
	// would put its base in the place of one that it has not seen.
	r.fill(r.a, "k", base("one"))
	de := r.acquire(r.a, store.Slot{Key: "k", Variant: "de"})
	en := r.acquire(r.a, store.Slot{Key: "k", Variant: "en"})
	whole := r.acquire(r.a, store.Slot{Key: "k"})
	r.commit(de, base("two"), variant("at", "servus"))
	r.overtaken(en, base("three"), variant("ca", "eh"))
	r.overtaken(whole, base("four"))
	b := r.has(r.a, "k", "two")
	r.hasVariant(r.a, b, "at", "servus")
	if it := r.variantOf(r.a, b, "ca"); it != nil {
		r.Errorf("the variant of a fill that lost: %q", it.Body)
	}
}
