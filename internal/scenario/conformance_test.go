package scenario

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The groups of scenarios that docs/conformance.md names as proof are there, by
// what their names begin with.
func TestConformanceNamesWhatThereIs(t *testing.T) {
	page, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, s := range All() {
		line, _, _ := strings.Cut(s.Name, ":")
		there[line] = true
		if group, _, _ := strings.Cut(s.Name, " "); group != "B" {
			there[group] = true
		}
	}
	cited := regexp.MustCompile(`\b(?:A\d+|B [a-z-]+)\b`).FindAllString(string(page), -1)
	for _, name := range cited {
		if !there[name] {
			t.Errorf("docs/conformance.md names %s, and there is no such group", name)
		}
	}
	if len(cited) < 80 {
		t.Errorf("only %d names found", len(cited))
	}
}
