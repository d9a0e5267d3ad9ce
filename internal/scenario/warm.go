package scenario

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// EndsWarm tells whether the last step of s is a hit, to which no step waits.
func (s Scenario) EndsWarm() bool {
	for _, step := range s.Steps {
		if step.Wait > 0 {
			return false
		}
	}
	last := s.Steps[len(s.Steps)-1].Want
	return last.Origin == Never && last.XCache == "HIT"
}

// A Warm scenario has been played, and its last step can be served again.
type Warm struct {
	http.Handler
	Request *http.Request // of the last step; it may be used again and again
	origin  *origin
}

// Asked returns how often the origin has been asked since the last step began.
func (w *Warm) Asked() int { return len(w.origin.requests()) }

// NewWarm plays s, which ends warm.
func NewWarm(t testing.TB, s Scenario, open func(testing.TB) store.Store) *Warm {
	t.Helper()
	network := newPipes()
	st := newStage(t, s, open(t), network)
	st.dial, st.settle = network.dial, st.awaitRefresh
	for n := range s.Steps {
		if st.play(s, n); t.Failed() {
			t.FailNow()
		}
	}
	last := s.Steps[len(s.Steps)-1]
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(last.wire(st.start))))
	if err != nil {
		t.Fatal(err)
	}
	return &Warm{st.handler, r, st.origin}
}

// Values returns all values that the tables give the field called name, in
// requests and in answers, each once: seeds for fuzzing. Dates are relative to
// start.
func Values(name string, start time.Time) (values []string) {
	seen := make(map[string]bool)
	add := func(fields []string) {
		for _, field := range fields {
			n, v, _ := cutField(field)
			if v = dated(v, start); strings.EqualFold(n, name) && !seen[v] {
				seen[v] = true
				values = append(values, v)
			}
		}
	}
	for _, s := range All() {
		for _, step := range s.Steps {
			add(step.Fields)
			add(step.Origin.Fields)
		}
	}
	return values
}

// Requests returns the requests of the tables as on the wire, each once: seeds
// for fuzzing.
func Requests(start time.Time) (requests []string) {
	seen := make(map[string]bool)
	for _, s := range All() {
		for _, step := range s.Steps {
			if r := step.wire(start); !seen[r] {
				seen[r] = true
				requests = append(requests, r)
			}
		}
	}
	return requests
}
