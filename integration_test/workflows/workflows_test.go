// Package workflows holds .github to what the repository has: what is written there
// runs elsewhere only, where a fault in it shows last.
package workflows

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A workflow is what is looked at of one.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		RunsOn   string `yaml:"runs-on"`
		Minutes  int    `yaml:"timeout-minutes"`
		Strategy struct {
			Matrix map[string][]string
		}
		Steps []struct{ Run string }
	}
}

// A form is an issue form.
type form struct {
	Name, Description string
	Body              []struct {
		Type, ID   string
		Attributes struct{ Label, Value string }
	}
}

func TestWorkflows(t *testing.T) {
	targets := targets(t)
	for name, text := range read(t, "../../.github/workflows/*.yml") {
		faults, ran := check(text, targets)
		for _, fault := range faults {
			t.Errorf("%s: %s", name, fault)
		}
		if filepath.Base(name) == "ci.yml" {
			if want := []string{"lint", "test", "fuzz", "consistency", "sec"}; !same(ran, want) {
				t.Errorf("%s runs make %v, want %v", name, ran, want)
			}
		}
	}
}

func TestIssueForms(t *testing.T) {
	for name, text := range read(t, "../../.github/ISSUE_TEMPLATE/*.yml") {
		if filepath.Base(name) == "config.yml" {
			continue // TestWeaknessesAreReportedInPrivate
		}
		for _, fault := range checkForm(text) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

func TestWeaknessesAreReportedInPrivate(t *testing.T) {
	text, err := os.ReadFile("../../.github/ISSUE_TEMPLATE/config.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Contact []struct{ Name, URL, About string } `yaml:"contact_links"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Contact) == 0 || !strings.HasSuffix(config.Contact[0].URL, "/security/advisories/new") {
		t.Errorf("no way to the advisories: %+v", config.Contact)
	}
}

// read returns the texts of the files that pattern names, by name. There is one at
// least.
func read(t *testing.T, pattern string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no %s", pattern)
	}
	texts := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// targets are the targets of the Makefile.
func targets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

var (
	makes  = regexp.MustCompile(`\bmake\s+(\$\{\{ matrix\.(\w+) \}\}|[\w-]+)`)
	uses   = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.*)$`)
	pinned = regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$`)
)

// check returns what is wrong with a workflow, and the targets that it makes.
func check(text string, targets []string) (faults, ran []string) {
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		return []string{err.Error()}, nil
	}
	if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
		faults = append(faults, fmt.Sprintf("permissions %v, want contents: read", w.Permissions))
	}
	if len(w.Jobs) == 0 {
		faults = append(faults, "no jobs")
	}
	for name, job := range w.Jobs {
		if job.Minutes == 0 {
			faults = append(faults, name+" may run for ever")
		}
		if strings.HasSuffix(job.RunsOn, "-latest") {
			faults = append(faults, name+" runs on whatever is the latest")
		}
		for _, step := range job.Steps {
			for _, m := range makes.FindAllStringSubmatch(step.Run, -1) {
				made := []string{m[1]}
				if m[2] != "" {
					made = job.Strategy.Matrix[m[2]]
				}
				ran = append(ran, made...)
			}
		}
	}
	for _, target := range ran {
		if !slices.Contains(targets, target) {
			faults = append(faults, "no target "+target)
		}
	}
	for _, m := range uses.FindAllStringSubmatch(text, -1) {
		if !pinned.MatchString(m[1]) {
			faults = append(faults, "not pinned by commit and version: "+m[1])
		}
	}
	return faults, ran
}

// checkForm returns what is wrong with an issue form.
func checkForm(text string) (faults []string) {
	var f form
	if err := yaml.Unmarshal([]byte(text), &f); err != nil {
		return []string{err.Error()}
	}
	if f.Name == "" || f.Description == "" || len(f.Body) == 0 {
		faults = append(faults, "no name, description or body")
	}
	seen := make(map[string]bool)
	for _, b := range f.Body {
		switch {
		case b.Type == "markdown":
			if b.Attributes.Value == "" {
				faults = append(faults, "markdown that says nothing")
			}
		case !slices.Contains([]string{"textarea", "input", "dropdown", "checkboxes"}, b.Type):
			faults = append(faults, "no such type: "+b.Type)
		case b.ID == "" || seen[b.ID] || b.Attributes.Label == "":
			faults = append(faults, fmt.Sprintf("%q has no id of its own, or no label", b.ID))
		}
		seen[b.ID] = true
	}
	return faults
}

func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

const sound = `
permissions: {contents: read}
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    strategy: {matrix: {target: [fuzz, sec]}}
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789 # v4.2.2
      - run: make lint && make test
      - run: make ${{ matrix.target }}
`

// The checks above can fail: a workflow with one fault at a time.
func TestCheck(t *testing.T) {
	targets := []string{"fuzz", "lint", "sec", "test"}
	for _, tt := range []struct{ old, new, want string }{
		{"", "", ""},
		{"{contents: read}", "write-all", "cannot unmarshal"},
		{"{contents: read}", "{contents: write}", "permissions"},
		{"contents: read}", "contents: read, packages: write}", "permissions"},
		{"timeout-minutes", "minutes", "test may run for ever"},
		{"24.04", "latest", "whatever is the latest"},
		{"make test", "make tests", "no target tests"},
		{"sec]", "soak]", "no target soak"},
		{"@0123456789012345678901234567890123456789", "@v4", "not pinned"},
		{" # v4.2.2", "", "not pinned"},
		{"jobs:", "jobs: }", "did not find"},
	} {
		t.Run(tt.new, func(t *testing.T) {
			faults, ran := check(strings.Replace(sound, tt.old, tt.new, 1), targets)
			if tt.want == "" {
				if len(faults) > 0 || !same(ran, targets) {
					t.Errorf("faults %q, made %q", faults, ran)
				}
				return
			}
			if len(faults) != 1 || !strings.Contains(faults[0], tt.want) {
				t.Errorf("faults %q, want %q", faults, tt.want)
			}
		})
	}
}

func TestCheckForm(t *testing.T) {
	const sound = `
name: Bug
description: it is wrong
body:
  - {type: markdown, attributes: {value: first}}
  - {type: input, id: a, attributes: {label: A}}
  - {type: textarea, id: b, attributes: {label: B}}
`
	for _, tt := range []struct{ old, new, want string }{
		{"", "", ""},
		{"name: Bug", "", "no name"},
		{"value: first", "label: first", "says nothing"},
		{"type: input", "type: inputs", "no such type"},
		{"id: b, ", "", "no id"},
		{"id: b", "id: a", "no id of its own"},
		{"{label: B}", "{}", "no label"},
		{"body:", "body", "could not find"},
	} {
		t.Run(tt.new, func(t *testing.T) {
			faults := strings.Join(checkForm(strings.Replace(sound, tt.old, tt.new, 1)), "; ")
			if (tt.want == "") != (faults == "") || !strings.Contains(faults, tt.want) {
				t.Errorf("faults %q, want %q", faults, tt.want)
			}
		})
	}
}
