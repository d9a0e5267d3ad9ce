package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/reprise-go/reprise/store"
)

func overtakeChecks() []check {
	var all []check
	for _, name := range slices.Sorted(maps.Keys(kinds())) {
		for _, soft := range []bool{false, true} {
			k, how := kinds()[name], "purge"
			if soft {
				how = "soft purge"
			}
			all = append(all,
				check{name: fmt.Sprintf("a fill of a base is overtaken by a %s of %s", how, name), run: func(r *room) { baseOvertaken(r, k, soft) }},
				check{name: fmt.Sprintf("a fill of a variant is overtaken by a %s of %s", how, name), run: func(r *room) { variantOvertaken(r, k, soft) }})
		}
		all = append(all, check{name: "a fill is overtaken by another instance's purge of " + name, two: true, run: func(r *room) { overtakenElsewhere(r, kinds()[name]) }})
	}
	return append(all,
		check{name: "a fill is overtaken by a purge of a tag of any of its entries", run: anyEntryOvertaken},
		check{name: "a fill is not overtaken by a purge of something else", run: notOvertaken})
}

func baseOvertaken(r *room, kind func(key, tag string) store.Purge, soft bool) {
	p := kind("k", "t")
	p.Soft = soft
	l := r.acquire(r.a, store.Slot{Key: "k"})
	r.purge(r.a, p)
	r.overtaken(l, base("of before", "t"))
	r.hasNot(r.a, "k")

	r.fill(r.a, "k", base("stored", "t"))
	l = r.acquire(r.a, store.Slot{Key: "k"})
	r.purge(r.a, p)
	r.overtaken(l, base("of before", "t"))
	it := r.get(r.a, "k")
	switch {
	case soft && (it == nil || string(it.Body) != "stored" || !it.Soft()):
		r.Errorf("a soft purge left %v", it)
	case !soft && it != nil:
		r.Errorf("a purge left %q", it.Body)
	}
	// Twice, and the fill after it.
	l = r.acquire(r.a, store.Slot{Key: "k"})
	r.purge(r.a, p)
	r.purge(r.a, p)
	r.overtaken(l, base("of before", "t"))
	r.fill(r.a, "k", base("of after", "t"))
	r.has(r.a, "k", "of after")
}

// variantOvertaken also purges a variant's fill through its base: nobody who
// purges a URL knows the names of its variants.
func variantOvertaken(r *room, kind func(key, tag string) store.Purge, soft bool) {
	p := kind("k", "t")
	p.Soft = soft
	slot := store.Slot{Key: "k", Variant: "de"}
	for _, stored := range []bool{false, true} {
		old := r.fill(r.a, "k", base("names"))
		if stored {
			r.commit(r.acquire(r.a, slot), variant("de", "stored", "t"))
		}
		l := r.acquire(r.a, slot)
		r.purge(r.a, p)
		r.overtaken(l, variant("de", "of before", "t"))
		it := r.variantOf(r.a, old, "de")
		switch {
		case it == nil && soft && stored:
			r.Errorf("a soft purge left no variant")
		case it == nil:
		case !stored || !soft || string(it.Body) != "stored" || !it.Soft():
			r.Errorf("a variant after a purge, soft: %v: %q, soft: %v", soft, it.Body, it.Soft())
		}
		// A fill of a variant that would bring a new base.
		old = r.fill(r.a, "k", base("names"))
		l = r.acquire(r.a, slot)
		r.purge(r.a, p)
		r.overtaken(l, base("other names", "t"), variant("de", "of before", "t"))
		if it := r.variantOf(r.a, old, "de"); it != nil {
			r.Errorf("a variant of an overtaken fill: %q", it.Body)
		}
	}
}

// overtakenElsewhere holds for the purger at once. Where tags are concerned, a
// commit on an instance that has not heard of the purge may go through; its
// entry must not be found all the same.
func overtakenElsewhere(r *room, kind func(key, tag string) store.Purge) {
	for round := range 20 {
		key := fmt.Sprint("round ", round)
		p := kind(key, "t")
		l := r.acquire(r.a, store.Slot{Key: key})
		r.purge(r.b, p)
		err := l.Commit(r.Context(), base("of before", "t"))
		if err != nil && !errors.Is(err, store.ErrOvertaken) || err == nil && p.Keys != nil {
			r.Fatalf("Commit: %v; want %v", err, store.ErrOvertaken)
		}
		r.hasNot(r.b, key)
		r.eventually("the end of what was overtaken", func() bool { return r.get(r.a, key) == nil })
		r.hasNot(r.b, key)
	}
}

func anyEntryOvertaken(r *room) {
	for _, soft := range []bool{false, true} {
		l := r.acquire(r.a, store.Slot{Key: "k"})
		r.purge(r.a, store.Purge{Tags: []string{"base"}, Soft: soft})
		r.overtaken(l, base("names", "x", "base"), variant("de", "hallo", "variant"))
		r.hasNot(r.a, "k")
		l = r.acquire(r.a, store.Slot{Key: "k"})
		r.purge(r.a, store.Purge{Tags: []string{"variant"}, Soft: soft})
		r.overtaken(l, base("names", "base"), variant("de", "hallo", "x", "variant"))
		r.hasNot(r.a, "k")
	}
}

func notOvertaken(r *room) {
	for _, p := range []store.Purge{
		{Keys: []string{"other", "k:c", "K"}}, {Tags: []string{"other", "T"}}, {Match: "[^k]*"},
		{Keys: []string{"k"}, Tags: []string{"t"}, Match: "*", All: true, DryRun: true},
	} {
		for _, soft := range []bool{false, true} {
			p.Soft = soft
			l := r.acquire(r.a, store.Slot{Key: "k"})
			r.purge(r.a, p)
			if err := l.Commit(r.Context(), base("names", "t"), variant("de", "hallo", "t")); err != nil {
				r.Fatalf("Commit after purge %+v: %v", p, err)
			}
			b := r.has(r.a, "k", "names")
			r.hasVariant(r.a, b, "de", "hallo")
			r.purge(r.a, p)
			r.has(r.a, "k", "names")
		}
	}
}
