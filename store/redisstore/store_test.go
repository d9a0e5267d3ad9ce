package redisstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

var ctx = context.Background()

// fill stores body under key, whatever is there.
func fill(t testing.TB, s *Store, key, body string, tags ...string) {
	t.Helper()
	if err := tryFill(s, key, body, tags...); err != nil {
		t.Fatalf("fill %q: %v", key, err)
	}
}

func tryFill(s *Store, key, body string, tags ...string) error {
	base, err := s.Get(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("get: %w", err)
	}
	l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: key}, Base: base, Hold: time.Minute})
	if err != nil {
		return fmt.Errorf("acquire: %w", err)
	}
	return l.Commit(ctx, store.Entry{Body: []byte(body), Meta: []byte("meta"), Tags: tags, Life: time.Minute})
}

// body returns what s has under key; "" if nothing.
func body(s *Store, key string) string {
	it, err := s.Get(ctx, key)
	if err != nil {
		return ""
	}
	return string(it.Body)
}

func TestFillAndGet(t *testing.T) {
	a, b := pair(t)
	for _, key := range []string{"GET /products/1", "", "{a}b", "a}b{", "%", "%7B", "a\x00\r\nb", "ключ"} {
		fill(t, a, key, "body of "+key, "tag1", "tag2")
		for _, s := range []*Store{a, b} {
			it, err := s.Get(ctx, key)
			if err != nil {
				t.Fatalf("get %q: %v", key, err)
			}
			if it.Key != key || string(it.Body) != "body of "+key || string(it.Meta) != "meta" || len(it.Tags) != 2 || it.Tags[1] != "tag2" {
				t.Errorf("got %q %q %q %q", it.Key, it.Body, it.Meta, it.Tags)
			}
		}
	}
}

// isLocal reports whether s would answer key without a call.
func isLocal(s *Store, slot store.Slot) bool {
	now := s.clock()
	it := s.local.get(slot, now, 0)
	return it != nil && s.asTold().vouched(it, now)
}

// warm reads key until s keeps it.
func warm(t testing.TB, s *Store, key string) {
	t.Helper()
	eventually(t, 2*time.Second, "a local copy of "+key, func() bool {
		if _, err := s.Get(ctx, key); err != nil {
			t.Fatal(err)
		}
		return isLocal(s, store.Slot{Key: key})
	})
}

func TestVariants(t *testing.T) {
	a, b := pair(t)
	l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Commit(ctx, store.Entry{Meta: []byte("vary"), Life: time.Second}, store.Entry{Variant: "de", Body: []byte("hallo"), Life: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	base, err := b.Get(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(base.Expires()); left < 50*time.Second {
		t.Errorf("the base ends %v from now, before its variant", left)
	}
	if it, err := b.Variant(ctx, base, "de"); err != nil || string(it.Body) != "hallo" || it.Of() != base.Stamp {
		t.Fatalf("variant: %v, %v", it, err)
	}
	if _, err := b.Variant(ctx, base, "en"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a variant that nobody stored: %v", err)
	}
	// A variant that lives longer makes its base live longer.
	l, err = b.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k", Variant: "en"}, Base: base, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(ctx, store.Entry{Variant: "en", Body: []byte("hello"), Life: time.Hour}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Second, "the base outlives its variant", func() bool {
		base, err = a.Get(ctx, "k")
		return err == nil && time.Until(base.Expires()) > time.Hour
	})
	if it, err := a.Variant(ctx, base, "en"); err != nil || string(it.Body) != "hello" {
		t.Fatalf("variant: %v, %v", it, err)
	}
	if p, err := a.Purge(ctx, store.Purge{Keys: []string{"k"}}); err != nil || p.Count != 1 {
		t.Fatalf("purge: %v, %v", p, err)
	}
	if _, err := a.Variant(ctx, base, "de"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a purged variant, by the base of before: %v", err)
	}
	// The new base has nothing to do with the old variants, which Redis still has.
	fill(t, a, "k", "new")
	if base, err = a.Get(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Variant(ctx, base, "de"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a variant of the base before: %v", err)
	}
	if l, err = a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k", Variant: "de"}, Base: base, Hold: time.Minute}); err != nil {
		t.Fatalf("a slot with an unreachable variant: %v", err)
	}
	if err := l.Release(ctx); err != nil {
		t.Error(err)
	}
}

func TestPushReachesOthers(t *testing.T) {
	a, b := pair(t)
	for i := range 20 {
		key := fmt.Sprint("k", i)
		fill(t, a, key, "v", "tag")
		warm(t, b, key)
		if i%2 == 0 {
			if _, err := a.Purge(ctx, store.Purge{Keys: []string{key}}); err != nil {
				t.Fatal(err)
			}
		} else if _, err := a.Purge(ctx, store.Purge{Tags: []string{"tag"}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, 250*time.Millisecond, "B sees A's purge", func() bool { return body(b, key) == "" })
	}
}

func TestLocalHitAllocatesNothing(t *testing.T) {
	a, _ := pair(t)
	fill(t, a, "k", "v", "t1", "t2", "t3")
	warm(t, a, "k")
	if n := testing.AllocsPerRun(1000, func() { _, _ = a.Get(ctx, "k") }); n != 0 {
		t.Errorf("a local hit allocates %v times", n)
	}
	if !isLocal(a, store.Slot{Key: "k"}) {
		t.Error("what was measured was no local hit")
	}
}

func TestLocalBudget(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second, LocalBytes: 256 << 10}
	a := open(t, o)
	big := string(make([]byte, 8<<10))
	for i := range 200 {
		fill(t, a, fmt.Sprint("k", i), big)
		if body(a, fmt.Sprint("k", i)) != big {
			t.Fatal("not stored")
		}
	}
	eventually(t, time.Second, "within the budget", func() bool {
		size := a.LocalSize()
		return size.Bytes <= size.Budget && size.Entries > 0 && size.Evictions > 100
	})
}

func get(t testing.TB, s *Store, key string) *store.Item {
	t.Helper()
	it, err := s.Get(ctx, key)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return it
}

func TestLocalPushIsExact(t *testing.T) {
	a, b := pair(t)
	fill(t, a, "k", "v", "tag")
	fill(t, a, "other", "v", "another")
	warm(t, b, "k")
	warm(t, b, "other")
	if _, err := a.Purge(ctx, store.Purge{Keys: []string{"k"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Second, "B sees it", func() bool { return body(b, "k") == "" })
	if !isLocal(b, store.Slot{Key: "other"}) {
		t.Error("the purge of one key cost another one's copy")
	}
}

// TestFailedPurgeIsKeptLocally purges without reaching Redis.
