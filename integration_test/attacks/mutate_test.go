//go:build mutants

package attacks

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/overlay"
)

func TestMutants(t *testing.T) {
	_ = os.Setenv("GOFLAGS", "-ldflags=-w "+os.Getenv("GOFLAGS")) // nobody debugs them, and linking is most of their time
	known := attacks()
	var played, caught atomic.Int64
	t.Run("of", func(t *testing.T) {
		for _, m := range mutants() {
			t.Run(m.what, func(t *testing.T) {
				t.Parallel()
				played.Add(1)
				if !slices.ContainsFunc(known, func(a attack) bool { return a.name == m.attack }) {
					t.Fatalf("no attack is called %q", m.attack)
				}
				if m.try(t) {
					caught.Add(1)
				} else {
					t.Errorf("not caught by %q", m.attack)
				}
			})
		}
	})
	figures.Exactly(t, "attacks, mutants", fmt.Sprint("caught, of ", played.Load()), caught.Load(), played.Load())
}

// TestMutantsFit sees at once what TestMutants would see in minutes: that the source
// is no longer what a mutant takes it for, or that an attack has another name.
func TestMutantsFit(t *testing.T) {
	known := attacks()
	for _, m := range mutants() {
		t.Run(m.what, func(t *testing.T) {
			overlay.Fit(t, m.overlay()...)
			if !slices.ContainsFunc(known, func(a attack) bool { return a.name == m.attack }) {
				t.Errorf("no attack is called %q", m.attack)
			}
		})
	}
}

func (m mutant) overlay() (edits []overlay.Edit) {
	for _, e := range m.edits {
		edits = append(edits, overlay.Edit{File: e.file, Old: e.old, New: e.new})
	}
	return edits
}

// playing lets one mutant at a time be played: attacks take times.
var playing sync.Mutex

// failure is what the tests of this package say where an attack succeeds.
var failure = regexp.MustCompile(`(?m)^ +\w+_test\.go:\d+: .*`)

// try builds the mutant and plays its attack. It tells whether that succeeds.
func (m mutant) try(t *testing.T) bool {
	t.Helper()
	run := exec.Command(overlay.Build(t, m.overlay()...), "-test.timeout=1m", "-test.run", "^TestAttacks$/^"+regexp.QuoteMeta(m.attack)+"$/^"+cmp.Or(m.store, "memory")+"$")
	run.Env = append(os.Environ(), "FIGURES=")
	playing.Lock()
	defer playing.Unlock()
	out, err := run.CombinedOutput()
	how := failure.Find(out)
	if err != nil && how == nil {
		t.Fatalf("it ended otherwise than by its attack: %v\n%s", err, out)
	}
	t.Logf("%.300s", how)
	return err != nil
}
