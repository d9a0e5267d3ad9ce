package swr

import (
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
	"strings"
)

// fingerprint tells T, its codec and version from others: all that decides what
// an encoded T means, with the names of its types left out, so that to move or
// rename one costs nothing. It is the same in every process of every machine.
func fingerprint[T any](codec Codec[T], version string) uint64 {
	h := fnv.New64a()
	name, _, _ := strings.Cut(reflect.TypeOf(codec).String(), "[")
	fmt.Fprintf(h, "%q %q ", version, name)
	describe(h, reflect.TypeFor[T](), nil)
	return h.Sum64()
}

// describe writes t's structure. above are the types that t is part of: a type
// that contains itself is told by how far up that was.
func describe(w io.Writer, t reflect.Type, above []reflect.Type) {
	for i, a := range above {
		if a == t {
			fmt.Fprintf(w, "^%d", len(above)-i)
			return
		}
	}
	above = append(above[:len(above):len(above)], t)
	fmt.Fprint(w, t.Kind(), " ")
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() && !f.Anonymous {
				continue // codecs of T's own keep them as they like: Schema tells
			}
			fmt.Fprintf(w, "%q %q ", f.Name, f.Tag)
			describe(w, f.Type, above)
		}
		fmt.Fprint(w, ";")
	case reflect.Map:
		describe(w, t.Key(), above)
		describe(w, t.Elem(), above)
	case reflect.Array:
		fmt.Fprint(w, t.Len(), " ")
		describe(w, t.Elem(), above)
	case reflect.Pointer, reflect.Slice, reflect.Chan:
		describe(w, t.Elem(), above)
	case reflect.Interface, reflect.Func:
		fmt.Fprintf(w, "%s ", t)
	default:
	}
}
