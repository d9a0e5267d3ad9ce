package redisstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

func TestOwnPurgeIsSeenAtOnce(t *testing.T) {
	a, b := pair(t)
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	local := 0
	for i := range rounds {
		old, now := fmt.Sprint("v", i), fmt.Sprint("v", i+1)
		fill(t, b, "k", old, "tag") // another instance's, so that only the push tells A
		eventually(t, time.Second, "A sees B's fill", func() bool { return body(a, "k") == old })
		if isLocal(a, store.Slot{Key: "k"}) {
			local++
		}
		p := store.Purge{Keys: []string{"k"}}
		if i%3 == 0 {
			p = store.Purge{Tags: []string{"tag"}}
		}
		if _, err := a.Purge(ctx, p); err != nil {
			t.Fatal(err)
		}
		if got := body(a, "k"); got != "" {
			t.Fatalf("round %d: %q after the purge returned, before %q", i, got, now)
		}
		eventually(t, time.Second, "B's copy is gone", func() bool { return body(b, "k") == "" })
	}
	if local < rounds/2 {
		t.Errorf("only %d of %d rounds had a local copy to lose", local, rounds)
	}
}

func TestSoftPurge(t *testing.T) {
	a, b := pair(t)
	for _, p := range []store.Purge{{Keys: []string{"k"}}, {Tags: []string{"tag"}}, {Match: "k*"}, {All: true}} {
		p.Soft = true
		fill(t, a, "k", "v", "tag")
		warm(t, b, "k")
		l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Base: get(t, a, "k"), Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Purge(ctx, p); err != nil {
			t.Fatal(err)
		}
		if it := get(t, a, "k"); !it.Soft() || string(it.Body) != "v" {
			t.Errorf("%+v: soft %v, body %q", p, it.Soft(), it.Body)
		}
		eventually(t, 250*time.Millisecond, "B sees the soft purge", func() bool { return get(t, b, "k").Soft() })
		if err := l.Commit(ctx, store.Entry{Body: []byte("old"), Tags: []string{"tag"}, Life: time.Minute}); !errors.Is(err, store.ErrOvertaken) {
			t.Errorf("%+v: a fill from before commits with %v", p, err)
		}
		if it := get(t, a, "k"); !it.Soft() || string(it.Body) != "v" {
			t.Errorf("%+v: after the lost fill: soft %v, body %q", p, it.Soft(), it.Body)
		}
		fill(t, a, "k", "new", "tag")
		if it := get(t, a, "k"); it.Soft() || string(it.Body) != "new" {
			t.Errorf("%+v: the next fill: soft %v, body %q", p, it.Soft(), it.Body)
		}
	}
}

func TestPurgeMatchAndCount(t *testing.T) {
	a, b := pair(t)
	keys := []string{"a/1", "a/2", "a{3}", "b/1", "a[4]", "%a"}
	for _, k := range keys {
		fill(t, a, k, "v")
	}
	for _, dry := range []bool{true, false} {
		p, err := b.Purge(ctx, store.Purge{Match: "a*", DryRun: dry})
		if err != nil || p.Count != 4 {
			t.Fatalf("dry %v: %+v, %v", dry, p, err)
		}
	}
	for _, k := range keys {
		if want := k[0] != 'a'; (body(b, k) != "") != want {
			t.Errorf("%q: stored %v, want %v", k, !want, want)
		}
	}
	if p, err := b.Purge(ctx, store.Purge{Keys: keys, DryRun: true}); err != nil || p.Count != 2 {
		t.Errorf("count: %+v, %v", p, err)
	}
	if p, err := b.Purge(ctx, store.Purge{All: true}); err != nil || p.Count != -1 {
		t.Errorf("all: %+v, %v", p, err)
	}
	if body(b, "b/1") != "" || body(b, "%a") != "" {
		t.Error("something is left after a purge of all")
	}
}

func TestTagPurgedAfterCommitBegan(t *testing.T) {
	a, b := pair(t)
	for _, purger := range []*Store{a, b} {
		fill(t, a, "k", "before", "tag")
		l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Base: get(t, a, "k"), Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := purger.Purge(ctx, store.Purge{Tags: []string{"other", "tag"}}); err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(ctx, store.Entry{Body: []byte("old"), Tags: []string{"tag"}, Life: time.Minute}); !errors.Is(err, store.ErrOvertaken) {
			t.Errorf("commit: %v", err)
		}
		if got := body(a, "k"); got != "" {
			t.Errorf("got %q", got)
		}
		fill(t, a, "k", "after", "tag") // nothing is in the way of the next one
		if got := body(b, "k"); got != "after" {
			t.Errorf("got %q", got)
		}
	}
}

func TestFailedPurgeIsKeptLocally(t *testing.T) {
	a, _ := pair(t)
	for name, p := range map[string]store.Purge{
		"key": {Keys: []string{"k"}}, "tag": {Tags: []string{"tag"}}, "all": {All: true}, "match": {Match: "*"},
		"soft key": {Keys: []string{"k"}, Soft: true}, "soft tag": {Tags: []string{"tag"}, Soft: true}, "soft all": {All: true, Soft: true},
	} {
		if body(a, "k") == "" {
			fill(t, a, "k", "v", "tag")
		}
		warm(t, a, "k")
		l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Base: get(t, a, "k"), Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		late, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := a.Purge(late, p); err == nil {
			t.Errorf("%s: no error", name)
		}
		if a.local.find(store.Slot{Key: "k"}) != nil {
			t.Errorf("%s: the local copy is kept", name)
		}
		if err := l.Commit(ctx, store.Entry{Body: []byte("old"), Life: time.Minute}); !errors.Is(err, store.ErrOvertaken) {
			t.Errorf("%s: a fill from before commits with %v", name, err)
		}
	}
}
