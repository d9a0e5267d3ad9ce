package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const before = `package shop

import (
	"context"
	crand "crypto/rand"
	"io"
	"math/rand"
)

// Limit is a constant.
const Limit = 4

type Size int

const Small Size = 1

var ErrGone error

type base struct{ Name string }

type Item struct {
	base
	Price float64 ` + "`json:\"price\"`" + `
	cache map[string]int
}

func (i *Item) Total() float64 { return i.Price }
func (i *Item) forget()        { i.cache = nil }

type Plain struct{ A int }

type Reader interface {
	io.Reader
	Next(ctx context.Context) bool
}

type Set[K comparable, V any] struct{ m map[K]V }

func (s Set[K, V]) Get(k K) V { return s.m[k] }

type Numbers = []int

func Roll(r *rand.Rand) int { return r.Int() }
func Max[T int | float64](a, b T) T { _ = crand.Reader; if a > b { return a }; return b }
func Open(path string, more ...int) (*Item, error) { return nil, ErrGone }
`

// shop makes a module of one package with text.
func shop(t *testing.T, dir, text string) {
	t.Helper()
	for name, text := range map[string]string{
		"go.mod":             "module example.com/shop\n\ngo 1.26\n",
		"shop.go":            text,
		"internal/in.go":     "package in\n\nfunc Hidden() {}\n",
		"cmd/main.go":        "package main\n\nfunc main() {}\n",
		"sub/sub.go":         "package sub\n\nimport \"example.com/shop\"\n\nfunc First(s []shop.Item) shop.Size { return 0 }\n",
		"api/not-an-api.txt": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // replaced in before
		breaks   string // what stands in breaks.txt
		want     string
		err      error
	}{
		{"nothing", "", "", "", "no changes", nil},
		{"body", "r.Int()", "r.Int() + 1", "", "no changes", nil},
		{"unexported method and field", "func (i *Item) forget()        { i.cache = nil }", "", "", "no changes", nil},
		{"function added", "type Numbers", "func New() {}\ntype Numbers", "", "compatible   New: added", nil},
		{"field added", "cache map", "Weight int\n\tcache map", "", "compatible   Item.Weight: added", nil},
		{"function removed", "func Open(", "func open(", "", "INCOMPATIBLE Open: removed", errBroken},
		{"method removed", "Total()", "total()", "", "INCOMPATIBLE (*Item).Total: removed", errBroken},
		{"promoted field removed", "base struct{ Name string }", "base struct{ name string }", "", "INCOMPATIBLE Item.Name: removed", errBroken},
		{"parameter", "path string", "path []byte", "", "INCOMPATIBLE Open: changed from func(string, ...int) (*Item, error) to func([]byte, ...int) (*Item, error)", errBroken},
		{"interface", "Next(", "Close() error\n\tNext(", "", "INCOMPATIBLE Reader.Close: added", errBroken},
		{"constant", "Limit = 4", "Limit = 5", "", "INCOMPATIBLE Limit: value changed from 4 to 5", errBroken},
		{"no longer comparable", "Plain struct{ A int }", "Plain struct{ A int; b []int }", "", "INCOMPATIBLE Plain: old is comparable, new is not", errBroken},
		{"type parameter", "K comparable", "K ~string", "", "INCOMPATIBLE Set", errBroken},
		{"meant", "func Open(", "func open(", "# why\nOpen: removed\n", "meant        Open: removed", nil},
		{"meant, and another", "Total()", "total()", "Open: removed\n", "INCOMPATIBLE (*Item).Total: removed", errBroken},
		{"meant, and not made", "", "", "Open: removed\n", "NO BREAK     Open: removed", errBroken},
	}
	dir := t.TempDir()
	shop(t, dir, before)
	if err := write(dir, "v0.1.0"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after := strings.Replace(before, tt.old, tt.new, 1)
			if tt.old != "" && after == before {
				t.Fatalf("%q is not in the source", tt.old)
			}
			shop(t, dir, after)
			if err := os.WriteFile(filepath.Join(dir, "api/breaks.txt"), []byte(tt.breaks), 0o644); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := check(dir, &out); !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if !strings.Contains(out.String(), "  "+tt.want) {
				t.Errorf("got\n%s\nwant %s", out.String(), tt.want)
			}
		})
	}
}

func TestAPackageRemoved(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir, before)
	if err := write(dir, "v0.1.0"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "sub/sub.go")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := check(dir, &out); !errors.Is(err, errBroken) || !strings.Contains(out.String(), "INCOMPATIBLE package example.com/shop/sub: removed") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// A baseline says all that the packages say: made of what was made of it, it is the
// same.
func TestABaselineLosesNothing(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir, before)
	for _, dir := range []string{dir, "../.."} {
		first, err := describe(dir)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parse(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := link(dir, c); err != nil {
			t.Fatal(err)
		}
		m, err := c.module()
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Packages) != len(first) || len(first) < 2 {
			t.Errorf("%d packages of %d", len(m.Packages), len(first))
		}
		for _, p := range m.Packages {
			second, err := source(p)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(second, first[p.Path()]) {
				t.Errorf("first\n%s\nthen\n%s", first[p.Path()], second)
			}
		}
	}
}

func TestNewest(t *testing.T) {
	dir := t.TempDir()
	if name, err := newest(dir); err == nil {
		t.Errorf("%s in an empty directory", name)
	}
	for _, name := range []string{"v0.9.0.txt", "v0.10.0.txt", "v0.2.0.txt", "breaks.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if name, err := newest(dir); err != nil || filepath.Base(name) != "v0.10.0.txt" {
		t.Errorf("%s, %v", name, err)
	}
}

func TestWhatIsNoVersionIsNotWritten(t *testing.T) {
	for _, version := range []string{"0.2.0", "v0.2", "v1.0.0/../../x"} {
		if err := write(t.TempDir(), version); err == nil || !strings.Contains(err.Error(), "no version") {
			t.Errorf("%s: %v", version, err)
		}
	}
}
