package storetest

import (
	"fmt"
	"strings"

	"github.com/reprise-go/reprise/store"
)

func purgeChecks() []check {
	return []check{
		{name: "a purge drops the keys it names, with all variants", run: purgeKeys},
		{name: "a purge of a tag drops what carries it", run: purgeTags},
		{name: "a purge of all drops all", run: purgeAll},
		{name: "the fields of a purge add up", run: fieldsAddUp},
		{name: "a purge counts the base entries it drops", run: purgeCounts},
		{name: "a dry run drops nothing and counts", run: dryRun},
		{name: "an empty purge drops nothing", run: emptyPurge},
		{name: "a purge does not hurt what begins after it", run: purgeBefore},
		{name: "a purge reaches the other instances", run: purgeElsewhere, two: true},
	}
}

func purgeKeys(r *room) {
	one := r.fill(r.a, "one", base("one"), variant("de", "eins"))
	r.commit(r.acquire(r.a, store.Slot{Key: "one", Variant: "fr"}), variant("fr", "un"))
	r.fill(r.a, "two", base("two"))
	three := r.fill(r.a, "three", base("three"), variant("de", "drei"))
	r.purge(r.a, store.Purge{Keys: []string{"one", "two", "none"}})
	r.hasNot(r.a, "one", "two")
	for _, name := range []string{"de", "fr"} {
		if it := r.variantOf(r.a, one, name); it != nil {
			r.Errorf("a purged variant: %q", it.Body)
		}
	}
	r.has(r.a, "three", "three")
	r.hasVariant(r.a, three, "de", "drei")
	// Nor do variants come back with the next base.
	again := r.fill(r.a, "one", base("one again"))
	for _, name := range []string{"de", "fr"} {
		if it := r.variantOf(r.a, again, name); it != nil {
			r.Errorf("a variant of before the purge: %q", it.Body)
		}
	}
}

func purgeTags(r *room) {
	r.fill(r.a, "x", base("x", "x"))
	r.fill(r.a, "y", base("y", "y"))
	r.fill(r.a, "both", base("both", "y", "x"))
	r.fill(r.a, "none", base("none"))
	r.fill(r.a, "X", base("X", "X", "x ", ""))
	tagged := r.fill(r.a, "base tagged", base("names", "x"), variant("de", "hallo"))
	whole := r.fill(r.a, "variant tagged", base("names"), variant("de", "hallo", "x"))
	r.commit(r.acquire(r.a, store.Slot{Key: "variant tagged", Variant: "en"}), variant("en", "hello", "y"))

	r.purge(r.a, store.Purge{Tags: []string{"x"}})
	r.hasNot(r.a, "x", "both", "base tagged")
	r.has(r.a, "y", "y")
	r.has(r.a, "none", "none")
	r.has(r.a, "X", "X")
	r.has(r.a, "variant tagged", "names")
	if it := r.variantOf(r.a, tagged, "de"); it != nil {
		r.Errorf("a variant whose base was purged by its tag: %q", it.Body)
	}
	if it := r.variantOf(r.a, whole, "de"); it != nil {
		r.Errorf("a variant that was purged by its tag: %q", it.Body)
	}
	r.hasVariant(r.a, whole, "en", "hello")

	r.purge(r.a, store.Purge{Tags: []string{"none carries it", "y"}})
	r.hasNot(r.a, "x", "both", "base tagged", "y")
	r.has(r.a, "none", "none")
	r.has(r.a, "X", "X")
	r.purge(r.a, store.Purge{Tags: []string{""}})
	r.hasNot(r.a, "X")
}

func purgeAll(r *room) {
	var keys []string
	for i := range 20 {
		key := fmt.Sprint("key ", i)
		keys = append(keys, key)
		r.fill(r.a, key, base("names"), variant("de", "hallo", fmt.Sprint("tag ", i)))
	}
	old := r.has(r.a, keys[0], "names")
	r.purge(r.a, store.Purge{All: true})
	r.hasNot(r.a, keys...)
	if it := r.variantOf(r.a, old, "de"); it != nil {
		r.Errorf("a purged variant: %q", it.Body)
	}
	r.fill(r.a, keys[0], base("again"))
	r.has(r.a, keys[0], "again")
	r.hasNot(r.a, keys[1:]...)
}

func fieldsAddUp(r *room) {
	fill := func() {
		r.fill(r.a, "key", base("key"))
		r.fill(r.a, "tagged", base("tagged", "t"))
		r.fill(r.a, "match 1", base("match"))
		r.fill(r.a, "match 2", base("match"))
		r.fill(r.a, "other", base("other", "u"))
	}
	fill()
	if done := r.purge(r.a, store.Purge{Keys: []string{"key"}, Match: "match*"}); done.Count != 3 {
		r.Errorf("count %d, want 3", done.Count)
	}
	r.hasNot(r.a, "key", "match 1", "match 2")
	r.has(r.a, "tagged", "tagged")
	fill()
	if done := r.purge(r.a, store.Purge{Keys: []string{"key"}, Match: "match*", Tags: []string{"t"}}); done.Count != -1 {
		r.Errorf("count %d where a tag took part, want -1", done.Count)
	}
	r.hasNot(r.a, "key", "match 1", "match 2", "tagged")
	r.has(r.a, "other", "other")
	fill()
	r.purge(r.a, store.Purge{Keys: []string{"key"}, All: true})
	r.hasNot(r.a, "key", "match 1", "match 2", "tagged", "other")
}

func purgeCounts(r *room) {
	for _, soft := range []bool{true, false} {
		r.fill(r.a, "one", base("names"), variant("de", "hallo"))
		r.commit(r.acquire(r.a, store.Slot{Key: "one", Variant: "en"}), variant("en", "hello"))
		r.fill(r.a, "two", base("two", "t"))
		for _, p := range []struct {
			purge store.Purge
			want  int
		}{
			{store.Purge{Keys: []string{"none"}}, 0},
			{store.Purge{Match: "none*"}, 0},
			{store.Purge{Tags: []string{"none"}}, -1},
			{store.Purge{Keys: []string{"none", "one"}}, 1},
			{store.Purge{Match: "t?o"}, 1},
			{store.Purge{All: true}, -1},
		} {
			p.purge.Soft = soft
			if done := r.purge(r.a, p.purge); done.Count != p.want {
				r.Errorf("Purge %+v counts %d, want %d", p.purge, done.Count, p.want)
			}
		}
	}
}

func dryRun(r *room) {
	r.fill(r.a, "one", base("names", "t"), variant("de", "hallo"))
	r.fill(r.a, "two", base("two"))
	fill, refill := r.acquire(r.a, store.Slot{Key: "new"}), r.acquire(r.a, store.Slot{Key: "two"})
	for _, soft := range []bool{false, true} {
		for _, p := range []struct {
			purge store.Purge
			want  int
		}{
			{store.Purge{Keys: []string{"one", "two", "new"}}, 2},
			{store.Purge{Match: "*"}, 2},
			{store.Purge{Match: "o*", Keys: []string{"two"}}, 2},
			{store.Purge{Tags: []string{"t"}}, -1},
			{store.Purge{All: true}, -1},
		} {
			p.purge.Soft, p.purge.DryRun = soft, true
			if done := r.purge(r.a, p.purge); done.Count != p.want {
				r.Errorf("Purge %+v counts %d, want %d", p.purge, done.Count, p.want)
			}
		}
	}
	r.hasVariant(r.a, r.has(r.a, "one", "names"), "de", "hallo")
	r.has(r.a, "two", "two")
	r.commit(fill, base("new", "t"))
	r.commit(refill, base("two again"))
	r.has(r.a, "new", "new")
}

func emptyPurge(r *room) {
	r.fill(r.a, "k", base("k", "t"))
	r.fill(r.a, "", base("no key", ""))
	l := r.acquire(r.a, store.Slot{Key: "new"})
	for _, p := range []store.Purge{{}, {Soft: true}, {DryRun: true}, {Keys: []string{}, Tags: []string{}}} {
		if done := r.purge(r.a, p); done.Count != 0 {
			r.Errorf("Purge %+v counts %d", p, done.Count)
		}
	}
	r.has(r.a, "k", "k")
	r.has(r.a, "", "no key")
	r.commit(l, base("new", "t"))
}

// kinds are purges that all hit the key and the tag that they are given.
func kinds() map[string]func(key, tag string) store.Purge {
	return map[string]func(key, tag string) store.Purge{
		"its key":   func(key, _ string) store.Purge { return store.Purge{Keys: []string{"another", key}} },
		"its tag":   func(_, tag string) store.Purge { return store.Purge{Tags: []string{"another", tag}} },
		"a pattern": func(key, _ string) store.Purge { return store.Purge{Match: "*" + strings.ToLower(key)} },
		"all":       func(string, string) store.Purge { return store.Purge{All: true} },
	}
}

func purgeBefore(r *room) {
	for name, kind := range kinds() {
		for _, soft := range []bool{false, true} {
			p := kind("k", "t")
			p.Soft = soft
			r.purge(r.a, p)
			l := r.acquire(r.a, store.Slot{Key: "k"})
			if err := l.Commit(r.Context(), base("names", "t"), variant("de", "hallo", "t")); err != nil {
				r.Fatalf("Commit of a fill that began after a purge of %s, soft: %v: %v", name, soft, err)
			}
			b := r.has(r.a, "k", "names")
			r.hasVariant(r.a, b, "de", "hallo")
		}
	}
}

func purgeElsewhere(r *room) {
	for name, kind := range kinds() {
		old := r.fill(r.a, "k", base("names", "t"), variant("de", "hallo"))
		r.eventually("the fill elsewhere", func() bool { it := r.get(r.b, "k"); return it != nil && it.Stamp == old.Stamp })
		r.hasVariant(r.b, old, "de", "hallo")
		r.purge(r.a, kind("k", "t"))
		r.hasNot(r.a, "k")
		r.eventually("a purge elsewhere of "+name, func() bool { return r.get(r.b, "k") == nil && r.variantOf(r.b, old, "de") == nil })
	}
}
