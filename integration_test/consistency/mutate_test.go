package consistency

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
)

// patience is how long a mutant may go unseen.
const patience = 30 * time.Second

func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	caught, all := 0, 0
	for _, m := range mutants {
		t.Run(m.race+" "+m.what, func(t *testing.T) {
			found := m.try(t, root)
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
func (m mutant) try(t *testing.T, root string) (violation string) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "mutant.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", m.overlay(t, root, dir), "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
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

// overlay writes the changed files and what names them to the go command.
func (m mutant) overlay(t *testing.T, root, dir string) string {
	t.Helper()
	texts := make(map[string]string)
	for _, e := range m.edits {
		path := filepath.Join(root, e.file)
		if texts[path] == "" {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(b)
		}
		if n := strings.Count(texts[path], e.old); n != 1 {
			t.Fatalf("%s says %d times, not once: %s", e.file, n, e.old)
		}
		texts[path] = strings.Replace(texts[path], e.old, e.new, 1)
	}
	replace := make(map[string]string)
	for path, text := range texts {
		changed := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(path, root), "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[path] = changed
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
