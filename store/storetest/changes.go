package storetest

import "github.com/reprise-go/reprise/store"

func changeChecks() []check {
	return []check{
		{name: "who comes late to a base is told", run: lateToBase},
		{name: "who comes late to a variant is told", run: lateToVariant},
		{name: "what has gone is no obstacle", run: goneIsFine},
	}
}

func lateToBase(r *room) {
	nothing := r.look(r.a, store.Slot{Key: "k"})
	r.fill(r.a, "k", base("one"))
	r.refused(r.a, nothing, store.ErrChanged)
	one := r.look(r.a, store.Slot{Key: "k"})
	r.fill(r.a, "k", base("two"))
	r.refused(r.a, nothing, store.ErrChanged)
	r.refused(r.a, one, store.ErrChanged)
	// Steal is about the lease, not about what is stored.
	one.Steal = true
	r.refused(r.a, one, store.ErrChanged)
	r.commit(r.acquire(r.a, store.Slot{Key: "k"}), base("three"))
}

func lateToVariant(r *room) {
	slot := store.Slot{Key: "k", Variant: "de"}
	r.refused(r.a, store.Claim{Slot: slot, Hold: minute}, store.ErrChanged) // there is no variant without a base
	r.fill(r.a, "k", base("names"))
	nothing := r.look(r.a, slot)
	r.commit(r.acquire(r.a, slot), variant("de", "hallo"))
	r.refused(r.a, nothing, store.ErrChanged)
	hallo := r.look(r.a, slot)
	r.commit(r.acquire(r.a, slot), variant("de", "servus"))
	r.refused(r.a, hallo, store.ErrChanged)
	servus := r.look(r.a, slot)
	r.fill(r.a, "k", base("other names"))
	r.refused(r.a, servus, store.ErrChanged)
	other := r.look(r.a, slot)
	r.purge(r.a, store.Purge{Keys: []string{"k"}})
	r.refused(r.a, other, store.ErrChanged)
}

func goneIsFine(r *room) {
	r.fill(r.a, "k", base("one"))
	c := r.look(r.a, store.Slot{Key: "k"})
	r.commit(r.acquire(r.a, store.Slot{Key: "k"})) // deletes
	l, err := r.a.Acquire(r.Context(), c)
	if err != nil {
		r.Fatalf("Acquire of a base that has gone since: %v", err)
	}
	r.commit(l, base("two"))

	slot := store.Slot{Key: "v", Variant: "de"}
	r.fill(r.a, "v", base("names"), variant("de", "hallo"))
	c = r.look(r.a, slot)
	r.commit(r.acquire(r.a, slot))
	if l, err = r.a.Acquire(r.Context(), c); err != nil {
		r.Fatalf("Acquire of a variant that has gone since: %v", err)
	}
	r.commit(l, variant("de", "servus"))
	r.hasVariant(r.a, r.has(r.a, "v", "names"), "de", "servus")

	// A tag's purge hides a value without a trace in its slot.
	r.fill(r.a, "t", base("one", "tag"))
	r.purge(r.a, store.Purge{Tags: []string{"tag"}})
	r.commit(r.acquire(r.a, store.Slot{Key: "t"}), base("two", "tag"))
	r.has(r.a, "t", "two")
}
