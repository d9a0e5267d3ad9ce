package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/reprise-go/reprise/store"
)

func valueChecks() []check {
	return []check{
		{name: "an empty store has nothing", run: emptyHasNothing},
		{name: "a commit can be read, every field of it", run: commitIsRead},
		{name: "a commit can be read elsewhere", run: commitIsReadElsewhere, two: true},
		{name: "a commit replaces what was there", run: commitReplaces},
		{name: "a commit without entries deletes", run: commitDeletes},
		{name: "an entry ends with its life", run: entryEnds},
		{name: "what reuses an entry is not stored once that has ended", run: reusesWhatEnded},
		{name: "bodies may be empty or large", run: bodiesOfAllSizes},
		{name: "items are unharmed by what comes later", run: itemsStay},
	}
}

func emptyHasNothing(r *room) {
	r.hasNot(r.a, "k", "")
	if it := r.variantOf(r.a, &store.Item{Key: "k", Stamp: store.NewStamp()}, "v"); it != nil {
		r.Errorf("a variant of a base that does not exist: %q", it.Body)
	}
}

func commitIsRead(r *room) {
	before := time.Now()
	r.fill(r.a, "k", store.Entry{Meta: []byte("m\x00"), Body: []byte("b\xff"), Tags: []string{"t1", "t 2"}, Life: hour})
	after := time.Now()
	it := r.get(r.a, "k")
	if it == nil {
		r.Fatalf("not found")
	}
	if it.Key != "k" || it.Variant() != "" || string(it.Meta) != "m\x00" || string(it.Body) != "b\xff" {
		r.Errorf("key %q, variant %q, meta %q, body %q", it.Key, it.Variant(), it.Meta, it.Body)
	}
	if !slices.Equal(it.Tags, []string{"t1", "t 2"}) {
		r.Errorf("tags %q", it.Tags)
	}
	// A second for the clock of a server, and for what it rounds.
	if it.Expires().Before(before.Add(hour-time.Second)) || it.Expires().After(after.Add(hour+time.Second)) {
		r.Errorf("Expires %v, committed between %v and %v for %v", it.Expires(), before, after, hour)
	}
	if it.Stamp == (store.Stamp{}) || it.Of() != (store.Stamp{}) || it.Soft() {
		r.Errorf("stamp %x, of %x, soft: %v", it.Stamp, it.Of(), it.Soft())
	}
	if again := r.get(r.a, "k"); again == nil || again.Stamp != it.Stamp {
		r.Errorf("two looks at one fill differ: %v and %v", it, again)
	}
}

func commitIsReadElsewhere(r *room) {
	r.fill(r.a, "k", base("one", "t"))
	var it *store.Item
	r.eventually("the fill of the other", func() bool {
		it = r.get(r.b, "k")
		return it != nil
	})
	if string(it.Body) != "one" || string(it.Meta) != "meta of one" || !slices.Equal(it.Tags, []string{"t"}) {
		r.Errorf("body %q, meta %q, tags %q", it.Body, it.Meta, it.Tags)
	}
	r.fill(r.b, "k", base("two"))
	r.eventually("the second fill", func() bool {
		it := r.get(r.a, "k")
		return it != nil && string(it.Body) == "two"
	})
}

func commitReplaces(r *room) {
	first := r.fill(r.a, "k", base("one", "t"))
	second := r.fill(r.a, "k", base("two"))
	r.has(r.a, "k", "two")
	if first.Stamp == second.Stamp {
		r.Errorf("two fills have one stamp, %x", first.Stamp)
	}
	if len(second.Tags) != 0 {
		r.Errorf("the second has the tags of the first: %q", second.Tags)
	}
}

func commitDeletes(r *room) {
	r.fill(r.a, "k", base("one"))
	r.commit(r.acquire(r.a, store.Slot{Key: "k"}))
	r.hasNot(r.a, "k")
	r.commit(r.acquire(r.a, store.Slot{Key: "k"})) // nothing there
	r.hasNot(r.a, "k")

	b := r.fill(r.a, "v", base("base"), variant("de", "hallo"))
	slot := store.Slot{Key: "v", Variant: "de"}
	r.commit(r.acquire(r.a, slot))
	if it := r.variantOf(r.a, b, "de"); it != nil {
		r.Errorf("a deleted variant holds %q", it.Body)
	}
	r.has(r.a, "v", "base")
}

func entryEnds(r *room) {
	const life = 30 * time.Millisecond
	short := base("short")
	short.Life = life
	r.commit(r.acquire(r.a, store.Slot{Key: "k"}), short)
	r.eventually("the end of a base entry", func() bool { return r.get(r.a, "k") == nil })

	b := r.fill(r.a, "v", base("base"))
	v := variant("de", "hallo")
	v.Life = life
	r.commit(r.acquire(r.a, store.Slot{Key: "v", Variant: "de"}), v)
	r.eventually("the end of a variant", func() bool { return r.variantOf(r.a, b, "de") == nil })
	r.has(r.a, "v", "base")

	// What has ended is no obstacle to the next fill.
	r.fill(r.a, "k", base("next"))
	r.has(r.a, "k", "next")
}

func reusesWhatEnded(r *room) {
	const life = 50 * time.Millisecond
	for _, reuses := range []bool{true, false} {
		short := base("short")
		short.Life = life
		var l store.Lease
		for filled := time.Now(); l == nil || time.Since(filled) > life; { // it must have been seen
			if l != nil {
				_ = l.Release(r.Context())
			}
			filled = time.Now()
			r.fill(r.a, "k", short)
			l = r.acquire(r.a, store.Slot{Key: "k"})
		}
		r.eventually("the end of what is reused", func() bool { return r.get(r.a, "k") == nil })
		time.Sleep(20 * time.Millisecond) // a server rounds, and ends it a little later
		e := base("again")
		if e.Reuses = reuses; reuses {
			r.overtaken(l, e)
			r.hasNot(r.a, "k", "")
		} else if err := l.Commit(r.Context(), e); err != nil {
			r.Errorf("Commit of what reuses nothing: %v", err)
		}
	}
}

func bodiesOfAllSizes(r *room) {
	for i, n := range []int{0, 1, 1 << 10, 1 << 20} {
		key := fmt.Sprintf("of %d bytes", n)
		body := bytes.Repeat([]byte{byte(i), '\r', '\n', 0xff}, n/4+1)[:n]
		it := r.fill(r.a, key, store.Entry{Body: body, Life: hour})
		if !bytes.Equal(it.Body, body) || len(it.Meta) != 0 {
			r.Errorf("%s: %d came back, and a meta of %d", key, len(it.Body), len(it.Meta))
		}
	}
	if it := r.fill(r.a, "no body", store.Entry{Life: hour}); len(it.Body) != 0 {
		r.Errorf("no body became %q", it.Body)
	}
}

func itemsStay(r *room) {
	r.fill(r.a, "k", base("base", "t"), variant("de", "hallo", "t"))
	b := r.has(r.a, "k", "base")
	v := r.hasVariant(r.a, b, "de", "hallo")
	stamp, mark, ends := b.Stamp, b.Mark(), b.Expires()
	whole := func(when string) {
		r.Helper()
		if string(b.Body) != "base" || string(b.Meta) != "meta of base" || !slices.Equal(b.Tags, []string{"t"}) ||
			b.Stamp != stamp || b.Mark() != mark || !b.Expires().Equal(ends) || b.Key != "k" {
			r.Fatalf("%s an item in use changed: %+v", when, b)
		}
		if string(v.Body) != "hallo" || v.Variant() != "de" || v.Of() != stamp || v.Key != "k" {
			r.Fatalf("%s a variant in use changed: %+v", when, v)
		}
	}
	r.purge(r.a, store.Purge{Keys: []string{"k"}, Soft: true})
	whole("after a soft purge")
	r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: "de"}), variant("de", "servus"))
	whole("after a refill of the variant")
	r.fill(r.a, "k", base("other"))
	whole("after a refill of the base")
	r.purge(r.a, store.Purge{Keys: []string{"k"}})
	whole("after a purge")
}
