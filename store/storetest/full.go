package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/store"
)

func fullChecks() []check {
	all := []check{
		{name: "a full key takes no new variant", run: fullKey},
		{name: "a full key's variants can be refilled", run: fullRefilled},
		{name: "a full key's base can be refilled, and starts with none", run: fullBase},
		{name: "a variant that was not stored takes no place", run: notStoredTakesNone},
		{name: "a variant that has ended makes room", run: endedMakesRoom},
		{name: "fills at the same time do not overfill a key", run: fullAtOnce, two: true},
		{name: "a key is not overfilled, however many try", run: fullRace, two: true},
		{name: "instances count a key's variants together", run: fullTogether, two: true},
	}
	for _, name := range []string{"its key", "its tag", "a pattern", "all"} {
		all = append(all,
			check{name: "a full key has room after a purge of " + name, run: func(r *room) { purgeMakesRoom(r, kinds()[name]) }},
			check{name: "a full key has no more room after a soft purge of " + name, run: func(r *room) { softMakesNone(r, kinds()[name]) }})
	}
	return all
}

// most is how many variants a key of these checks may have.
const most = 3

// lookBounded returns the claim of a caller who has just looked at the variant
// of "k" called name, and knows the bound.
func (r *room) lookBounded(st store.Store, name string) store.Claim {
	r.Helper()
	c := r.look(st, store.Slot{Key: "k", Variant: name})
	c.Variants = most
	return c
}

// tryBounded opens the fill of a variant of "k". Where st has not heard yet of
// what another did, it looks again. The error is nil or ErrFull.
func (r *room) tryBounded(st store.Store, name string) (l store.Lease, err error) {
	r.Helper()
	r.eventually("an answer to a claim", func() bool {
		l, err = st.Acquire(r.Context(), r.lookBounded(st, name))
		return !errors.Is(err, store.ErrChanged)
	})
	switch {
	case err != nil && !errors.Is(err, store.ErrFull):
		r.Fatalf("Acquire of %q: %v", name, err)
	case (l == nil) != (err != nil):
		r.Fatalf("Acquire of %q: lease %v with %v", name, l, err)
	}
	return l, err
}

// add stores a variant of "k", which has room for it.
func (r *room) add(st store.Store, name string, tags ...string) {
	r.Helper()
	l, err := r.tryBounded(st, name)
	if err != nil {
		r.Fatalf("Acquire of %q: %v", name, err)
	}
	r.commit(l, variant(name, "of "+name, tags...))
}

// isFull fails unless "k" takes no further variant.
func (r *room) isFull(st store.Store, when string) {
	r.Helper()
	if l, err := r.tryBounded(st, "one too many"); err == nil {
		_ = l.Release(r.Context())
		r.Fatalf("%s: a lease for one variant too many", when)
	}
}

// fillUp gives "k" a new base and as many variants as it may have: "0", "1"…
// It checks that they have room, and no others.
func (r *room) fillUp(st store.Store, tags ...string) *store.Item {
	r.Helper()
	b := r.fill(st, "k", base("names", tags...), variant("0", "of 0", tags...))
	for i := 1; i < most; i++ {
		r.add(st, fmt.Sprint(i), tags...)
	}
	r.isFull(st, "filled up")
	return b
}

func fullKey(r *room) {
	b := r.fillUp(r.a)
	r.refused(r.a, r.lookBounded(r.a, "new"), store.ErrFull)
	c := r.lookBounded(r.a, "new")
	c.Steal = true
	r.refused(r.a, c, store.ErrFull)
	for i := range most {
		r.hasVariant(r.a, b, fmt.Sprint(i), fmt.Sprint("of ", i))
	}
	// It is the claim that bounds, and its own key.
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "unbounded"}), variant("unbounded", "of unbounded"))
	r.hasVariant(r.a, b, "unbounded", "of unbounded")
	c = r.lookBounded(r.a, "new")
	c.Variants = most + 2
	l, err := r.a.Acquire(r.Context(), c)
	if err != nil {
		r.Fatalf("Acquire for a key with room: %v", err)
	}
	r.commit(l, variant("new", "of new"))
	r.fill(r.a, "another", base("names"))
	c = r.look(r.a, store.Slot{Key: "another", Variant: "its own"})
	c.Variants = most
	if l, err = r.a.Acquire(r.Context(), c); err != nil {
		r.Fatalf("Acquire for a key beside a full one: %v", err)
	}
	r.commit(l, variant("its own", "of another"))
	r.isFull(r.a, "afterwards")
}

func fullRefilled(r *room) {
	b := r.fillUp(r.a)
	for range 2 {
		for i := range most {
			name := fmt.Sprint(i)
			r.add(r.a, name)
			r.hasVariant(r.a, b, name, "of "+name)
		}
		r.isFull(r.a, "refilled")
	}
	r.purge(r.a, store.Purge{Keys: []string{"k"}, Soft: true})
	r.add(r.a, "0") // which is stale
	r.isFull(r.a, "refilled after a soft purge")
}

func fullBase(r *room) {
	r.fillUp(r.a)
	c := r.look(r.a, store.Slot{Key: "k"})
	c.Variants = most
	l, err := r.a.Acquire(r.Context(), c)
	if err != nil {
		r.Fatalf("Acquire of the base of a full key: %v", err)
	}
	r.commit(l, base("other names"), variant("other", "of other"))
	for i := 1; i < most; i++ {
		r.add(r.a, fmt.Sprint("other ", i))
	}
	r.isFull(r.a, "filled up again")
	// A variant's fill may bring a base as well.
	l, err = r.tryBounded(r.a, "other")
	if err != nil {
		r.Fatalf("Acquire: %v", err)
	}
	r.commit(l, base("names"), variant("0", "of 0"))
	r.add(r.a, "1")
	// And a base that is deleted takes the others along.
	r.commit(r.acquire(r.a, store.Slot{Key: "k"}))
	r.fillUp(r.a)
}

func notStoredTakesNone(r *room) {
	r.fill(r.a, "k", base("names"))
	for i := range 2 * most {
		l, err := r.tryBounded(r.a, fmt.Sprint("released ", i))
		if err != nil {
			r.Fatalf("Acquire after fills that stored nothing: %v", err)
		}
		if err := l.Release(r.Context()); err != nil {
			r.Fatalf("Release: %v", err)
		}
	}
	for i := range 2 * most {
		r.add(r.a, "deleted")
		l, err := r.tryBounded(r.a, "deleted")
		if err != nil {
			r.Fatalf("Acquire, round %d: %v", i, err)
		}
		r.commit(l)
	}
	for i := range most {
		r.add(r.a, fmt.Sprint(i))
	}
	r.isFull(r.a, "filled up")
}

func endedMakesRoom(r *room) {
	r.fill(r.a, "k", base("names"))
	l, err := r.tryBounded(r.a, "short")
	if err != nil {
		r.Fatalf("Acquire: %v", err)
	}
	short := variant("short", "of short")
	short.Life = 30 * time.Millisecond
	r.commit(l, short)
	for i := 1; i < most; i++ {
		r.add(r.a, fmt.Sprint(i))
	}
	r.eventually("the place of a variant whose life has ended", func() bool {
		l, err := r.tryBounded(r.a, "next")
		if err == nil {
			r.commit(l, variant("next", "of next"))
		}
		return err == nil
	})
	r.isFull(r.a, "with another in its place")
}

// fullAtOnce opens more fills than there are places, when there are places.
func fullAtOnce(r *room) {
	b := r.fill(r.a, "k", base("names"))
	r.eventually("the base", func() bool { return r.get(r.b, "k") != nil })
	var leases []store.Lease
	for i := range 2 * most {
		st := r.a
		if i%2 == 1 {
			st = r.b
		}
		l, err := r.tryBounded(st, fmt.Sprint(i))
		if err != nil {
			break // a store may count fills under way
		}
		leases = append(leases, l)
	}
	if len(leases) < most {
		r.Fatalf("%d leases for %d places", len(leases), most)
	}
	for i, l := range leases {
		if e := variant(fmt.Sprint(i), "of it"); i < most {
			r.commit(l, e)
		} else {
			r.overtaken(l, e)
		}
	}
	for i := range leases {
		if it := r.variantOf(r.a, b, fmt.Sprint(i)); (it != nil) != (i < most) {
			r.Errorf("variant %d is stored: %v", i, it != nil)
		}
	}
	r.isFull(r.a, "afterwards")
}

// fullRace has many goroutines, on both instances, fill variants of names that
// few share.
func fullRace(r *room) {
	b := r.fill(r.a, "k", base("names"))
	r.eventually("the base", func() bool { return r.get(r.b, "k") != nil })
	const fillers, names = 8, 40
	var stored [names]atomic.Bool
	var all sync.WaitGroup
	for g := range fillers {
		st := r.a
		if g%2 == 1 {
			st = r.b
		}
		all.Go(func() {
			for i := range names {
				n := (g/2*names/4 + i) % names
				name := fmt.Sprint(n)
				seen, _ := st.Variant(r.Context(), b, name) // an error is no variant
				c := store.Claim{Slot: store.Slot{Key: "k", Variant: name}, Base: b, Seen: seen, Hold: minute, Variants: most}
				l, err := st.Acquire(r.Context(), c)
				switch {
				case err == nil && l.Commit(r.Context(), variant(name, "of it")) == nil:
					stored[n].Store(true)
				case err == nil, errors.Is(err, store.ErrFull), errors.Is(err, store.ErrHeld), errors.Is(err, store.ErrChanged):
				default:
					r.Errorf("Acquire: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	count := 0
	for i := range stored {
		if stored[i].Load() {
			count++
		}
	}
	if count != most {
		r.Errorf("%d variants were stored, want %d", count, most)
	}
}

func fullTogether(r *room) {
	r.fill(r.a, "k", base("names"), variant("0", "of 0"))
	r.eventually("the base", func() bool { return r.get(r.b, "k") != nil })
	for i := 1; i < most; i++ {
		if i%2 == 0 {
			r.add(r.a, fmt.Sprint(i))
		} else {
			r.add(r.b, fmt.Sprint(i))
		}
	}
	r.isFull(r.a, "filled by both, for one")
	r.isFull(r.b, "filled by both, for the other")
	r.add(r.a, "1") // the other's
	r.add(r.b, "0")
	r.purge(r.b, store.Purge{Keys: []string{"k"}})
	r.eventually("the purge", func() bool { return r.get(r.a, "k") == nil })
	r.fill(r.a, "k", base("names"), variant("0", "of 0"))
	r.eventually("the base", func() bool { return r.get(r.b, "k") != nil })
	r.add(r.b, "1")
}

func purgeMakesRoom(r *room, kind func(key, tag string) store.Purge) {
	for range 2 {
		r.fillUp(r.a, "t")
		r.purge(r.a, kind("k", "t"))
	}
	// Nor do those of before count if they have the names of others.
	r.fill(r.a, "k", base("names", "t"), variant("a", "of a", "t"))
	for i := 1; i < most; i++ {
		r.add(r.a, fmt.Sprint("new ", i), "t")
	}
	r.isFull(r.a, "after a purge and as many variants")
}

func softMakesNone(r *room, kind func(key, tag string) store.Purge) {
	r.fillUp(r.a, "t")
	p := kind("k", "t")
	p.Soft = true
	r.purge(r.a, p)
	r.isFull(r.a, "after a soft purge")
	r.add(r.a, "0", "t")
	r.isFull(r.a, "after a soft purge and a refill")
}
