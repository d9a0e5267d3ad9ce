package store_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reprise-go/reprise/store"
)

type number struct{ n int }

var decodes atomic.Int64

func decodeNumber(it *store.Item) (*number, error) {
	decodes.Add(1)
	n, err := strconv.Atoi(string(it.Meta))
	return &number{n}, err
}

func TestDecodedIsRemembered(t *testing.T) {
	it := &store.Item{Meta: []byte("42")}
	before := decodes.Load()
	first, err := store.Decoded(it, decodeNumber)
	if err != nil || first.n != 42 {
		t.Fatalf("Decoded = %v, %v", first, err)
	}
	second, err := store.Decoded(it, decodeNumber)
	if err != nil || second != first {
		t.Errorf("the second time: %p, %v; want %p", second, err, first)
	}
	if n := decodes.Load() - before; n != 1 {
		t.Errorf("decoded %d times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = store.Decoded(it, decodeNumber) }); n != 0 {
		t.Errorf("a remembered value costs %v allocations", n)
	}
}

func TestDecodedForgetsErrors(t *testing.T) {
	it := &store.Item{Meta: []byte("x")}
	for range 2 {
		v, err := store.Decoded(it, decodeNumber)
		if v != nil || !errors.Is(err, strconv.ErrSyntax) {
			t.Errorf("Decoded = %v, %v; want the error of decode", v, err)
		}
	}
	// The error was of that decode, not of the item.
	v, err := store.Decoded(it, func(*store.Item) (*number, error) { return &number{7}, nil })
	if err != nil || v.n != 7 {
		t.Errorf("Decoded after an error = %v, %v", v, err)
	}
}

func TestDecodedAtOnce(t *testing.T) {
	it := &store.Item{Meta: []byte("42")}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if v, err := store.Decoded(it, decodeNumber); err != nil || v.n != 42 {
					t.Errorf("Decoded = %v, %v", v, err)
					return
				}
			}
		})
	}
	all.Wait()
	first, _ := store.Decoded(it, decodeNumber)
	if second, _ := store.Decoded(it, decodeNumber); second != first {
		t.Errorf("no result was kept")
	}
}

func TestAdmit(t *testing.T) {
	one, two, mark, later := store.NewStamp(), store.NewStamp(), store.NewStamp(), store.NewStamp()
	for _, tt := range []struct {
		name           string
		base, variant  *store.Item
		admitted, soft bool
	}{
		{"its base", &store.Item{Stamp: one}, &store.Item{Kin: &store.Kin{Of: one}}, true, false},
		{"another base", &store.Item{Stamp: two}, &store.Item{Kin: &store.Kin{Of: one}}, false, false},
		{"another base, marked", &store.Item{Stamp: two, Kin: &store.Kin{Mark: mark}}, &store.Item{Kin: &store.Kin{Of: one}}, false, false},
		{"base marked since", &store.Item{Stamp: one, Kin: &store.Kin{Mark: mark}}, &store.Item{Kin: &store.Kin{Of: one}}, true, true},
		{"base marked before", &store.Item{Stamp: one, Kin: &store.Kin{Mark: mark}}, &store.Item{Kin: &store.Kin{Of: one, Mark: mark}}, true, false},
		{"base marked before and since", &store.Item{Stamp: one, Kin: &store.Kin{Mark: later}}, &store.Item{Kin: &store.Kin{Of: one, Mark: mark}}, true, true},
	} {
		if got := store.Admit(tt.base, tt.variant); got != tt.admitted || tt.variant.Soft() != tt.soft || tt.base.Soft() {
			t.Errorf("%s: Admit = %v, soft: %v, base soft: %v; want %v, %v, false", tt.name, got, tt.variant.Soft(), tt.base.Soft(), tt.admitted, tt.soft)
		}
	}
	// What is soft stays so.
	v := &store.Item{Kin: &store.Kin{Of: one}}
	v.Soften()
	if !store.Admit(&store.Item{Stamp: one}, v) || !v.Soft() {
		t.Errorf("a soft variant became fresh")
	}
}

func TestNewStamp(t *testing.T) {
	seen := map[store.Stamp]bool{{}: true}
	var low, high store.Stamp // all bits that were ever 0, and 1
	for range 10_000 {
		s := store.NewStamp()
		if seen[s] {
			t.Fatalf("stamp %x repeats, or is zero", s)
		}
		seen[s] = true
		for i, b := range s {
			low[i] |= ^b
			high[i] |= b
		}
	}
	for i := range low {
		if low[i]&high[i] != 0xff {
			t.Errorf("byte %d has bits that never change: %08b", i, ^(low[i] & high[i]))
		}
	}
}

func TestResultsOfOperations(t *testing.T) {
	for err, want := range map[error]string{
		nil: "ok", store.ErrNotFound: "miss", store.ErrHeld: "held", store.ErrChanged: "changed",
		store.ErrOvertaken: "overtaken", context.Canceled: "",
	} {
		if got := store.Result(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestVerifiedAndSoftAreApart(t *testing.T) {
	it := new(store.Item)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range uint64(1000) {
				it.Verify(n)
			}
		})
	}
	all.Go(it.Soften)
	all.Go(func() { _, _ = store.Decoded(it, func(*store.Item) (*number, error) { return &number{1}, nil }) })
	all.Wait()
	if n := it.Verified(); n != 999 || !it.Soft() {
		t.Errorf("verified at %d, soft: %v", n, it.Soft())
	}
	if v, err := store.Decoded(it, decodeNumber); err != nil || v.n != 1 {
		t.Errorf("Decoded = %v, %v", v, err)
	}
}

// Two callers that store different things under one key must not bring each other down.
func TestAnItemOfAnotherType(t *testing.T) {
	it := &store.Item{Meta: []byte("42")}
	if _, err := store.Decoded(it, decodeNumber); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		v, err := store.Decoded(it, func(*store.Item) (*string, error) { s := "text"; return &s, nil })
		if err != nil || *v != "text" {
			t.Errorf("Decoded = %v, %v", v, err)
		}
	}
}
