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
	describe(h, reflect.TypeFor[T](), make(map[reflect.Type]int))
	return h.Sum64()
}

// describe writes t's structure. seen numbers the types with a name and parts that
// were met before: each is told once, and by its number from then on. Otherwise
// those that refer to each other would be told once for each way from one to another.
func describe(w io.Writer, t reflect.Type, seen map[reflect.Type]int) {
	if n, again := seen[t]; again {
		fmt.Fprintf(w, "^%d ", n)
		return
	}
	fmt.Fprint(w, t.Kind(), " ")
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Array, reflect.Pointer, reflect.Slice, reflect.Chan:
		if t.Name() != "" {
			seen[t] = len(seen)
		}
	default:
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() && !f.Anonymous {
				continue // codecs of T's own keep them as they like: Schema tells
			}
			fmt.Fprintf(w, "%q %q ", f.Name, f.Tag)
			describe(w, f.Type, seen)
		}
		fmt.Fprint(w, ";")
	case reflect.Map:
		describe(w, t.Key(), seen)
		describe(w, t.Elem(), seen)
	case reflect.Array:
		fmt.Fprint(w, t.Len(), " ")
		describe(w, t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Chan:
		describe(w, t.Elem(), seen)
	case reflect.Interface, reflect.Func:
		fmt.Fprintf(w, "%s ", t)
	default:
	}
}
