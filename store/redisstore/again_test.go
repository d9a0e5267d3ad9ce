package redisstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// TestPurgesAreMadeAgain gives Redis back what was purged, and breaks the
// connection, as a failover to a replica that lagged behind does both.
func TestPurgesAreMadeAgain(t *testing.T) {
	server := newServer(t)
	o := Options{Addrs: []string{server.addr}, Timeout: time.Second}
	a, b := open(t, o), open(t, o)
	value := func(key string) string {
		it, err := a.asTold().fetch(ctx, store.Slot{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return it.raw
	}
	fill(t, a, "hard", "v")
	fill(t, a, "soft", "v")
	tag := "tag" // of a log that the others do not rest on: raising it closes all that do
	for slices.Contains([]int{home("hard"), home("soft"), home("old")}, logOf(hashOf(tag))) {
		tag += "+"
	}
	fill(t, a, "tagged", "v", tag)
	fill(t, a, "old", "v")
	hard, soft, old := value("hard"), value("soft"), value("old")
	log := a.keys.logs[logOf(hashOf(tag))]
	before := server.command("GET", log)
	now := a.clock()
	for _, p := range []store.Purge{{Keys: []string{"old"}}, {Keys: []string{"hard"}}, {Keys: []string{"soft"}, Soft: true}, {Tags: []string{tag}}} {
		if _, err := a.Purge(ctx, p); err != nil {
			t.Fatal(err)
		}
		a.recents.mu.Lock()
		if n := len(a.recents.keys); n == 1 {
			a.recents.keys[0].at = now - int64(againSince) // long ago
		}
		a.recents.mu.Unlock()
	}
	for key, raw := range map[string]string{a.keys.base("hard"): hard, a.keys.base("soft"): soft, a.keys.base("old"): old, log: before} {
		if got := server.command("SET", key, raw); got != "+OK" {
			t.Fatal(got)
		}
	}
	eventually(t, 2*time.Second, "another instance sees what has come back", func() bool { return body(b, "hard") == "v" && body(b, "tagged") == "v" })
	server.command("CLIENT", "KILL", "TYPE", "normal")
	eventually(t, 5*time.Second, "the hard purge is made again", func() bool { return body(b, "hard") == "" })
	eventually(t, 5*time.Second, "the soft purge is made again", func() bool {
		it, err := b.Get(ctx, "soft")
		return err == nil && it.Soft()
	})
	eventually(t, 5*time.Second, "so is the tag's", func() bool { return body(b, "tagged") == "" })
	if got := body(b, "old"); got != "v" {
		t.Errorf("a purge of long ago is made again: %q", got)
	}
}

func TestRecentPurgesAreBounded(t *testing.T) {
	var r recents
	var keys []string
	for i := range maxRecent + 10 {
		keys = append(keys, fmt.Sprint("k", i))
	}
	r.noteKeys(keys[:20], true, 1)
	r.noteKeys(keys, false, 2)
	hard, soft, _ := r.begin(0)
	if len(hard) != maxRecent || soft != nil || hard[len(hard)-1] != keys[len(keys)-1] {
		t.Errorf("%d hard, the last %q; %d soft", len(hard), hard[len(hard)-1], len(soft))
	}
	if again, _, _ := r.begin(0); again != nil {
		t.Error("two make them again at once")
	}
	r.end()
	if none, _, logs := r.begin(3); none != nil || logs != 0 {
		t.Errorf("%d of before", len(none))
	}
	if _, _, logs := r.begin(0); logs != 0 {
		t.Errorf("logs %x", logs)
	}
}
