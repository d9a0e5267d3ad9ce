package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// A purge whose primary dies before it has told its replicas is lost: what it
// dropped is there again. The instance that purged makes it again.
func TestAPurgeThatAFailoverLosesIsMadeAgain(t *testing.T) {
	const row = "Sentinel failover"
	set := redistest.NewSentinelSet(t)
	o := redisstore.Options{Addrs: set.Addrs(), SentinelMaster: redistest.SentinelMaster, Namespace: "lost"}
	a, err := redisstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := redisstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()
	redistest.Eventually(t, 5*time.Second, "filled", func() bool {
		l, err := a.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
		return l != nil && err == nil && l.Commit(ctx, store.Entry{Body: []byte("v"), Life: time.Hour}) == nil
	})
	old := set.Primary()
	old.Do("WAIT", "2", "5000")

	// From here on nobody hears what the primary does.
	old.Do("ACL", "SETUSER", "default", "-psync", "-sync")
	old.Do("CLIENT", "KILL", "TYPE", "replica")
	if _, err := a.Purge(ctx, store.Purge{Keys: []string{"k"}}); err != nil {
		t.Fatal(err)
	}
	const key = "lost:{k}"
	for i, s := range set.Servers {
		if want := fmt.Sprint(min(i, 1)); s.Do("EXISTS", key) != want {
			t.Fatalf("server %d: EXISTS is not %s", i, want)
		}
	}
	old.Kill()
	redistest.Eventually(t, 20*time.Second, "another primary", func() bool { return set.Primary() != old })
	primary := set.Primary()
	took := redistest.Eventually(t, 20*time.Second, "the purge is made again", func() bool {
		n, err := redistest.Command(primary.Addr(), "EXISTS", key).AsInt64()
		return err == nil && n == 0 // a new primary closes its clients' connections
	})
	figures.AtMost(t, row, "a purge that was lost is made again within", took, 10*time.Second)
	redistest.Eventually(t, 10*time.Second, "the other instance is back", func() bool {
		_, err := b.Get(ctx, "k")
		return errors.Is(err, store.ErrNotFound)
	})
}
