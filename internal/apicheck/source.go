package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// source returns what pkg exports, as Go source: declarations without comments,
// bodies and values of variables, sorted by name. It knows all imports, and so their
// names, once wanted has tried every declaration.
func source(pkg *types.Package) ([]byte, error) {
	p := &printer{pkg: pkg, imports: make(map[string]*types.Package)}
	var body bytes.Buffer
	for _, name := range p.wanted() {
		body.WriteString(p.object(pkg.Scope().Lookup(name)))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "package %s\n\n", pkg.Name())
	for _, path := range slices.Sorted(maps.Keys(p.imports)) {
		name := p.alias(p.imports[path])
		if name == path[strings.LastIndexByte(path, '/')+1:] {
			name = ""
		}
		fmt.Fprintf(&out, "import %s %s\n", name, strconv.Quote(path))
	}
	fmt.Fprintf(&out, "\n%s", body.Bytes())
	return format.Source(out.Bytes())
}

// A printer writes the objects of one package.
type printer struct {
	pkg     *types.Package
	imports map[string]*types.Package // that its objects name, by path
}

// wanted returns the exported names of the package, and those unexported types that
// their declarations name.
func (p *printer) wanted() []string {
	scope := p.pkg.Scope()
	want := make(map[string]bool)
	for _, name := range scope.Names() {
		if scope.Lookup(name).Exported() {
			want[name] = true
		}
	}
	for before := 0; before != len(want); {
		before = len(want)
		var text strings.Builder
		for name := range want {
			text.WriteString(p.object(scope.Lookup(name)))
		}
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(text.String(), -1) {
			if _, isType := scope.Lookup(word).(*types.TypeName); isType {
				want[word] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(want))
}

// object returns the declaration of o, with the exported methods of a type.
func (p *printer) object(o types.Object) string {
	switch o := o.(type) {
	case *types.Const:
		t := p.typ(o.Type())
		if basic, ok := o.Type().(*types.Basic); ok && basic.Info()&types.IsUntyped != 0 {
			t = ""
		}
		return fmt.Sprintf("const %s %s = %s\n", o.Name(), t, o.Val().ExactString())
	case *types.Var:
		return fmt.Sprintf("var %s %s\n", o.Name(), p.typ(o.Type()))
	case *types.Func:
		return fmt.Sprintf("func %s%s\n", o.Name(), p.signature(o))
	case *types.TypeName:
		return "\n" + p.typeName(o) + "\n"
	}
	panic(fmt.Sprintf("%v is no declaration", o))
}

func (p *printer) typeName(o *types.TypeName) string {
	if o.IsAlias() {
		return fmt.Sprintf("type %s = %s\n", o.Name(), p.typ(types.Unalias(o.Type())))
	}
	named := o.Type().(*types.Named)
	var b strings.Builder
	fmt.Fprintf(&b, "type %s%s ", o.Name(), p.params(named.TypeParams()))
	switch u := named.Underlying().(type) {
	case *types.Struct:
		p.structure(&b, u)
	case *types.Interface:
		p.iface(&b, u)
	default:
		b.WriteString(p.typ(u))
	}
	b.WriteString("\n")
	methods := slices.SortedFunc(named.Methods(), func(a, b *types.Func) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, m := range methods {
		if m.Exported() {
			recv := m.Signature().Recv().Type()
			fmt.Fprintf(&b, "func (%s) %s%s\n", p.typ(recv), m.Name(), p.signature(m))
		}
	}
	return b.String()
}

// structure writes s. Its unexported fields become one that says whether values of s
// can be compared.
func (p *printer) structure(b *strings.Builder, s *types.Struct) {
	b.WriteString("struct {\n")
	hidden := false
	for i := range s.NumFields() {
		f := s.Field(i)
		switch {
		case f.Embedded():
			fmt.Fprintf(b, "%s %s\n", p.typ(f.Type()), tag(s.Tag(i)))
		case f.Exported():
			fmt.Fprintf(b, "%s %s %s\n", f.Name(), p.typ(f.Type()), tag(s.Tag(i)))
		default:
			hidden = true
		}
	}
	switch {
	case hidden && types.Comparable(s):
		b.WriteString("_ struct{}\n")
	case hidden:
		b.WriteString("_ [0]func()\n")
	}
	b.WriteString("}")
}

func tag(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

func (p *printer) iface(b *strings.Builder, t *types.Interface) {
	b.WriteString("interface {\n")
	for e := range t.EmbeddedTypes() {
		fmt.Fprintln(b, p.typ(e))
	}
	for m := range t.ExplicitMethods() {
		fmt.Fprintf(b, "%s%s\n", m.Name(), p.signature(m))
	}
	b.WriteString("}")
}

// params returns a list of type parameters, with its brackets.
func (p *printer) params(list *types.TypeParamList) string {
	if list.Len() == 0 {
		return ""
	}
	var params []string
	for t := range list.TypeParams() {
		params = append(params, t.Obj().Name()+" "+p.typ(t.Constraint()))
	}
	return "[" + strings.Join(params, ", ") + "]"
}

// signature returns the type parameters, parameters and results of f.
func (p *printer) signature(f *types.Func) string {
	return strings.TrimPrefix(p.typ(f.Type()), "func")
}

func (p *printer) typ(t types.Type) string { return types.TypeString(t, p.qualify) }

// qualify names the packages of types, and notes them as imports.
func (p *printer) qualify(other *types.Package) string {
	if other == p.pkg || other.Path() == p.pkg.Path() {
		return ""
	}
	p.imports[other.Path()] = other
	return p.alias(other)
}

// alias returns a name for other that no second package has: its name, and its path
// where that alone would not do.
func (p *printer) alias(other *types.Package) string {
	for path, q := range p.imports {
		if path < other.Path() && q.Name() == other.Name() {
			return strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(other.Path())
		}
	}
	return other.Name()
}
