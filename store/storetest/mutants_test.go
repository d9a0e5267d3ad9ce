package storetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// A mutant is a store that breaks a promise.
type mutant struct {
	name   string
	breaks func(f *faulty)
	fails  []string // the checks that have to see it; "x*" stands for all that begin with x

	// pair: only the second instance is broken.
	pair bool
}

// lapseOfMutants is short, and so is the time that checks wait for what a
// mutant never does.
const (
	lapseOfMutants    = 20 * time.Millisecond
	patienceOfMutants = 200 * time.Millisecond
)

func TestMutantsFail(t *testing.T) {
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel() // most of them wait in vain
			for _, c := range checks() {
				if m.concerns(c) && !m.failsAtLast(t, c) {
					t.Errorf("%q passes", c.name)
				}
			}
		})
	}
}

// A check that no mutant has failed might be one that cannot fail, and a
// mutant whose checks do not exist proves nothing.
func TestEveryCheckHasAMutant(t *testing.T) {
	for _, c := range checks() {
		if !slices.ContainsFunc(mutants(), func(m mutant) bool { return m.concerns(c) }) {
			t.Errorf("no mutant fails %q", c.name)
		}
	}
	for _, m := range mutants() {
		for _, name := range m.fails {
			if !slices.ContainsFunc(checks(), func(c check) bool { return mutant{fails: []string{name}}.concerns(c) }) {
				t.Errorf("mutant %q: there is no check %q", m.name, name)
			}
		}
	}
}

func TestCheckNamesDiffer(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range checks() {
		if seen[c.name] {
			t.Errorf("two checks are called %q", c.name)
		}
		seen[c.name] = true
	}
}

// The wrapper itself is no fault.
func TestUnbrokenPasses(t *testing.T) {
	whole := mutant{breaks: func(*faulty) {}}
	for _, c := range checks() {
		if !c.kill && !c.two && whole.failsAt(t, c) {
			t.Errorf("%q fails", c.name)
		}
	}
}

// Nor is it a fault to bring fills and purges together.
func TestUnbrokenPassesWhereTheyMeet(t *testing.T) {
	whole := mutant{breaks: (&gap{harmless: true}).breaks, fails: []string{"no look at a base after a purge of its key sees what it dropped"}}
	for _, c := range checks() {
		if whole.concerns(c) && whole.failsAt(t, c) {
			t.Errorf("%q fails", c.name)
		}
	}
}

func (m mutant) concerns(c check) bool {
	return slices.ContainsFunc(m.fails, func(name string) bool {
		if start, all := strings.CutSuffix(name, "*"); all {
			return strings.HasPrefix(c.name, start)
		}
		return name == c.name
	})
}

// failsAtLast tries a check whose goroutines have to meet a fault until they do.
func (m mutant) failsAtLast(t *testing.T, c check) bool {
	tries := 1
	if c.race {
		tries = 100
	}
	for range tries {
		if m.failsAt(t, c) {
			return true
		}
	}
	return false
}

func (m mutant) failsAt(t *testing.T, c check) bool {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &witness{ctx: ctx, cancel: cancel}
	whole := memory(t)
	f := &faulty{Store: whole, ended: ctx.Done()}
	m.breaks(f)
	r := &room{tb: w, a: f, b: f, kill: func(store.Store) {}, lapse: lapseOfMutants, patience: patienceOfMutants, races: hammerTime}
	if m.pair {
		r.a = whole
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(r)
	}()
	<-done
	cancel()
	f.started.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}
