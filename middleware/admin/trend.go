package admin

import (
	"context"
	"sync"
	"time"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

const (
	sampleEvery = 5 * time.Second
	samples     = 120 // steps between two samples that are kept: ten minutes
)

// A trend is what a Counter has said in the last ten minutes.
type trend struct {
	mu   sync.Mutex
	last []sample // the latest last
}

// A sample is what was counted by then.
type sample struct {
	at     time.Time
	counts map[string]middleware.PolicyCounts
}

// follow takes samples until ctx is done.
func (t *trend) follow(ctx context.Context, c middleware.Counter) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.add(c)
		case <-ctx.Done():
			return
		}
	}
}

func (t *trend) add(c middleware.Counter) {
	s := sample{time.Now(), make(map[string]middleware.PolicyCounts)}
	for _, p := range c.Counts() {
		s.counts[p.Policy] = p
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) > samples {
		t.last = append(t.last[:0], t.last[1:]...)
	}
	t.last = append(t.last, s)
}

// steps returns what happened between the samples of a policy, the latest last, and in
// all of their time.
func (t *trend) steps(policy string) (steps []step, all step) {
	steps = []step{} // [] in JSON
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := 1; i < len(t.last); i++ {
		steps = append(steps, stepOf(t.last[i-1].counts[policy], t.last[i].counts[policy], t.last[i].at))
	}
	if n := len(t.last); n > 0 {
		all = stepOf(t.last[0].counts[policy], t.last[n-1].counts[policy], t.last[n-1].at)
	}
	return steps, all
}

// A step is what happened to a policy's requests in some time.
type step struct {
	At       time.Time     `json:"at"`                // its end
	Requests uint64        `json:"requests"`          // bypasses too
	HitRatio *float64      `json:"hit_ratio"`         // nil: no request asked the cache
	Hit      time.Duration `json:"hit_ns,omitempty"`  // a hit or a stale answer took, on average; 0: none was timed
	Fill     time.Duration `json:"fill_ns,omitempty"` // any other but a bypass took
}

// The outcomes whose latencies go together.
var (
	fromStore   = []swr.Outcome{swr.Hit, swr.HitStale}
	fromHandler = []swr.Outcome{swr.Miss, swr.Collapsed, swr.Revalidated, swr.Rescued}
)

func stepOf(before, after middleware.PolicyCounts, at time.Time) step {
	s := step{At: at}
	n := since(before, after)
	var asked, hits uint64
	for o, count := range n.Requests {
		s.Requests += count
		if o := swr.Outcome(o); o != swr.Bypass {
			asked += count
			if o != swr.Miss {
				hits += count
			}
		}
	}
	if asked > 0 {
		ratio := float64(hits) / float64(asked)
		s.HitRatio = &ratio
	}
	s.Hit, s.Fill = mean(n, fromStore), mean(n, fromHandler)
	return s
}

// since returns what after counts beyond before; nothing where a Counter began anew.
func since(before, after middleware.PolicyCounts) middleware.PolicyCounts {
	for o := range after.Requests {
		after.Requests[o] -= min(before.Requests[o], after.Requests[o])
		after.Timed[o] -= min(before.Timed[o], after.Timed[o])
		after.Took[o] -= min(before.Took[o], after.Took[o])
	}
	return after
}

// mean is how long requests with these outcomes took. Of hits few are timed, of stale
// answers all: those that were timed stand for the others of their outcome.
func mean(n middleware.PolicyCounts, outcomes []swr.Outcome) time.Duration {
	var sum, requests float64
	for _, o := range outcomes {
		if n.Timed[o] > 0 {
			sum += float64(n.Took[o]) / float64(n.Timed[o]) * float64(n.Requests[o])
			requests += float64(n.Requests[o])
		}
	}
	if requests == 0 {
		return 0
	}
	return time.Duration(sum / requests)
}
