package redisstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

func TestFlushAll(t *testing.T) {
	server := newServer(t)
	o := Options{Addrs: []string{server.addr}, Timeout: time.Second}
	a, b := open(t, o), open(t, o)
	fill(t, a, "k", "v", "tag")
	warm(t, a, "k")
	warm(t, b, "k")
	if got := server.command("FLUSHALL"); got != "+OK" {
		t.Fatal(got)
	}
	for _, s := range []*Store{a, b} {
		eventually(t, 250*time.Millisecond, "it is gone", func() bool { return body(s, "k") == "" })
	}
	fill(t, b, "k", "new", "tag")
	eventually(t, time.Second, "it works on", func() bool { return body(a, "k") == "new" })
	if _, err := a.Purge(ctx, store.Purge{Tags: []string{"tag"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 250*time.Millisecond, "B sees the purge", func() bool { return body(b, "k") == "" })
}

func TestLostLogFailsClosed(t *testing.T) {
	server := newServer(t)
	a := open(t, Options{Addrs: []string{server.addr}, Timeout: time.Second})
	fill(t, a, "k", "v", "tag")
	fill(t, a, "k2", "v")
	for what, log := range map[string]int{"k": logOf(hashOf("tag")), "k2": home("k2")} {
		if body(a, what) == "" {
			fill(t, a, what, "v", "tag")
		}
		if got := server.command("DEL", a.keys.logs[log]); got != ":1" {
			t.Fatal(got)
		}
		eventually(t, time.Second, what+" is not served on a lost log", func() bool { return body(a, what) == "" })
		fill(t, a, what, "again", "tag")
		if got := body(a, what); got != "again" {
			t.Errorf("got %q", got)
		}
	}
}

func TestForeignValues(t *testing.T) {
	server := newServer(t)
	a := open(t, Options{Addrs: []string{server.addr}, Timeout: time.Second})
	fill(t, a, "one", "body of one")
	fill(t, a, "two", "body of two")
	value := func(key string) string {
		it, err := a.asTold().fetch(ctx, store.Slot{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return it.raw
	}
	good := value("two")
	bases := map[string]string{
		"empty": "", "short": "abc", "random": strings.Repeat("\xff\x00random", 100),
		"swapped": good, "cut": value("one")[:100], "longer": value("one") + "x",
		"older version": value("one")[:offMagic+2] + "\x00" + value("one")[offMagic+3:],
	}
	for name, v := range bases {
		t.Run(name, func(t *testing.T) {
			if got := server.command("SET", a.keys.base("one"), v); got != "+OK" {
				t.Fatal(got)
			}
			eventually(t, time.Second, "a miss", func() bool {
				_, err := a.Get(ctx, "one")
				return errors.Is(err, store.ErrNotFound)
			})
			fill(t, a, "one", "healed") // it is in nobody's way
			if got := body(a, "one"); got != "healed" {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Run("wrong type", func(t *testing.T) {
		key := a.keys.base("one")
		server.command("DEL", key)
		if got := server.command("LPUSH", key, "x"); got != ":1" {
			t.Fatal(got)
		}
		eventually(t, time.Second, "a miss", func() bool { return body(a, "one") == "" })
		l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "one"}, Hold: time.Minute})
		if l == nil || err == nil {
			t.Fatalf("acquire: %v, %v", l, err)
		}
		if err := l.Commit(ctx, store.Entry{Life: time.Minute}); err == nil {
			t.Error("it claims to have stored")
		}
		if _, err := a.Purge(ctx, store.Purge{Keys: []string{"one"}}); err != nil {
			t.Error(err)
		}
		fill(t, a, "one", "healed")
	})
	t.Run("log of another form", func(t *testing.T) {
		log := a.keys.logs[home("one")]
		if got := server.command("SET", log, "garbage"); got != "+OK" {
			t.Fatal(got)
		}
		eventually(t, time.Second, "closed", func() bool { return body(a, "one") == "" })
		fill(t, a, "one", "healed")
		if got := body(a, "one"); got != "healed" {
			t.Errorf("got %q", got)
		}
	})
}

func TestFullRedis(t *testing.T) {
	server := newServer(t)
	rec := &counts{}
	a := open(t, Options{Addrs: []string{server.addr}, Timeout: time.Second, Recorder: rec})
	for _, k := range []string{"hard", "soft", "tagged"} {
		fill(t, a, k, "v", "tag")
	}
	server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
	if got := server.command("CONFIG", "SET", "maxmemory", "1"); got != "+OK" {
		t.Fatal(got)
	}
	for name, p := range map[string]store.Purge{
		"hard": {Keys: []string{"hard"}}, "soft": {Keys: []string{"soft"}, Soft: true}, "tagged": {Tags: []string{"tag"}},
	} {
		if _, err := a.Purge(ctx, p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// Redis lets a script that has begun to write go on, so a soft purge
		// may leave its mark.
		if it, err := a.Get(ctx, name); err == nil && !(p.Soft && it.Soft()) {
			t.Errorf("%s: got %q", name, it.Body)
		}
	}
	l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "new"}, Hold: time.Minute})
	if l == nil || err == nil || rec.get("acquire oom") != 1 {
		t.Errorf("acquire: %v, %v, %v", l, err, rec.n)
	}
	server.command("CONFIG", "SET", "maxmemory", "0")
	fill(t, a, "new", "v", "tag")
}

func TestReadOnlyReplica(t *testing.T) {
	server := newServer(t)
	a := open(t, Options{Addrs: []string{server.addr}, Timeout: time.Second})
	fill(t, a, "k", "v")
	host, port, _ := strings.Cut(freeAddr(t), ":")
	if got := server.command("REPLICAOF", host, port); got != "+OK" {
		t.Fatal(got)
	}
	l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "new"}, Hold: time.Minute})
	if l == nil || err == nil {
		t.Errorf("acquire: %v, %v", l, err)
	}
	server.command("REPLICAOF", "NO", "ONE")
	eventually(t, 2*time.Second, "it is a primary again", func() bool { return tryFill(a, "new", "v") == nil })
}

// TestVariantOfAnotherTypeIsLeftAlone fills a key that turns out to vary, where
// somebody else's list lies under the variant's name.
func TestVariantOfAnotherTypeIsLeftAlone(t *testing.T) {
	addr := sharedAddr(t)
	s := open(t, Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second})
	name := s.keys.slot(store.Slot{Key: "k", Variant: "v"})
	command(addr, "RPUSH", name, "not ours")
	l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Commit(ctx, store.Entry{Life: time.Minute}, store.Entry{Variant: "v", Body: []byte("v"), Life: time.Minute})
	if err == nil || errors.Is(err, store.ErrOvertaken) || resultOf(err) != "wrongtype" {
		t.Errorf("commit: %v", err)
	}
	if got := command(addr, "TYPE", name); got != "+list" {
		t.Errorf("it is a %s now", got)
	}
	if got := body(s, "k"); got != "" {
		t.Errorf("half of it was stored: %q", got)
	}
	fill(t, s, "k", "plain") // no lease is left behind
}
