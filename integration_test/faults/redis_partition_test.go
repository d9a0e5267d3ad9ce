package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store/redisstore"
)

// A partition cuts one instance off, without a connection being closed, while
// the other purges what both keep.
type partition struct {
	row     string
	trust   time.Duration
	work    time.Duration // of the handler
	wait    time.Duration // from the cut to the purge
	rounds  int
	clients int
	spread  time.Duration // between their first requests
	delay   time.Duration // of what Redis sends, instead of the cut
}

func TestRedisPartition(t *testing.T) {
	for _, p := range []partition{
		// What is kept locally was purged.
		{row: "partition, kept locally", trust: trust, work: time.Millisecond, clients: 6, rounds: 5},
		// What is on its way is purged: requests join the handler's run of one
		// that came before the purge, up to its end.
		{row: "partition, on its way", trust: 150 * time.Millisecond, work: 450 * time.Millisecond, wait: 300 * time.Millisecond, spread: 15 * time.Millisecond, clients: 40, rounds: 3},
		// What Redis sends comes, but later than the window is long.
		{row: "link slower than the window", trust: 200 * time.Millisecond, work: time.Millisecond, wait: 1200 * time.Millisecond, clients: 6, rounds: 2, delay: 450 * time.Millisecond},
	} {
		t.Run(p.row, func(t *testing.T) {
			t.Parallel()
			p.run(t)
		})
	}
}

func (p partition) run(t *testing.T) {
	redis := redistest.Process(t)
	link := redistest.NewLink(t, redis.Addr())
	s := &site{work: p.work}
	o := redisstore.Options{Addrs: []string{link.Addr()}, Namespace: namespace(t), Trust: p.trust}
	off := newInstance(t, s, o, defaults)
	o.Addrs = []string{redis.Addr()}
	on := newInstance(t, s, o, defaults)
	purges := map[string]func(string) error{"url": on.purgeURL, "tag": on.purgeTag}
	ids := []string{"url", "tag"}
	worst := make(map[string]time.Duration)
	var all []answer
	for range p.rounds {
		for _, id := range ids {
			redistest.Eventually(t, 10*time.Second, "both keep it", func() bool { return on.keeps(id) && off.keeps(id) })
		}
		if p.delay > 0 {
			link.Delay(redistest.Down, p.delay)
		} else {
			link.Shut(redistest.Up)
			link.Shut(redistest.Down)
		}
		tr := drive(p.clients, time.Millisecond, func(c, n int) answer {
			if n == 0 {
				time.Sleep(time.Duration(c) * p.spread)
			}
			return off.get("page", ids[(c+n)%2])
		})
		time.Sleep(p.wait)
		for id, purge := range purges {
			if err := s.change(id, func() error { return purge(id) }); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(max(p.trust, p.work) + 200*time.Millisecond)
		link.Open(redistest.Up)
		link.Open(redistest.Down)
		answers := tr.end()
		all = append(all, answers...)
		for _, a := range answers {
			worst[a.id] = max(worst[a.id], s.lag(a))
		}
	}
	noErrors(t, p.row, all)
	for _, id := range ids {
		figures.AtMost(t, p.row, fmt.Sprintf("worst stale answer, purge by %s, %d rounds", id, p.rounds), round(worst[id]), p.trust+50*time.Millisecond)
	}
	if p.wait == 0 && min(worst["url"], worst["tag"]) == 0 {
		t.Error("nothing stale was served: nothing was tested")
	}
}
