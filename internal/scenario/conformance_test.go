package scenario

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/conformance.md names as proof is there: tests by their names, groups
// of scenarios by what their names begin with.
func TestConformanceNamesWhatThereIs(t *testing.T) {
	page, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	there := testNames(t)
	for _, s := range All() {
		line, _, _ := strings.Cut(s.Name, ":")
		there[line] = true
		if group, _, _ := strings.Cut(s.Name, " "); group != "B" {
			there[group] = true
		}
	}
	cited := regexp.MustCompile(`\b(?:(?:Test|Fuzz)[A-Z]\w+|A\d+|B [a-z-]+)`).FindAllString(string(page), -1)
	for _, name := range cited {
		if !there[name] && name != "TestScenarios" {
			t.Errorf("docs/conformance.md names %s, and there is no such thing", name)
		}
	}
	if len(cited) < 200 {
		t.Errorf("only %d names found", len(cited))
	}
}

func testNames(t *testing.T) map[string]bool {
	names := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
