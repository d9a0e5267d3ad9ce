//go:build mutants

package attacks

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/overlay"
)

func TestMutants(t *testing.T) {
	caught, all := 0, 0
	for _, m := range mutants {
		t.Run(m.what, func(t *testing.T) {
			all++
			if !slices.ContainsFunc(attacks(), func(a attack) bool { return a.name == m.attack }) {
				t.Fatalf("no attack is called %q", m.attack)
			}
			if m.try(t) {
				caught++
			} else {
				t.Errorf("not caught by %q", m.attack)
			}
		})
	}
	figures.Exactly(t, "attacks, mutants", fmt.Sprint("caught, of ", all), caught, all)
}

// try builds the mutant and plays its attack on the memory store. It tells
// whether the attack succeeds.
func (m mutant) try(t *testing.T) bool {
	t.Helper()
	var edits []overlay.Edit
	for _, e := range m.edits {
		edits = append(edits, overlay.Edit{File: e.file, Old: e.old, New: e.new})
	}
	run := exec.Command(overlay.Build(t, edits...), "-test.timeout=1m", "-test.run", "^TestAttacks$/^"+regexp.QuoteMeta(m.attack)+"$/^memory$")
	run.Env = append(os.Environ(), "FIGURES=")
	out, err := run.CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("--- FAIL: TestAttacks/")) {
		t.Fatalf("it ended otherwise than by its attack: %v\n%s", err, out)
	}
	return err != nil
}
