package storetest

import "github.com/reprise-go/reprise/store"

func variantChecks() []check {
	return []check{
		{name: "a base and a variant are committed together", run: committedTogether},
		{name: "a variant is replaced alone", run: variantAlone},
		{name: "a new base may come with a variant of another name", run: otherName},
		{name: "a variant of an older base is not found", run: olderBase},
		{name: "a base without variants hides those of before", run: baseWithout},
		{name: "a variant without its base is not stored", run: baseGone},
	}
}

func committedTogether(r *room) {
	b := r.fill(r.a, "k", base("names", "tb"), variant("de", "hallo", "tv"))
	r.has(r.a, "k", "names")
	v := r.hasVariant(r.a, b, "de", "hallo")
	if v.Key != "k" || v.Variant() != "de" || len(v.Tags) != 1 || v.Tags[0] != "tv" || string(v.Meta) != "meta of hallo" {
		r.Errorf("key %q, variant %q, tags %q, meta %q", v.Key, v.Variant(), v.Tags, v.Meta)
	}
	if v.Of() != b.Stamp || b.Of() != (store.Stamp{}) || b.Variant() != "" {
		r.Errorf("variant of %x, base %x of %x", v.Of(), b.Stamp, b.Of())
	}
	if it := r.variantOf(r.a, b, "en"); it != nil {
		r.Errorf("a variant that nobody stored: %q", it.Body)
	}
}

func variantAlone(r *room) {
	b := r.fill(r.a, "k", base("names"), variant("de", "hallo"))
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "en"}), variant("en", "hello"))
	first := r.hasVariant(r.a, b, "de", "hallo")
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "de"}), variant("de", "servus"))
	second := r.hasVariant(r.a, b, "de", "servus")
	r.hasVariant(r.a, b, "en", "hello")
	if now := r.has(r.a, "k", "names"); now.Stamp != b.Stamp {
		r.Errorf("the base is %x now, and was %x", now.Stamp, b.Stamp)
	}
	if first.Stamp == second.Stamp || second.Of() != b.Stamp {
		r.Errorf("stamps %x and %x, of %x", first.Stamp, second.Stamp, second.Of())
	}
}

func otherName(r *room) {
	old := r.fill(r.a, "k", base("by language"), variant("de", "hallo"))
	l := r.acquire(r.a, store.Slot{Key: "k", Variant: "de"})
	r.commit(l, base("by country"), variant("at", "servus"))
	b := r.has(r.a, "k", "by country")
	r.hasVariant(r.a, b, "at", "servus")
	for _, of := range []*store.Item{old, b} {
		if it := r.variantOf(r.a, of, "de"); it != nil {
			r.Errorf("a variant of the base of before: %q", it.Body)
		}
	}
}

func olderBase(r *room) {
	old := r.fill(r.a, "k", base("one"), variant("de", "hallo"))
	r.hasVariant(r.a, old, "de", "hallo")
	b := r.fill(r.a, "k", base("two"), variant("en", "hello"))
	for _, of := range []*store.Item{old, b} {
		if it := r.variantOf(r.a, of, "de"); it != nil {
			r.Errorf("a variant of the older base: %q", it.Body)
		}
	}
	if it := r.variantOf(r.a, old, "en"); it != nil {
		r.Errorf("a variant of the newer base, asked for with the older: %q", it.Body)
	}
	r.hasVariant(r.a, b, "en", "hello")
	// The same name again, of the newer base.
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "de"}), variant("de", "servus"))
	r.hasVariant(r.a, b, "de", "servus")
}

func baseWithout(r *room) {
	old := r.fill(r.a, "k", base("names"), variant("de", "hallo"))
	b := r.fill(r.a, "k", base("the same for all"))
	for _, of := range []*store.Item{old, b} {
		if it := r.variantOf(r.a, of, "de"); it != nil {
			r.Errorf("a variant of before: %q", it.Body)
		}
	}
	// A deleted base hides them as well, and no base brings them back.
	old = r.fill(r.a, "k", base("names"), variant("de", "hallo"))
	r.commit(r.acquire(r.a, store.Slot{Key: "k"}))
	if it := r.variantOf(r.a, old, "de"); it != nil {
		r.Errorf("a variant without a base: %q", it.Body)
	}
	b = r.fill(r.a, "k", base("names"))
	if it := r.variantOf(r.a, b, "de"); it != nil {
		r.Errorf("a variant of a deleted base: %q", it.Body)
	}
}

func baseGone(r *room) {
	old := r.fill(r.a, "k", base("names"), variant("de", "hallo"))
	l := r.acquire(r.a, store.Slot{Key: "k", Variant: "de"})
	r.commit(r.acquire(r.a, store.Slot{Key: "k"})) // deletes the base
	r.overtaken(l, variant("de", "servus"))
	r.hasNot(r.a, "k")
	if it := r.variantOf(r.a, old, "de"); it != nil {
		r.Errorf("a variant without a base: %q", it.Body)
	}

	r.fill(r.a, "k", base("names"), variant("de", "hallo"))
	l = r.acquire(r.a, store.Slot{Key: "k", Variant: "de"})
	b := r.fill(r.a, "k", base("other names"))
	r.overtaken(l, variant("de", "servus"))
	if it := r.variantOf(r.a, b, "de"); it != nil {
		r.Errorf("a variant of a fill under the base of before: %q", it.Body)
	}
}
