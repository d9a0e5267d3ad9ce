package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/store/redisstore"
)

// A place is where in a Cluster the parts of a page lie.
type place struct {
	slot int   // of the page
	logs []int // the slots of the logs that it rests on: of its home, and of its tag
}

// logSlots are the slots of the 64 purge logs. A log's hash tag is the first
// number whose slot is in the log's share.
var logSlots = func() (slots [64]int) {
	for n, found := 0, 0; found < 64; n++ {
		slot := slotOf(strconv.Itoa(n))
		if i := slot / 256; slots[i] == 0 {
			slots[i] = slot
			found++
		}
	}
	return slots
}()

func placeOf(t testing.TB, id string) place {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+host+"/page/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := keyfunc.Default(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	slot := slotOf(string(key))
	return place{slot, []int{logSlots[slot/256], logSlots[xxhash.Sum64String("page:"+id)%64]}}
}

// on tells whether all parts of p lie on one of these nodes, by number.
func (p place) on(nodes ...int) bool {
	for _, slot := range append([]int{p.slot}, p.logs...) {
		if !slices.Contains(nodes, slot/5462) {
			return false
		}
	}
	return true
}

// newPageOn returns a page that nobody has asked for yet with all parts on one
// of these nodes.
func newPageOn(t testing.TB, nodes ...int) string {
	t.Helper()
	for {
		if id := newPage(); placeOf(t, id).on(nodes...) {
			return id
		}
	}
}

// slotOf returns the Cluster slot of a hash tag: CRC16/XMODEM of it.
func slotOf(tag string) int {
	var crc uint16
	for i := range len(tag) {
		crc ^= uint16(tag[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % 16384
}

func shareOn(t testing.TB, two [2]*instance, node int) bool {
	id := newPageOn(t, node)
	return two[0].page(id).err == nil && two[1].page(id).cache == "HIT"
}

func TestRedisCluster(t *testing.T) {
	c := redistest.NewCluster(t, true)
	for _, n := range c.Nodes() {
		// Or Redis itself refuses to serve the slots of the other nodes, until
		// the lost one is replaced.
		n.Do("CONFIG", "SET", "cluster-require-full-coverage", "no")
	}
	o := redisstore.Options{Addrs: c.Addrs(), Namespace: namespace(t)}
	two := newPair(t, &site{work: time.Millisecond}, o)
	for node := range 3 {
		redistest.Eventually(t, 20*time.Second, "shared hits", func() bool { return shareOn(t, two, node) })
	}
	t.Run("slot migration", func(t *testing.T) { migrate(t, c, two) })
	t.Run("node loss", func(t *testing.T) { lose(t, c, two) })
}

// others are pages that nothing is to happen to. They are filled, and kept by
// both instances.
func others(t *testing.T, two [2]*instance, allowed func(place) bool) (ids []string) {
	t.Helper()
	for len(ids) < 20 {
		id := newPageOn(t, 0, 1)
		if allowed(placeOf(t, id)) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		redistest.Eventually(t, 10*time.Second, "kept", func() bool { return two[0].keeps(id) && two[1].keeps(id) })
	}
	return ids
}

// unaffected prints how many answers were no hits. None should be; one in a
// hundred may, since a machine that is busy for longer than the trust window
// ends it.
func unaffected(t *testing.T, row, what string, answers []answer) {
	t.Helper()
	missed := only(answers, func(a answer) bool { return a.cache != "HIT" })
	figures.AtMost(t, row, fmt.Sprintf("%s, of %d answers", what, len(answers)), len(missed), len(answers)/100)
}

// migrate moves the slots that a page lies in from node to node while it is read
// and purged.
func migrate(t *testing.T, c *redistest.Cluster, two [2]*instance) {
	const row = "Cluster slot migration"
	id := newPageOn(t, 0)
	p := placeOf(t, id)
	moving := append([]int{p.slot}, p.logs...)
	others := others(t, two, func(q place) bool {
		for _, slot := range append([]int{q.slot}, q.logs...) {
			if slices.Contains(moving, slot) {
				return false
			}
		}
		return true
	})
	tr := drive(6, time.Millisecond, func(c, n int) answer {
		if n%3 == 0 {
			return two[c%2].get("page", others[n/3%len(others)])
		}
		return two[c%2].get("page", id)
	})
	done, purges, failed := make(chan struct{}), 0, 0
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			i := two[n%2]
			purge := i.purgeURL
			if n/2%2 == 0 {
				purge = i.purgeTag
			}
			purges++
			if i.site.change(id, func() error { return purge(id) }) != nil {
				failed++
			}
		}
	}()
	for round := range 3 {
		from, to := c.Primaries[round], c.Primaries[(round+1)%3]
		for _, slot := range moving {
			c.MoveSlot(slot, from, to)
			time.Sleep(100 * time.Millisecond)
		}
	}
	close(done)
	<-writer
	back := redistest.Eventually(t, 10*time.Second, "the page is shared", func() bool { return two[0].keeps(id) && two[1].keeps(id) })
	answers := tr.end()
	noErrors(t, row, answers)
	var worst time.Duration
	for _, a := range answers {
		worst = max(worst, two[0].site.lag(a))
	}
	figures.AtMost(t, row, fmt.Sprintf("worst stale answer after %d purges", purges), round(worst), everywhere)
	figures.Exactly(t, row, "purges that failed", failed, 0)
	unaffected(t, row, "misses of pages in other slots", only(answers, func(a answer) bool { return a.id != id }))
	figures.AtMost(t, row, "the page is shared again after", round(back), 10*time.Second)
}

// lose kills a primary that has a replica.
func lose(t *testing.T, c *redistest.Cluster, two [2]*instance) {
	const row = "Cluster node loss"
	others := others(t, two, func(place) bool { return true })
	lost := []string{newPageOn(t, 2), newPageOn(t, 2), newPageOn(t, 2)}
	tr := drive(6, 2*time.Millisecond, func(c, n int) answer {
		if n%3 == 0 {
			return two[c%2].get("page", lost[n/3%len(lost)])
		}
		return two[c%2].get("page", others[n%len(others)])
	})
	time.Sleep(200 * time.Millisecond)
	killed := time.Now()
	c.Primaries[2].Kill()
	redistest.Eventually(t, 30*time.Second, "pages of the lost node are shared", func() bool { return shareOn(t, two, 2) })
	back := time.Since(killed)
	away := between(tr.end(), killed, killed.Add(back))
	noErrors(t, row, away)
	unaffected(t, row, "misses of other nodes' pages", only(away, func(a answer) bool { return slices.Contains(others, a.id) }))
	figures.AtMost(t, row, "pages of the lost node are shared after", round(back), 10*time.Second)
}
