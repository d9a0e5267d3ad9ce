package memstore

import (
	"testing"
	"time"
	"unsafe"

	"github.com/reprise-go/reprise/store"
)

// A look-up that found a dead entry must not drop what a fill puts there
// before it comes to that.
func TestDropSparesWhatIsNew(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	slot := store.Slot{Key: "k"}
	hash := slot.Hash(s.seed)
	dead, fresh := &entry{Item: store.Item{Key: "k"}}, &entry{Item: store.Item{Key: "k", Ends: s.end(time.Hour)}}
	s.put(dead)
	s.put(fresh)
	s.drop(hash, dead)
	if s.find(slot) != fresh {
		t.Fatal("what took the place of a dead entry was dropped with it")
	}
	s.drop(hash, fresh)
	if _, ok := s.items.GetIfPresent(hash); ok {
		t.Error("what was to be dropped is there")
	}
	s.drop(hash, fresh) // gone already
	if n := s.LocalSize().Entries; n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

// A claim in a buffer that is used again must not rename what is stored: it
// would be served to those who ask for the other name.
func TestClaimsAreCopied(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	key, name, tags := []byte("key"), []byte("name"), []string{"tag"}
	slot := store.Slot{Key: unsafe.String(&key[0], len(key))}
	l, err := s.Acquire(t.Context(), store.Claim{Slot: slot, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	variant := store.Entry{Variant: unsafe.String(&name[0], len(name)), Tags: tags, Life: time.Hour}
	if err := l.Commit(t.Context(), store.Entry{Life: time.Hour}, variant); err != nil {
		t.Fatal(err)
	}
	copy(key, "odd")
	copy(name, "fool")
	tags[0] = "other"
	base, err := s.Get(t.Context(), "key")
	if err != nil || base.Key != "key" {
		t.Fatalf("Get = %v, %v", base, err)
	}
	it, err := s.Variant(t.Context(), base, "name")
	if err != nil || it.Variant() != "name" || it.Tags[0] != "tag" {
		t.Errorf("Variant = %v, %v", it, err)
	}
}

// Two slots may have one hash: neither may be served what is the other's.
func TestSlotsOfOneHash(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	one, other := store.Slot{Key: "one"}, store.Slot{Key: "other"}
	e := &entry{Item: store.Item{Key: "other", Ends: s.end(time.Hour)}}
	s.items.Set(one.Hash(s.seed), e)
	if s.find(one) != nil {
		t.Error("what is another's is found")
	}
	if s.Ref(&e.Item) != nil {
		t.Error("there is a Ref to what is not found under its key")
	}
	s.put(e)
	if s.find(other) != e || s.Ref(&e.Item).Get(store.Monotonic()) != &e.Item {
		t.Error("what is there is not found")
	}
	s.put(&entry{Item: store.Item{Key: "one", Ends: s.end(time.Hour)}}) // in the place of what has its hash
	if it := s.find(one); it == nil || it.Key != "one" {
		t.Errorf("found %v", it)
	}
}
