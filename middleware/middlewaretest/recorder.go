package middlewaretest

import (
	"sync"
	"testing"
	"time"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// A Recorder counts what became of requests, for middleware.WithRecorder. The zero
// value is ready; its methods may be called at the same time.
type Recorder struct {
	mu       sync.Mutex
	requests map[counted]int
	fills    map[string]int
}

type counted struct {
	policy  string
	outcome swr.Outcome
	why     middleware.Reason
}

var _ middleware.Recorder = (*Recorder)(nil)

// Policy is of middleware.Recorder.
func (r *Recorder) Policy(name string) middleware.Requests { return &recorded{r, name} }

// Requests returns how many requests of policy had that outcome, for whatever reason.
func (r *Recorder) Requests(policy string, o swr.Outcome) int {
	return r.count(func(c counted) bool { return c.policy == policy && c.outcome == o })
}

// Reasons returns how many requests of policy had that reason.
func (r *Recorder) Reasons(policy string, why middleware.Reason) int {
	return r.count(func(c counted) bool { return c.policy == policy && c.why == why })
}

func (r *Recorder) count(counts func(counted) bool) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c, times := range r.requests {
		if counts(c) {
			n += times
		}
	}
	return n
}

// Runs returns how often the handlers of policy have run and ended, for callers and
// behind them; bypasses are not counted.
func (r *Recorder) Runs(policy string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fills[policy]
}

// AssertRuns fails the test unless the handlers of policy have run n times.
func (r *Recorder) AssertRuns(t testing.TB, policy string, n int) {
	t.Helper()
	if got := r.Runs(policy); got != n {
		t.Errorf("the handlers of policy %q ran %d times, want %d", policy, got, n)
	}
}

// recorded is one policy's.
type recorded struct {
	r      *Recorder
	policy string
}

// Request is of middleware.Requests.
func (p *recorded) Request(o swr.Outcome, why middleware.Reason, _ time.Duration) {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if p.r.requests == nil {
		p.r.requests = make(map[counted]int)
	}
	p.r.requests[counted{p.policy, o, why}]++
}

// Filled is of swr.Observer.
func (p *recorded) Filled(string, time.Duration, bool, error) {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if p.r.fills == nil {
		p.r.fills = make(map[string]int)
	}
	p.r.fills[p.policy]++
}

// StoreFailed is of swr.Observer.
func (p *recorded) StoreFailed(string, error) {}

// Flying is of swr.Observer.
func (p *recorded) Flying(int) {}
