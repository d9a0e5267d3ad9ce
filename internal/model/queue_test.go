package model

import (
	"reflect"
	"testing"
	"unsafe"
)

// A world can be hashed and taken for its bytes only if it has no pointers and
// no padding.
func TestWorldIsBytes(t *testing.T) {
	if n := countBytes(t, reflect.TypeFor[world]()); n != unsafe.Sizeof(world{}) {
		t.Errorf("the fields of a world have %d bytes, and a world %d", n, unsafe.Sizeof(world{}))
	}
}

func countBytes(t *testing.T, of reflect.Type) (n uintptr) {
	switch of.Kind() {
	case reflect.Struct:
		for i := range of.NumField() {
			n += countBytes(t, of.Field(i).Type)
		}
	case reflect.Array:
		n = uintptr(of.Len()) * countBytes(t, of.Elem())
	case reflect.Uint8, reflect.Bool:
		n = 1
	default:
		t.Errorf("a world has a %v", of)
	}
	return n
}

func TestQueue(t *testing.T) {
	var worlds []world
	c := config{requests: two, purges: urlA, stored: true, vary: true, warm: true, trust: 1, deadline: 1}
	w := *c.start()
	for range 5000 {
		var next []step
		c.steps(&w, func(s step) { next = append(next, s) })
		if len(next) == 0 {
			w = *c.start()
			continue
		}
		r := run{c: &c, w: &w}
		r.take(next[len(worlds)%len(next)])
		worlds = append(worlds, w)
	}
	var q queue
	for i := range worlds {
		q.put(&worlds[i], uint32(1000*i))
	}
	i := 0
	q.all(func(w *world, number uint32) bool {
		if *w != worlds[i] || number != uint32(1000*i) {
			t.Fatalf("world %d comes back otherwise", i)
		}
		i++
		return true
	})
	if i != len(worlds) {
		t.Errorf("%d worlds come back of %d", i, len(worlds))
	}
}
