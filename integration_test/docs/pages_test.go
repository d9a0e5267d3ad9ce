package docs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository, seen from this directory.
const root = "../.."

// A page is one Markdown file.
type page struct {
	name   string // from root, with slashes
	blocks []block
	prose  []string // its lines, those of blocks emptied
	faults []error  // of its form
}

// A block is a fenced piece of a page.
type block struct {
	page string
	line int    // of the opening fence
	info string // the first word after it
	text string
	says []string // what comments before it say to this test
}

func (b block) name() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

var (
	openingFence = regexp.MustCompile("^( *)(```+|~~~+) *([^ `]*)[^`]*$")
	saying       = regexp.MustCompile(`^ *<!-- docs-test: (.*?) *-->$`)
	listItem     = regexp.MustCompile(`^ *(?:[-*+]|\d+[.)]) `)
)

// parse takes a page apart.
func parse(name, text string) *page {
	p := &page{name: name, prose: strings.Split(text, "\n")}
	var says []string
	for i := 0; i < len(p.prose); i++ {
		line := p.prose[i]
		if said := saying.FindStringSubmatch(line); said != nil {
			says = append(says, said[1])
			continue
		}
		if fence := openingFence.FindStringSubmatch(line); fence != nil {
			end := p.take(i, fence, says)
			says, i = nil, end
			continue
		}
		if says != nil {
			p.fault(i, "a docs-test comment stands before no block")
			says = nil
		}
		if p.indentedCode(i) {
			p.fault(i, "code is indented: fence it, and say what it is")
		}
	}
	if says != nil {
		p.fault(len(p.prose)-1, "a docs-test comment stands before no block")
	}
	return p
}

func (p *page) fault(index int, what string) {
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %s", p.name, index+1, what))
}

// take makes a block of what begins with the fence at start, empties its lines, and
// returns the index of the last one.
func (p *page) take(start int, fence, says []string) (end int) {
	indent, mark := fence[1], fence[2]
	var text strings.Builder
	for end = start + 1; ; end++ {
		if end == len(p.prose) {
			p.fault(start, "the block does not end")
			break
		}
		line := p.prose[end]
		p.prose[end] = ""
		if closing := strings.TrimSpace(line); strings.HasPrefix(closing, mark) && strings.Trim(closing, mark[:1]) == "" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, indent) + "\n")
	}
	p.prose[start] = ""
	p.blocks = append(p.blocks, block{page: p.name, line: start + 1, info: fence[3], text: text.String(), says: says})
	return end
}

// indentedCode tells whether the line at index begins a block without a fence. Within
// a list the same is a paragraph.
func (p *page) indentedCode(index int) bool {
	if index == 0 || !strings.HasPrefix(p.prose[index], "    ") || strings.TrimSpace(p.prose[index]) == "" || p.prose[index-1] != "" {
		return false
	}
	for i := index - 1; i >= 0; i-- {
		if line := p.prose[i]; line != "" && !strings.HasPrefix(line, "  ") {
			return !listItem.MatchString(line)
		}
	}
	return true
}

// pages reads all pages.
func pages(t *testing.T) []*page {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	for _, dir := range []string{"docs", ".github"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(name string, _ fs.DirEntry, err error) error {
			if path.Ext(name) == ".md" {
				names = append(names, name)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	all := make([]*page, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parse(filepath.ToSlash(relative), string(text)))
	}
	return all
}
