package known

import (
	"context"
	"errors"
	"hash/maphash"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

type question struct {
	name   string
	answer bool
}

func (q *question) isWellKnown() bool { return q.answer }

// A thousand that are asked in turn must not take each other's places, and those
// that are asked once not the places of the well known.
func TestAThousandAreRemembered(t *testing.T) {
	table, seed := NewTable[question](), maphash.MakeSeed()
	at := func(name string) (*Set[question], uint32) { return table.Set(maphash.String(seed, name)) }
	ask := func(name string, answer bool) {
		set, tag := at(name)
		set.Add(&question{name, answer}, tag, (*question).isWellKnown)
	}
	remembered := func() (n int) {
		for i := range 1000 {
			name := strconv.Itoa(i)
			set, tag := at(name)
			for q := range set.With(tag) {
				if q.name == name {
					n++
					break
				}
			}
		}
		return n
	}
	for i := range 1000 {
		ask(strconv.Itoa(i), true)
	}
	if n := remembered(); n < 980 {
		t.Errorf("%d of 1,000 are remembered", n)
	}
	for i := range 20_000 {
		ask("once "+strconv.Itoa(i), false)
	}
	if n := remembered(); n < 950 {
		t.Errorf("%d of 1,000 are remembered after a scan", n)
	}
}

// An answer leads to the item for as long as the store would return it.
func TestAnAnswerIsWhatTheStoreHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		st, err := memstore.New(memstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		put := func() *store.Item {
			lease, err := st.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Second, Steal: true})
			if err == nil {
				err = lease.Commit(ctx, store.Entry{Body: []byte("x"), Life: time.Minute})
			}
			if err != nil {
				t.Fatal(err)
			}
			it, err := st.Get(ctx, "k")
			if err != nil {
				t.Fatal(err)
			}
			return it
		}
		for name, end := range map[string]func(){
			"purge": func() { _, err = st.Purge(ctx, store.Purge{Keys: []string{"k"}}) },
			"age":   func() { time.Sleep(time.Minute) },
		} {
			it, a := put(), new(Answer)
			for n := range uint32(After) {
				if a.WellKnown() || a.Ref().Get(store.Monotonic()) != nil {
					t.Errorf("%s: known after %d hits", name, n)
				}
				a.Hit(it, st, After)
			}
			if a.Ref().Get(store.Monotonic()) != it {
				t.Errorf("%s: %d hits and not known", name, After)
			}
			end()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Get(ctx, "k"); !errors.Is(err, store.ErrNotFound) || a.Ref().Get(store.Monotonic()) != nil {
				t.Errorf("%s: %v, and the answer is %v", name, err, a.Ref().Get(store.Monotonic()))
			}
		}
	})
}

// A wrapping store that leads to no items is asked each time, though what it wraps leads
// to them for somebody else.
func TestAWrappingStoreIsAsked(t *testing.T) {
	ctx := context.Background()
	inner, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := inner.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Second})
	if err == nil {
		err = lease.Commit(ctx, store.Entry{Body: []byte("x"), Life: time.Minute})
	}
	if err != nil {
		t.Fatal(err)
	}
	it, err := inner.Get(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	var direct, wrapped Answer
	direct.Hit(it, inner, 1)
	wrapped.Hit(it, struct{ store.Store }{inner}, 1)
	if direct.Ref().Get(store.Monotonic()) != it || wrapped.WellKnown() {
		t.Errorf("leads to it: the store %v, what wraps it %v", direct.WellKnown(), wrapped.WellKnown())
	}
}
