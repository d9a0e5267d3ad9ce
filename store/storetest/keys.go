package storetest

import (
	"fmt"
	"unsafe"

	"github.com/reprise-go/reprise/store"
)

func keyChecks() []check {
	return []check{
		{name: "keys and names may be any bytes", run: anyBytes},
		{name: "keys and names do not run together", run: keysApart},
		{name: "a key may be a view of a buffer", run: keyViews},
	}
}

// odd are keys that a careless backend takes apart or mixes up.
var odd = []string{
	"", " ", "k", "K", "k ", "k:c", "k:v:1", "{k}", "{k", "k}", "a{k}b", "{}", "%", "%7B", "*", "?", "[k]", `\`,
	"k\x00", "k\nk", "k\r\n", "\xff\xfe", "ключ", "🔑", "GET https://example.com/a?b=c&d=e",
}

func anyBytes(r *room) {
	for i, key := range odd {
		r.fill(r.a, key, base(fmt.Sprint("body ", i), "tag of "+key))
	}
	for i, key := range odd {
		if it := r.has(r.a, key, fmt.Sprint("body ", i)); it.Key != key {
			r.Errorf("%q comes back as %q", key, it.Key)
		}
	}
	// Each can be purged, by itself.
	for i, key := range odd {
		if i%2 == 0 {
			r.purge(r.a, store.Purge{Keys: []string{key}})
		} else {
			r.purge(r.a, store.Purge{Tags: []string{"tag of " + key}})
		}
		r.hasNot(r.a, odd[:i+1]...)
		for j := i + 1; j < len(odd); j++ {
			r.has(r.a, odd[j], fmt.Sprint("body ", j))
		}
	}
	b := r.fill(r.a, "k", base("base"))
	for _, name := range odd[1:] { // "" is the base itself
		r.commit(r.acquire(r.a, store.Slot{Key: "k", Variant: name}), variant(name, "of "+name))
	}
	for _, name := range odd[1:] {
		if it := r.hasVariant(r.a, b, name, "of "+name); it.Variant() != name {
			r.Errorf("variant %q comes back as %q", name, it.Variant())
		}
	}
}

func keysApart(r *room) {
	one := r.fill(r.a, "a", base("base of a"), variant("bc", "one"))
	two := r.fill(r.a, "ab", base("base of ab"), variant("c", "two"))
	r.hasVariant(r.a, one, "bc", "one")
	r.hasVariant(r.a, two, "c", "two")
	if it := r.variantOf(r.a, one, "c"); it != nil {
		r.Errorf("variant c of a: %q", it.Body)
	}
	if it := r.variantOf(r.a, one, ""); it != nil {
		r.Errorf("the variant without a name: %q", it.Body)
	}
	r.hasNot(r.a, "abc")
	r.purge(r.a, store.Purge{Keys: []string{"a"}})
	r.hasNot(r.a, "a")
	r.hasVariant(r.a, r.has(r.a, "ab", "base of ab"), "c", "two")
}

func keyViews(r *room) {
	r.commit(r.acquire(r.a, store.Slot{Key: "key"}), base("base"), variant("name", "body"))
	key, name := []byte("key"), []byte("name")
	keyView, nameView := unsafe.String(&key[0], len(key)), unsafe.String(&name[0], len(name))
	// The first looks that find something are the ones to be remembered.
	b := r.has(r.a, keyView, "base")
	r.hasVariant(r.a, b, nameView, "body")
	copy(key, "odd")
	copy(name, "fool")
	r.hasNot(r.a, keyView)
	if it := r.variantOf(r.a, b, nameView); it != nil {
		r.Errorf("variant %q: %q", nameView, it.Body)
	}
	copy(key, "oho")
	copy(name, "noon")
	r.has(r.a, "key", "base")
	if it := r.hasVariant(r.a, b, "name", "body"); it.Key != "key" || it.Variant() != "name" {
		r.Errorf("the item is called %q, %q", it.Key, it.Variant())
	}
	r.hasNot(r.a, "odd", "oho")
}
