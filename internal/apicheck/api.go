package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/txtar"
)

// An api is what a module exports: the source of each of its packages, without
// bodies, by import path.
type api map[string][]byte

// read returns the baseline in the file called name.
func read(name string) (api, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	a := make(api)
	for _, f := range txtar.Parse(data).Files {
		a[f.Name] = f.Data
	}
	if len(a) == 0 {
		return nil, fmt.Errorf("%s describes no package", name)
	}
	return a, nil
}

// text returns what read reads.
func (a api) text() []byte {
	var archive txtar.Archive
	for _, path := range slices.Sorted(maps.Keys(a)) {
		archive.Files = append(archive.Files, txtar.File{Name: path, Data: a[path]})
	}
	return txtar.Format(&archive)
}

// describe returns the API of the module at dir: of its packages that others can
// import.
func describe(dir string) (api, error) {
	loaded, err := load(dir, "./...")
	if err != nil {
		return nil, err
	}
	a := make(api)
	for _, p := range loaded {
		if p.Name == "main" || slices.Contains(strings.Split(p.PkgPath, "/"), "internal") {
			continue
		}
		if a[p.PkgPath], err = source(p.Types); err != nil {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, err)
		}
	}
	return a, nil
}

func load(dir string, patterns ...string) ([]*packages.Package, error) {
	loaded, err := packages.Load(&packages.Config{Dir: dir, Mode: packages.NeedName | packages.NeedTypes}, patterns...)
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, p := range loaded {
		for _, e := range p.Errors {
			faults = append(faults, e)
		}
	}
	return loaded, errors.Join(faults...)
}

// compare reports how now differs from then, in the module at dir.
func compare(dir string, then, now api) (apidiff.Report, error) {
	older, err := parse(then)
	if err != nil {
		return apidiff.Report{}, err
	}
	newer, err := parse(now)
	if err != nil {
		return apidiff.Report{}, err
	}
	if err := link(dir, older, newer); err != nil {
		return apidiff.Report{}, err
	}
	was, err := older.module()
	if err != nil {
		return apidiff.Report{}, err
	}
	is, err := newer.module()
	if err != nil {
		return apidiff.Report{}, err
	}
	return apidiff.ModuleChanges(was, is), nil
}

// A checker makes types of an api.
type checker struct {
	files  *token.FileSet
	parsed map[string]*ast.File      // by import path
	done   map[string]*types.Package // of parsed
	others map[string]*types.Package // that they import
}

func parse(a api) (*checker, error) {
	c := &checker{files: token.NewFileSet(), parsed: make(map[string]*ast.File), done: make(map[string]*types.Package)}
	for path, text := range a {
		f, err := parser.ParseFile(c.files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if fn, isFunc := d.(*ast.FuncDecl); isFunc {
				fn.Body = new(ast.BlockStmt) // go/types wants one of what is generic
			}
		}
		c.parsed[path] = f
	}
	return c, nil
}

// link gives all checkers the packages that they import, as the module at dir sees
// them: the same for all, since types of two loads are never identical.
func link(dir string, checkers ...*checker) error {
	var paths []string
	for _, c := range checkers {
		paths = append(paths, c.imports()...)
	}
	slices.Sort(paths)
	loaded, err := load(dir, append(slices.Compact(paths), "unsafe")...) // no path at all would be "."
	if err != nil {
		return err
	}
	others := make(map[string]*types.Package)
	for _, p := range loaded {
		others[p.PkgPath] = p.Types
	}
	for _, c := range checkers {
		c.others = others
	}
	return nil
}

// imports returns the packages outside the api that it imports.
func (c *checker) imports() []string {
	var paths []string
	for _, f := range c.parsed {
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err == nil && c.parsed[path] == nil {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// module returns the whole api. Its path is the shortest of its packages'.
func (c *checker) module() (*apidiff.Module, error) {
	paths := slices.Sorted(maps.Keys(c.parsed))
	m := &apidiff.Module{Path: slices.MinFunc(paths, func(a, b string) int { return cmp.Compare(len(a), len(b)) })}
	for _, path := range paths {
		p, err := c.Import(path)
		if err != nil {
			return nil, err
		}
		m.Packages = append(m.Packages, p)
	}
	return m, nil
}

// Import makes a checker the types.Importer of its own packages.
func (c *checker) Import(path string) (*types.Package, error) {
	if p := cmp.Or(c.done[path], c.others[path]); p != nil {
		return p, nil
	}
	f := c.parsed[path]
	if f == nil {
		return nil, fmt.Errorf("%s is imported, and not there", path)
	}
	config := types.Config{Importer: c, IgnoreFuncBodies: true}
	p, err := config.Check(path, c.files, []*ast.File{f}, nil)
	c.done[path] = p
	return p, err
}
