//go:build mutants

package consistency

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/overlay"
)

// patience is how long a mutant may go unseen.
const patience = time.Minute

func TestMutants(t *testing.T) {
	caught, all := 0, 0
	for _, m := range mutants {
		t.Run(m.race+" "+m.what, func(t *testing.T) {
			found := m.try(t)
			if !m.spared {
				all++
			}
			switch {
			case m.spared && found != "":
				t.Errorf("nothing is taken out, and it fails: %s", found)
			case !m.spared && found == "":
				t.Errorf("not caught within %v", patience)
			case !m.spared:
				caught++
				t.Log(found)
			}
		})
	}
	figures.Exactly(t, "consistency, mutants", fmt.Sprint("caught, of ", all), caught, all)
}

// try builds the mutant and runs its trial. It returns the first violation, or
// "".
func (m mutant) try(t *testing.T) (violation string) {
	t.Helper()
	binary := overlay.Build(t, m.overlay()...)
	limit := patience
	if m.spared {
		limit = 5 * time.Second
	}
	run := exec.Command(binary, "-test.run", "^"+m.trial+"$", "-test.v")
	run.Env = append(os.Environ(), "CONSISTENCY_STOP=1", "CONSISTENCY_DURATION="+limit.String(), "FIGURES=")
	out, err := run.CombinedOutput()
	if err == nil {
		return ""
	}
	for line := range bytes.Lines(out) {
		text := strings.TrimSpace(string(line))
		if len(text) > 3 && text[0] == 'G' && text[2] == ':' {
			return text
		}
	}
	t.Fatalf("it failed without a violation: %v\n%s", err, out)
	return ""
}
