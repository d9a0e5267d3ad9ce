package forms

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// budgeted is a Store of which only the budget is asked.
type budgeted struct {
	store.Store
	budget int64
}

func (b budgeted) LocalSize() store.LocalSize { return store.LocalSize{Budget: b.budget} }

func TestBoundIsAPartOfTheStore(t *testing.T) {
	for _, c := range []struct {
		st   store.Store
		want int
	}{{nil, 4 << 20}, {budgeted{}, 4 << 20}, {budgeted{budget: 64 << 20}, 4 << 20}, {budgeted{budget: 1 << 30}, 64 << 20}} {
		if got := Bound(c.st); got != c.want {
			t.Errorf("%+v: %d, want %d", c.st, got, c.want)
		}
	}
}

// keeper keeps all items for ever.
type keeper struct{}

func (keeper) Current(*store.Item, time.Duration) bool { return true }

func ready[T any](fs *Forms[T], it *store.Item) bool {
	kept, v := fs.Ready(it.Keep(keeper{}), 0)
	return kept == it && v != nil
}

// Forms that are ready are bounded in bytes, whatever number of items is asked for;
// what is asked for again becomes ready again.
func TestReadyFormsAreBounded(t *testing.T) {
	const size, bound, after = 1000 - Place, 100_000, 4
	fs := &Forms[string]{
		Decode: func(it *store.Item) (*string, error) { s := string(it.Body); return &s, nil },
		Size:   func(*string) int { return size },
		Bound:  bound,
		After:  after,
	}
	items := make([]*store.Item, 300)
	ask := func(it *store.Item, times int) {
		for range times {
			if s, err := fs.Decoded(it); err != nil || *s != "body" {
				t.Fatalf("decoded to %v, %v", s, err)
			}
		}
	}
	for i := range items {
		items[i] = &store.Item{Body: []byte("body")}
		ask(items[i], after-1)
		if ready(fs, items[i]) {
			t.Fatalf("ready when it was asked for %d times", after-1)
		}
		ask(items[i], 1)
		if !ready(fs, items[i]) {
			t.Fatalf("not ready when it was asked for %d times", after)
		}
	}
	bytes := 0
	for _, it := range items {
		if ready(fs, it) {
			bytes += size + Place
		}
	}
	if bytes != bound || fs.bytes != bytes {
		t.Errorf("%d bytes are ready, counted as %d; want %d", bytes, fs.bytes, bound)
	}
	if ready(fs, items[0]) {
		t.Error("the oldest is ready")
	}
	ask(items[0], after)
	if !ready(fs, items[0]) {
		t.Error("not ready again")
	}
	if n := testing.AllocsPerRun(100, func() { ask(items[0], 1) }); n != 0 {
		t.Errorf("what is ready costs %v allocations", n)
	}
	runtime.KeepAlive(items)
}

func TestWhatIsTooLargeOrBrokenIsNotRemembered(t *testing.T) {
	broken := errors.New("broken")
	n := 0
	fs := &Forms[int]{
		Decode: func(it *store.Item) (*int, error) {
			n++
			if len(it.Body) == 0 {
				return nil, broken
			}
			return new(int), nil
		},
		Size: func(*int) int { return 1000 }, Bound: 10_000, After: 1,
	}
	none, large := &store.Item{}, &store.Item{Body: []byte("x")}
	for range 3 {
		if _, err := fs.Decoded(none); !errors.Is(err, broken) {
			t.Error(err)
		}
		if _, err := fs.Decoded(large); err != nil {
			t.Error(err)
		}
	}
	if n != 6 || ready(fs, none) || ready(fs, large) {
		t.Errorf("decoded %d times", n)
	}
}
