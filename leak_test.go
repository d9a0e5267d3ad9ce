package reprise

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every package with tests, of whichever module, looks for goroutines that they
// leave behind: by itself, or by redistest.Main.
func TestEveryPackageLooksForLeaks(t *testing.T) {
	files := os.DirFS(".")
	found, unguarded := guards(t, files)
	if found < 20 {
		t.Errorf("only %d packages found", found)
	}
	for _, dir := range unguarded {
		t.Errorf("%s has tests, and no TestMain with goleak", dir)
	}
	if text, err := fs.ReadFile(files, "integration_test/redistest/redistest.go"); err != nil || !strings.Contains(string(text), "goleak.Find(") {
		t.Errorf("redistest.Main does not look for leaks (%v)", err)
	}
}

var (
	testMain = regexp.MustCompile(`(?ms)^func TestMain\(m \*testing\.M\) \{(?:[^\n]*\}$|.*?^\}$)`)
	looks    = regexp.MustCompile(`goleak\.VerifyTestMain\(m\b|\bgoleak\.Find\(\)|\bMain\(m\)`)
)

// guards returns how many directories have tests, and those of them, sorted, whose
// TestMain does not look for leaks.
func guards(t *testing.T, files fs.FS) (found int, unguarded []string) {
	t.Helper()
	guarded := make(map[string]bool)
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if e != nil && e.IsDir() && (e.Name() == "testdata" || len(e.Name()) > 1 && e.Name()[0] == '.') {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		guarded[path.Dir(name)] = guarded[path.Dir(name)] || looks.Match(testMain.Find(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range slices.Sorted(maps.Keys(guarded)) {
		if !guarded[dir] {
			unguarded = append(unguarded, dir)
		}
	}
	return len(guarded), unguarded
}

// The check above can fail.
func TestGuards(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("package p\n\n" + text + "\n")} }
	_, got := guards(t, fstest.MapFS{
		"a/a_test.go":          file("func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }"),
		"a/b_test.go":          file("func TestA(t *testing.T) {}"),
		"b/b_test.go":          file("func TestMain(m *testing.M) {\n\tif x {\n\t\ty()\n\t}\n\tredistest.Main(m)\n}"),
		"c/c_test.go":          file("func TestMain(m *testing.M) { m.Run() }\n\nfunc f(m *testing.M) { goleak.VerifyTestMain(m) }"),
		"d/d_test.go":          file("func TestD(t *testing.T) {}"),
		"d/testdata/x_test.go": file(""),
		"e/e.go":               file(""),
		".git/x_test.go":       file(""),
	})
	if want := []string{"c", "d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
