package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	// What the prelude imports has to be in go.mod.
	_ "github.com/go-playground/validator/v10"
	_ "go.opentelemetry.io/otel/trace"
)

// A compiler compiles fragments of Go. It is go/types, the compiler's own checker, and
// not the go command: that has one answer for a variable which a fragment declares and
// the page then leaves alone, and for one which does not exist.
type compiler struct {
	prelude  []byte
	settings []string          // parameters of the prelude's functions in which statements may stand
	imports  string            // of the prelude, on one line
	exports  map[string]string // files with what packages export, by import path
	fset     *token.FileSet
	importer types.Importer
}

// newCompiler reads the prelude, and has the go command compile what it imports.
func newCompiler(ctx context.Context, prelude string) (*compiler, error) {
	text, err := os.ReadFile(prelude)
	if err != nil {
		return nil, err
	}
	c := &compiler{prelude: text, fset: token.NewFileSet()}
	c.importer = importer.ForCompiler(c.fset, "gc", c.open)
	file, err := parser.ParseFile(c.fset, prelude, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for _, spec := range file.Imports {
		line := "import "
		if spec.Name != nil {
			line += spec.Name.Name + " "
		}
		c.imports += line + spec.Path.Value + "; "
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		args = append(args, path)
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "in") {
			from, to := c.fset.Position(f.Type.Params.Pos()), c.fset.Position(f.Type.Params.End())
			c.settings = append(c.settings, string(text[from.Offset:to.Offset]))
		}
	}
	c.exports, err = exportsOf(ctx, args)
	return c, err
}

// exportsOf returns the files with what packages export, by import path.
func exportsOf(ctx context.Context, args []string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.Bytes())
	}
	exports := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	return exports, nil
}

// check compiles the fragment b.
func (c *compiler) check(b block) error {
	text, holes := withoutEllipses(b.text)
	asFile := "package docs; "
	if !importsItself(text) {
		asFile += c.imports
	}
	fileErr := parses(b, asFile, text, "")
	if fileErr == nil {
		return c.typecheck(b, holes, asFile, text, "")
	}
	results, err := resultsOf(b, text)
	if err != nil {
		if startsDeclaration(text) {
			return fileErr
		}
		return err
	}
	var best error // of the setting that comes nearest
	for _, params := range c.settings {
		err := c.typecheck(b, holes, "package docs; "+c.imports+"func fragment"+params+results+" {", text, "select {}\n}\n")
		if err == nil {
			return nil
		}
		if best == nil || len(err.Error()) < len(best.Error()) {
			best = err
		}
	}
	return fmt.Errorf("with what testdata/prelude.go declares:\n%w", best)
}

// withoutEllipses returns text with blanks in the place of …, and of the comma beside
// it, and the offsets where it stood. No other character moves.
func withoutEllipses(text string) (blank string, holes []int) {
	const mark = "…"
	for i := 0; ; i += len(mark) {
		n := strings.Index(text[i:], mark)
		if n < 0 {
			break
		}
		i += n
		holes = append(holes, i)
	}
	width := strings.Repeat(" ", len(mark))
	text = strings.ReplaceAll(text, mark+",", width+" ")
	text = strings.ReplaceAll(text, ", "+mark, "  "+width)
	text = strings.ReplaceAll(text, ","+mark, " "+width)
	return strings.ReplaceAll(text, mark, width), holes
}

// importsItself tells whether a fragment has its own imports, and needs ours no more.
func importsItself(text string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package docs; "+text, parser.ImportsOnly)
	return err == nil && len(file.Imports) > 0
}

func startsDeclaration(text string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return first == "func" || first == "type" || first == "import"
}

// source puts text between before and after, such that errors name the page's lines.
func source(b block, before, text, after string) string {
	return fmt.Sprintf("%s\n//line %s:%d\n%s%s", before, b.page, b.line+1, text, after)
}

func parses(b block, before, text, after string) error {
	_, err := parser.ParseFile(token.NewFileSet(), "", source(b, before, text, after), parser.SkipObjectResolution)
	return err
}

// resultsOf parses statements and returns the results of a function that they could be
// the body of: as many as their return statements have, of any type.
func resultsOf(b block, text string) (string, error) {
	src := source(b, "package docs; func fragment() {", text, "}\n")
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	most := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if ret, ok := n.(*ast.ReturnStmt); ok {
			most = max(most, len(ret.Results))
		}
		_, literal := n.(*ast.FuncLit)
		return !literal // those return by themselves
	})
	return "(" + strings.TrimSuffix(strings.Repeat("any, ", most), ", ") + ")", nil
}

// typecheck compiles the file that before, text and after are, together with the prelude.
// What is declared or imported and then left alone is no error.
func (c *compiler) typecheck(b block, holes []int, before, text, after string) error {
	src := source(b, before, text, after)
	file, err := parser.ParseFile(c.fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	start := strings.Index(src, text)
	fillHoles(c.fset.File(file.Pos()), file, start, holes)
	prelude, err := parser.ParseFile(c.fset, "prelude.go", c.prelude, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	hide(prelude, declared(file))
	var errs []error
	config := types.Config{
		Importer: c.importer,
		Error: func(err error) {
			var typed types.Error
			if errors.As(err, &typed) && typed.Soft {
				return
			}
			errs = append(errs, err)
		},
	}
	_, _ = config.Check("docs", c.fset, []*ast.File{prelude, file}, nil) // errs has more than its error
	return errors.Join(errs...)
}

func (c *compiler) open(path string) (io.ReadCloser, error) {
	file := c.exports[path]
	if file == "" {
		return nil, fmt.Errorf("testdata/prelude.go does not import %s", path)
	}
	return os.Open(file)
}

// fillHoles ends functions that leave out what they return: it may be in a hole.
func fillHoles(lines *token.File, file *ast.File, start int, holes []int) {
	ast.Inspect(file, func(n ast.Node) bool {
		var body *ast.BlockStmt
		var results *ast.FieldList
		switch f := n.(type) {
		case *ast.FuncDecl:
			body, results = f.Body, f.Type.Results
		case *ast.FuncLit:
			body, results = f.Body, f.Type.Results
		}
		if body == nil || results == nil {
			return true
		}
		for _, hole := range holes {
			if at := lines.Pos(start + hole); body.Pos() < at && at < body.End() {
				body.List = append(body.List, &ast.SelectStmt{Select: at, Body: &ast.BlockStmt{Lbrace: at, Rbrace: at}})
				break
			}
		}
		return true
	})
}

// declared returns the package-level names that file declares, and User.Validate for a
// method.
func declared(file *ast.File) map[string]bool {
	names := make(map[string]bool)
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			names[fullName(d)] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				for _, name := range namesOf(spec) {
					names[name.Name] = true
				}
			}
		}
	}
	return names
}

func namesOf(spec ast.Spec) []*ast.Ident {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		return s.Names
	case *ast.TypeSpec:
		return []*ast.Ident{s.Name}
	}
	return nil
}

// hide takes out of the prelude what a fragment declares itself, types with their
// methods.
func hide(prelude *ast.File, names map[string]bool) {
	kept := prelude.Decls[:0]
	for _, decl := range prelude.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if names[receiverOf(d)] || names[fullName(d)] {
				continue
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				for _, name := range namesOf(spec) {
					if names[name.Name] {
						name.Name = "_"
					}
				}
			}
		}
		kept = append(kept, decl)
	}
	prelude.Decls = kept
}

func fullName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return receiverOf(f) + "." + f.Name.Name
}

// receiverOf returns the name of the type that f is a method of, or "".
func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
