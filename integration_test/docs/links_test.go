package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var (
	codeSpan   = regexp.MustCompile("`[^`]*`")
	linkTarget = regexp.MustCompile(`\]\(([^()\s]+)(?: "[^"]*")?\)|^ {0,3}\[[^\]]+\]: +(\S+)|(?:href|src)="([^"]*)"`)
	heading    = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	anchor     = regexp.MustCompile(`<a +(?:id|name)="([^"]*)"`)
	sourceLine = regexp.MustCompile(`^L(\d+)(?:-L(\d+))?$`)
)

// Links within the repository lead to what there is.
func TestLinks(t *testing.T) {
	links := 0
	for _, p := range pages(t) {
		count, faults := p.links()
		links += count
		for _, fault := range faults {
			t.Error(fault)
		}
	}
	if links < 80 {
		t.Errorf("only %d links found", links)
	}
}

// links follows the links of a page that stay within the repository, and returns how
// many they are and what is wrong with them.
func (p *page) links() (count int, faults []error) {
	for i, line := range p.prose {
		for _, found := range linkTarget.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "``"), -1) {
			target := found[1] + found[2] + found[3]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			count++
			if err := p.follow(target); err != nil {
				faults = append(faults, fmt.Errorf("%s:%d: link to %s: %w", p.name, i+1, target, err))
			}
		}
	}
	return count, faults
}

func (p *page) follow(target string) error {
	name, fragment, _ := strings.Cut(target, "#")
	if name == "" {
		return p.hasHeading(fragment)
	}
	file := filepath.Join(root, filepath.Dir(p.name), name)
	if strings.HasPrefix(name, "/") {
		file = filepath.Join(root, name)
	}
	if _, err := os.Stat(file); err != nil {
		return err
	}
	if fragment == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if filepath.Ext(file) == ".md" {
		return parse(name, string(text)).hasHeading(fragment)
	}
	return hasLine(string(text), fragment)
}

// hasHeading tells whether a heading of the page has this fragment, as GitHub makes it.
func (p *page) hasHeading(fragment string) error {
	seen := make(map[string]int)
	for _, line := range p.prose {
		if a := anchor.FindStringSubmatch(line); a != nil && a[1] == fragment {
			return nil
		}
		h := heading.FindStringSubmatch(line)
		if h == nil {
			continue
		}
		slug := slugOf(h[1])
		seen[slug]++
		if n := seen[slug]; n > 1 {
			slug += "-" + strconv.Itoa(n-1)
		}
		if slug == fragment {
			return nil
		}
	}
	return fmt.Errorf("%s has no heading for #%s", p.name, fragment)
}

// slugOf returns what GitHub makes of a heading: lower case, hyphens for blanks, and
// nothing for what is no letter, digit, hyphen or underscore.
func slugOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, linkText.ReplaceAllString(heading, "$1"))
}

// hasLine tells whether a file that is no page has the line that #L10 or #L10-L20 names.
func hasLine(text, fragment string) error {
	found := sourceLine.FindStringSubmatch(fragment)
	if found == nil {
		return fmt.Errorf("#%s is no line", fragment)
	}
	for _, digits := range found[1:] {
		if digits == "" {
			continue
		}
		if n, err := strconv.Atoi(digits); err != nil || n < 1 || n > strings.Count(text, "\n") {
			return fmt.Errorf("there is no line %s", digits)
		}
	}
	return nil
}
