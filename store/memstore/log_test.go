package memstore

import (
	"fmt"
	"testing"
)

func newLog() *purgeLog {
	l := new(purgeLog)
	l.init()
	return l
}

func TestLogIsBounded(t *testing.T) {
	l := newLog()
	first := hashesOf([]string{"first"})
	l.purge(first, false, false)
	l.purge(hashesOf([]string{"soft"}), false, true)
	for i := range 2*maxTags + 10 {
		l.purge(hashesOf([]string{fmt.Sprint("tag ", i)}), false, i%2 == 0)
		if len(l.tags) > maxTags || len(l.order) > 2*maxTags {
			t.Fatalf("%d tags and %d records are kept", len(l.tags), len(l.order))
		}
	}
	// The first was forgotten, and with it the difference between tags: it
	// must still count as purged, and so does what nobody purged.
	for _, tag := range []string{"first", "soft", "never purged"} {
		hard, soft := l.purged([]string{tag})
		if hard == 0 || soft == 0 {
			t.Errorf("%q: the last purges are %d, %d", tag, hard, soft)
		}
		if hard > l.number.Load()-maxTags || soft > l.number.Load()-maxTags {
			t.Errorf("%q: purges %d, %d of %d became the floor too soon", tag, hard, soft, l.number.Load())
		}
	}
	last := fmt.Sprint("tag ", 2*maxTags+9) // hard
	if hard, _ := l.purged([]string{last}); hard != l.number.Load() {
		t.Errorf("the last purge is %d, of %d", hard, l.number.Load())
	}
}

// A tag that was purged long ago and again of late is one of late.
func TestLogForgetsTheOldest(t *testing.T) {
	l := newLog()
	again := []string{"again"}
	l.purge(hashesOf(again), false, false)
	for i := range maxTags - 1 {
		l.purge(hashesOf([]string{fmt.Sprint("tag ", i)}), false, false)
	}
	l.purge(hashesOf(again), false, false)
	l.purge(hashesOf([]string{"one too many"}), false, false)
	if hard, _ := l.purged(again); hard != maxTags+1 {
		t.Errorf("the last purge is %d, want %d", hard, maxTags+1)
	}
	if hard, _ := l.purged([]string{"never purged"}); hard != 2 { // of tag 0
		t.Errorf("the floor is %d, want 2", hard)
	}
}

// One tag purged over and over leaves no trace of all the times before.
func TestLogOfOneTagIsBounded(t *testing.T) {
	l := newLog()
	others, again := []string{"a", "b"}, []string{"again"}
	l.purge(hashesOf(others), false, false)
	for range 3 * maxTags {
		l.purge(hashesOf(again), false, false)
		if len(l.order) > 2*maxTags {
			t.Fatalf("%d records of %d tags", len(l.order), len(l.tags))
		}
	}
	if len(l.tags) != 3 || l.floor != (cut{}) {
		t.Errorf("%d tags, floor %v; want 3 and none", len(l.tags), l.floor)
	}
	if hard, soft := l.purged(others); hard != 1 || soft != 0 {
		t.Errorf("the others' purges are %d, %d; want 1, 0", hard, soft)
	}
	if hard, _ := l.purged(append(others, again...)); hard != l.number.Load() {
		t.Errorf("the purge of any of them is %d, want the last, %d", hard, l.number.Load())
	}
}

func TestLogOrder(t *testing.T) {
	l := newLog()
	a, b := []string{"a"}, []string{"b"}
	l.purge(hashesOf(a), false, false) // 1
	l.purge(hashesOf(a), false, true)  // 2
	l.purge(hashesOf(b), false, true)  // 3
	for _, tt := range []struct {
		name       string
		tags       []string
		hard, soft uint64
	}{{"a", a, 1, 2}, {"b", b, 0, 3}, {"both", append(a, b...), 1, 3}, {"none", nil, 0, 0}} {
		if hard, soft := l.purged(tt.tags); hard != tt.hard || soft != tt.soft {
			t.Errorf("%s: %d, %d; want %d, %d", tt.name, hard, soft, tt.hard, tt.soft)
		}
	}
	l.purge(nil, true, true)          // 4
	l.purge(hashesOf(b), true, false) // 5: all, and a tag
	l.purge(nil, false, true)         // 6: of nothing
	for _, tags := range [][]string{a, b, nil} {
		if hard, soft := l.purged(tags); hard != 5 || soft != 4 {
			t.Errorf("after purges of all: %d, %d; want 5, 4", hard, soft)
		}
	}
}
