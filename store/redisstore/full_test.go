package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// vary fills the variant called name of key, which has a base and may have most.
func vary(t testing.TB, s *Store, key, name string, most int, life time.Duration) error {
	t.Helper()
	err := store.ErrChanged
	var l store.Lease
	for end := time.Now().Add(2 * time.Second); errors.Is(err, store.ErrChanged) && time.Now().Before(end); {
		base := get(t, s, key)
		c := store.Claim{Slot: store.Slot{Key: key, Variant: name}, Base: base, Hold: time.Minute, Variants: most}
		if c.Seen, err = s.Variant(ctx, base, name); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		l, err = s.Acquire(ctx, c)
	}
	if err != nil {
		return err
	}
	return l.Commit(ctx, store.Entry{Variant: name, Body: []byte(name), Life: life})
}

// number returns what Redis answers with a number.
func number(t testing.TB, addr string, args ...string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(command(addr, args...), ":"))
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return n
}

func varying(t testing.TB) (addr string, s *Store, count string) {
	t.Helper()
	addr = sharedAddr(t)
	s = open(t, Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second})
	fill(t, s, "k", "names")
	return addr, s, s.keys.count("k")
}

// The count is there for as long as there are variants, and only then.
func TestCountLivesWithItsVariants(t *testing.T) {
	addr, s, count := varying(t)
	if n := number(t, addr, "EXISTS", count); n != 0 {
		t.Errorf("a base without variants has a count")
	}
	for i, tt := range []struct{ life, want time.Duration }{
		{time.Minute, time.Minute}, {time.Hour, time.Hour}, {time.Second, time.Hour},
	} {
		if err := vary(t, s, "k", fmt.Sprint(i), 5, tt.life); err != nil {
			t.Fatal(err)
		}
		left := time.Duration(number(t, addr, "PTTL", count)) * time.Millisecond
		if left > tt.want || left < tt.want-10*time.Second {
			t.Errorf("after a life of %v the count ends in %v", tt.life, left)
		}
	}
	if n := number(t, addr, "ZCARD", count); n != 3 {
		t.Errorf("counts %d", n)
	}
	fill(t, s, "k", "the same for all")
	if n := number(t, addr, "EXISTS", count); n != 0 {
		t.Errorf("the count outlives its base")
	}
}

// What has ended leaves the count, whether or not anybody asks how much it is.
func TestCountForgetsWhatHasEnded(t *testing.T) {
	addr, s, count := varying(t)
	for i := range 100 {
		if err := vary(t, s, "k", fmt.Sprint("short ", i), 0, time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if err := vary(t, s, "k", "long", 0, time.Hour); err != nil {
		t.Fatal(err)
	}
	for i := range 20 { // in which each could take 16 of them away
		if err := vary(t, s, "k", "long", 0, time.Hour); err != nil {
			t.Fatal(err)
		}
		if n := number(t, addr, "ZCARD", count); n == 1 {
			return
		} else if i == 19 {
			t.Errorf("counts %d, one of which lives", n)
		}
	}
}

// Redis may evict the count, at any time.
func TestLostCountIsHarmless(t *testing.T) {
	addr, s, count := varying(t)
	const most = 4
	for i := range most {
		if err := vary(t, s, "k", fmt.Sprint(i), most, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if n := number(t, addr, "DEL", count); n != 1 {
		t.Fatal("there is no count")
	}
	for i := range most { // they count again, instead of the old ones
		if err := vary(t, s, "k", fmt.Sprint("new ", i), most, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := vary(t, s, "k", "one too many", most, time.Hour); !errors.Is(err, store.ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	// What is stored can be refilled, counted or not.
	for _, name := range []string{"0", "new 0"} {
		if err := vary(t, s, "k", name, most, time.Hour); err != nil {
			t.Errorf("refill of %q: %v", name, err)
		}
	}
}

// The count does not see that a variant was evicted, or purged by a tag that
// its base does not carry. It keeps its place, for itself.
func TestLostVariantKeepsItsPlace(t *testing.T) {
	addr, s, _ := varying(t)
	for _, name := range []string{"a", "b"} {
		if err := vary(t, s, "k", name, 2, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	lost := s.keys.slot(store.Slot{Key: "k", Variant: "a"})
	if n := number(t, addr, "DEL", lost); n != 1 {
		t.Fatal("there is no variant")
	}
	if err := vary(t, s, "k", "c", 2, time.Hour); !errors.Is(err, store.ErrFull) {
		t.Errorf("another in its place: %v", err)
	}
	if err := vary(t, s, "k", "a", 2, time.Second); err != nil {
		t.Errorf("itself: %v", err)
	}
	number(t, addr, "DEL", lost)
	eventually(t, 10*time.Second, "its place, when its life is over", func() bool { return vary(t, s, "k", "c", 2, time.Hour) == nil })
}

// A refused claim leaves nothing behind, and is no failure.
func TestFullLeavesNoLease(t *testing.T) {
	addr, s, _ := varying(t)
	if err := vary(t, s, "k", "a", 1, time.Hour); err != nil {
		t.Fatal(err)
	}
	slot := store.Slot{Key: "k", Variant: "b"}
	for _, steal := range []bool{false, true} {
		l, err := s.Acquire(ctx, store.Claim{Slot: slot, Base: get(t, s, "k"), Hold: time.Minute, Steal: steal, Variants: 1})
		if !errors.Is(err, store.ErrFull) || l != nil {
			t.Errorf("steal %v: %v, %v", steal, l, err)
		}
	}
	if n := number(t, addr, "EXISTS", s.keys.control("k")); n != 0 {
		t.Errorf("somebody holds a lease")
	}
	if err := s.Wait(ctx, slot); err != nil {
		t.Errorf("Wait: %v", err)
	}
}

// All keys that a script names have to be in one slot.
func TestFullInACluster(t *testing.T) {
	nodes := newCluster(t)
	s := open(t, Options{Addrs: []string{nodes[0].addr}, Timeout: time.Second})
	for i := range 10 {
		key := fmt.Sprint("key ", i)
		fill(t, s, key, "names")
		for _, name := range []string{"a", "b", "a"} {
			if err := vary(t, s, key, name, 2, time.Hour); err != nil {
				t.Fatalf("%q of %q: %v", name, key, err)
			}
		}
		if err := vary(t, s, key, "c", 2, time.Hour); !errors.Is(err, store.ErrFull) {
			t.Errorf("one too many for %q: %v", key, err)
		}
	}
}
