// Package overlay builds the test binary of a package from changed sources: the
// program as it would be with a protection less, or in a later version.
package overlay

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An Edit replaces the one place where a file, named from the repository's root,
// says Old.
type Edit struct{ File, Old, New string }

// Build builds the test binary of the package that is being tested, with the
// edits made, and returns its path. It fails the test if an edit does not fit.
func Build(tb testing.TB, edits ...Edit) (binary string) {
	tb.Helper()
	dir := tb.TempDir()
	binary = filepath.Join(dir, "changed.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", write(tb, dir, edits), "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("it does not build: %v\n%s", err, out)
	}
	return binary
}

// Fit fails the test if an edit does not fit. It builds nothing.
func Fit(tb testing.TB, edits ...Edit) {
	tb.Helper()
	write(tb, tb.TempDir(), edits)
}

// write makes the changed files, and the file that names them to the go command.
func write(tb testing.TB, dir string, edits []Edit) string {
	tb.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		tb.Fatal(err)
	}
	texts := make(map[string]string)
	for _, e := range edits {
		name := filepath.Join(root, e.File)
		if texts[name] == "" {
			b, err := os.ReadFile(name)
			if err != nil {
				tb.Fatal(err)
			}
			texts[name] = string(b)
		}
		if n := strings.Count(texts[name], e.Old); n != 1 {
			tb.Fatalf("%s says %d times, not once: %s", e.File, n, e.Old)
		}
		texts[name] = strings.Replace(texts[name], e.Old, e.New, 1)
	}
	replace := make(map[string]string)
	for name, text := range texts {
		changed := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(name, root), "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		replace[name] = changed
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		tb.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, list, 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}
