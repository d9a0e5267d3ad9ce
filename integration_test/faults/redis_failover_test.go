package faults

import (
	"fmt"

	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store/redisstore"
)

// G2's bound for instances that are connected.
const everywhere = 250 * time.Millisecond

// reaches tells whether a purge by one instance is seen by the other, each of
// which kept the page locally.
func reaches(two [2]*instance) bool {
	id := newPage()
	if two[0].page(id).cache+two[1].page(id).cache != "MISSHIT" || two[1].page(id).cache != "HIT" {
		return false
	}
	if two[0].site.change(id, func() error { return two[0].purgeURL(id) }) != nil {
		return false
	}
	for end := time.Now().Add(everywhere); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if two[1].page(id).version == 1 {
			return true
		}
	}
	return false
}

func TestRedisSentinelFailover(t *testing.T) {
	const row = "Sentinel failover"
	set := redistest.NewSentinelSet(t)
	two := newPair(t, &site{work: time.Millisecond}, redisstore.Options{
		Addrs: set.Addrs(), SentinelMaster: redistest.SentinelMaster, Namespace: namespace(t),
	})
	redistest.Eventually(t, 20*time.Second, "shared hits", func() bool { return share(two) && reaches(two) })
	tr := drive(8, 4*time.Millisecond, func(c, n int) answer {
		if n%4 == 0 {
			return two[c%2].get("page", newPage())
		}
		return two[c%2].get("page", fmt.Sprint(n%20))
	})
	old := set.Primary()
	killed := time.Now()
	old.Kill()
	redistest.Eventually(t, 30*time.Second, "another primary", func() bool { return set.Primary() != old })
	elected := time.Since(killed)
	redistest.Eventually(t, 30*time.Second, "shared hits", func() bool { return share(two) })
	shared := time.Since(killed)
	redistest.Eventually(t, 30*time.Second, "a purge reaches the other", func() bool { return reaches(two) })
	purged := time.Since(killed)

	noErrors(t, row, tr.end())
	figures.Note(t, row, "another primary after", round(elected))
	figures.AtMost(t, row, "shared hits after", round(shared), 10*time.Second)
	figures.AtMost(t, row, "a purge reaches the other after", round(purged), 10*time.Second)
}
