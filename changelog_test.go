package reprise

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestChangelog(t *testing.T) {
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range changelogFaults(string(text)) {
		t.Error(fault)
	}
	baselines, err := filepath.Glob("api/v*.txt")
	if err != nil || len(baselines) == 0 {
		t.Fatalf("no baselines of the API (%v)", err)
	}
	for _, name := range baselines {
		version := strings.TrimSuffix(filepath.Base(name), ".txt")
		if !strings.Contains(string(text), "\n## ["+version[1:]+"]") {
			t.Errorf("%s is of a version that the changelog does not have", name)
		}
	}
}

var (
	section = regexp.MustCompile(`(?m)^## (.*)$`)
	kind    = regexp.MustCompile(`(?m)^### (.*)$`)
	release = regexp.MustCompile(`^\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})( \[YANKED\])?$`)
	kinds   = []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
)

// changelogFaults returns where text is not as Keep a Changelog 1.1.0 wants it.
func changelogFaults(text string) (faults []string) {
	bad := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	sections := section.FindAllStringSubmatch(text, -1)
	if len(sections) == 0 || sections[0][1] != "[Unreleased]" {
		return []string{"does not begin with [Unreleased]"}
	}
	if !strings.Contains(text, "\n[Unreleased]: https://") {
		bad("[Unreleased] has no link")
	}
	var later []string // the release before, which came later
	for _, s := range sections[1:] {
		m := release.FindStringSubmatch(s[1])
		if m == nil {
			bad("%q is no release with a date", s[1])
			continue
		}
		version := strings.Join(m[1:4], ".")
		if _, err := time.Parse(time.DateOnly, m[4]); err != nil {
			bad("%s: %v", version, err)
		}
		if !strings.Contains(text, "\n["+version+"]: https://") {
			bad("%s has no link", version)
		}
		if later != nil && (number(m) >= number(later) || m[4] > later[4]) {
			bad("%s stands after %s", version, strings.Join(later[1:4], "."))
		}
		later = m
	}
	for _, k := range kind.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(kinds, k[1]) {
			bad("%q is none of %v", k[1], kinds)
		}
	}
	return faults
}

// number orders versions as text.
func number(m []string) string { return fmt.Sprintf("%6s.%6s.%6s", m[1], m[2], m[3]) }

// The check above can fail.
func TestChangelogFaults(t *testing.T) {
	const sound = `# Changelog

## [Unreleased]

## [0.10.0] - 2027-02-28

### Fixed

## [0.9.1] - 2027-01-31

[Unreleased]: https://example.com
[0.10.0]: https://example.com
[0.9.1]: https://example.com
`
	for _, tt := range []struct{ old, new, want string }{
		{"", "", ""},
		{"## [Unreleased]\n", "", "does not begin with [Unreleased]"},
		{"\n[Unreleased]:", "\nUnreleased:", "[Unreleased] has no link"},
		{" - 2027-01-31", "", `"[0.9.1]" is no release with a date`},
		{"02-28", "02-30", `0.10.0: parsing time "2027-02-30": day out of range`},
		{"\n[0.9.1]:", "\n0.9.1:", "0.9.1 has no link"},
		{"0.9.1] - 2027", "0.9.1] - 2028", "0.9.1 stands after 0.10.0"},
		{"[0.10.0]", "[0.8.0]", "0.9.1 stands after 0.8.0"},
		{"Fixed", "Improved", `"Improved" is none of`},
	} {
		t.Run(tt.new, func(t *testing.T) {
			got := strings.Join(changelogFaults(strings.ReplaceAll(sound, tt.old, tt.new)), "; ")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("faults %q, want %q", got, tt.want)
			}
		})
	}
}
