package consistency

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Report is the result of one trial.
type Report struct {
	Seed    uint64
	Reads   int64
	Hits    int64
	Runs    int64 // of handlers
	Purges  int64 // that returned without an error
	Failed  int64 // purges that did not
	Faults  map[string]int
	Lags    []time.Duration // of purges at other instances, the worst of each, the longest first; the rest are 0
	Seen    int64           // how many lags there are, with those of 0
	Errors  map[string]int  // violations by guarantee
	Samples []string        // the first of them

	mu sync.Mutex
}

// samples is how many violations are told in full.
const samples = 10

func (r *Report) violation(guarantee, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Errors[guarantee]++
	if len(r.Samples) < samples {
		r.Samples = append(r.Samples, guarantee+": "+text)
	}
}

func (r *Report) fault(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Faults[name]++
}

// Violations returns how many there were.
func (r *Report) Violations() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.Errors {
		n += m
	}
	return n
}

// Worst returns the longest lag.
func (r *Report) Worst() time.Duration { return r.Quantile(1) }

// Quantile returns the lag that a part q of all lags does not exceed.
func (r *Report) Quantile(q float64) time.Duration {
	above := int(float64(r.Seen) * (1 - q))
	if above >= len(r.Lags) {
		return 0
	}
	return r.Lags[above]
}

func (r *Report) collect(histories []*history, instances int) {
	for _, h := range histories {
		h.mu.Lock()
		for _, lag := range h.lags {
			r.Lags = append(r.Lags, time.Duration(lag))
		}
		h.mu.Unlock()
	}
	slices.SortFunc(r.Lags, func(a, b time.Duration) int { return int(b - a) })
	r.Seen = r.Purges * int64(instances-1)
}

func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d reads (%d hits, %d handler runs), %d purges (%d failed)", r.Seed, r.Reads, r.Hits, r.Runs, r.Purges, r.Failed)
	fmt.Fprintf(&b, "; lag p99.9 %v, worst %v; faults %v; violations %v", r.Quantile(0.999), r.Worst(), r.Faults, r.Errors)
	for _, s := range r.Samples {
		b.WriteString("\n\t" + s)
	}
	return b.String()
}
