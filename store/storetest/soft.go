package storetest

import (
	"maps"
	"slices"

	"github.com/reprise-go/reprise/store"
)

func softChecks() []check {
	var all []check
	for _, name := range slices.Sorted(maps.Keys(kinds())) {
		all = append(all, check{name: "a soft purge makes stale until the next fill, by " + name, run: func(r *room) { softUntilFill(r, kinds()[name]) }})
	}
	return append(all,
		check{name: "a soft purge of a key makes its variants stale", run: softVariants},
		check{name: "a soft purge of a tag makes what carries it stale", run: softTags},
		check{name: "soft and hard purges in any order", run: softAndHard},
		check{name: "a soft purge reaches the other instances", run: softElsewhere, two: true})
}

// isSoft fails unless st has body under key, soft.
func (r *room) isSoft(st store.Store, key, body string) *store.Item {
	r.Helper()
	it := r.get(st, key)
	if it == nil {
		r.Fatalf("a soft purge dropped %q", key)
	}
	if string(it.Body) != body || !it.Soft() {
		r.Fatalf("%q holds %.40q, soft: %v; want %.40q, soft", key, it.Body, it.Soft(), body)
	}
	return it
}

func softUntilFill(r *room, kind func(key, tag string) store.Purge) {
	p := kind("k", "t")
	p.Soft = true
	r.purge(r.a, p) // of nothing
	r.hasNot(r.a, "k")
	old := r.fill(r.a, "k", base("stored", "t"))
	r.purge(r.a, p)
	now := r.isSoft(r.a, "k", "stored")
	if now.Stamp != old.Stamp || string(now.Meta) != "meta of stored" || !slices.Equal(now.Tags, []string{"t"}) || !now.Expires().Equal(old.Expires()) {
		r.Errorf("a soft purge changed %+v to %+v", old, now)
	}
	r.purge(r.a, p)
	r.isSoft(r.a, "k", "stored")
	// What a caller saw before the purge is still what is there.
	l, err := r.a.Acquire(r.Context(), store.Claim{Slot: store.Slot{Key: "k"}, Base: old, Hold: minute})
	if err != nil {
		r.Fatalf("Acquire: %v", err)
	}
	r.isSoft(r.a, "k", "stored") // while it is filled
	if err := l.Release(r.Context()); err != nil {
		r.Fatalf("Release: %v", err)
	}
	r.fill(r.a, "k", base("next", "t"))
	r.has(r.a, "k", "next")
}

func softVariants(r *room) {
	b := r.fill(r.a, "k", base("names"), variant("de", "hallo"))
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "en"}), variant("en", "hello"))
	r.purge(r.a, store.Purge{Keys: []string{"k"}, Soft: true})
	now := r.isSoft(r.a, "k", "names")
	for _, of := range []*store.Item{b, now} { // with what a caller saw before, and now
		for _, name := range []string{"de", "en"} {
			if it := r.variantOf(r.a, of, name); it == nil || !it.Soft() {
				r.Fatalf("variant %q after a soft purge: %v", name, it)
			}
		}
	}
	// A new fill of one is of after the purge; the other's is not.
	long := variant("de", "servus")
	long.Life = 24 * hour
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "de"}), long)
	r.hasVariant(r.a, now, "de", "servus")
	r.isSoft(r.a, "k", "names") // though a store may have it outlive its variant
	if it := r.variantOf(r.a, now, "en"); it == nil || !it.Soft() {
		r.Errorf("a refill of one variant left the other %v", it)
	}
	// The next soft purge makes the refilled one stale again.
	r.purge(r.a, store.Purge{Keys: []string{"k"}, Soft: true})
	if it := r.variantOf(r.a, now, "de"); it == nil || !it.Soft() {
		r.Errorf("a refilled variant after the next soft purge: %v", it)
	}
	b = r.fill(r.a, "k", base("names again"), variant("de", "hallo"))
	r.has(r.a, "k", "names again")
	r.hasVariant(r.a, b, "de", "hallo")
}

func softTags(r *room) {
	r.fill(r.a, "x", base("x", "x"))
	r.fill(r.a, "y", base("y", "y"))
	b := r.fill(r.a, "k", base("names"), variant("de", "hallo", "x"))
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "en"}), variant("en", "hello", "y"))
	r.purge(r.a, store.Purge{Tags: []string{"x"}, Soft: true})
	r.isSoft(r.a, "x", "x")
	r.has(r.a, "y", "y")
	r.has(r.a, "k", "names")
	if it := r.variantOf(r.a, b, "de"); it == nil || !it.Soft() {
		r.Errorf("a variant whose tag was softly purged: %v", it)
	}
	r.hasVariant(r.a, b, "en", "hello")
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "de"}), variant("de", "servus", "x"))
	r.hasVariant(r.a, b, "de", "servus")
}

func softAndHard(r *room) {
	for _, name := range slices.Sorted(maps.Keys(kinds())) {
		for _, other := range slices.Sorted(maps.Keys(kinds())) {
			hard, soft := kinds()[name]("k", "t"), kinds()[other]("k", "t")
			soft.Soft = true
			r.fill(r.a, "k", base("stored", "t"))
			r.purge(r.a, soft)
			r.isSoft(r.a, "k", "stored")
			r.purge(r.a, hard)
			r.hasNot(r.a, "k")
			r.purge(r.a, soft)
			r.hasNot(r.a, "k")
			r.fill(r.a, "k", base("next", "t"))
			r.has(r.a, "k", "next")
		}
	}
}

func softElsewhere(r *room) {
	for _, name := range slices.Sorted(maps.Keys(kinds())) {
		p := kinds()[name]("k", "t")
		p.Soft = true
		old := r.fill(r.a, "k", base("names", "t"), variant("de", "hallo", "t"))
		r.eventually("the fill elsewhere", func() bool { it := r.get(r.b, "k"); return it != nil && it.Stamp == old.Stamp })
		r.hasVariant(r.b, old, "de", "hallo")
		r.purge(r.a, p)
		r.isSoft(r.a, "k", "names")
		r.eventually("a soft purge elsewhere, of "+name, func() bool {
			b := r.isThere(r.b, "k")
			v := r.variantOf(r.b, b, "de")
			return b.Soft() && v != nil && v.Soft()
		})
	}
}

func (r *room) isThere(st store.Store, key string) *store.Item {
	r.Helper()
	it := r.get(st, key)
	if it == nil {
		r.Fatalf("a soft purge dropped %q", key)
	}
	return it
}
