package swr_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	made = swr.Made[string]
	fill = func(ctx context.Context, run *swr.Run, old string) (made, error)
)

// A caller is a Source of strings, of which "" is none. A base entry whose Meta
// is "record" sends it to its variant.
type caller struct {
	shelf   *shelf // nil: nothing is ever found
	key     string
	variant string
	is      map[string]swr.State // of values; others are Fresh, and "" Absent
	fill    fill
	detach  func(context.Context) (context.Context, swr.Source[string])
	looked  func() // after each look-up

	slot       store.Slot
	base, seen *store.Item
}

func (c *caller) Lookup(ctx context.Context) (string, error) {
	c.slot, c.base, c.seen = store.Slot{Key: c.key}, nil, nil
	if c.shelf == nil {
		return "", store.ErrNotFound
	}
	if c.looked != nil {
		defer c.looked()
	}
	it, err := c.shelf.Get(ctx, c.key)
	if err != nil {
		return "", err
	}
	c.base = it
	if string(it.Meta) == "record" {
		c.slot.Variant = c.variant
		if it, err = c.shelf.Variant(ctx, c.base, c.variant); err != nil {
			return "", err
		}
		c.seen = it
	}
	v, err := store.Decoded(it, body)
	if err != nil {
		return "", err
	}
	return *v, nil
}

func body(it *store.Item) (*string, error) {
	v := string(it.Body)
	return &v, nil
}

func (c *caller) State(v string) swr.State {
	if st, ok := c.is[v]; ok {
		return st
	}
	if v == "" {
		return swr.Absent
	}
	return swr.Fresh
}

func (c *caller) Claim() store.Claim {
	return store.Claim{Slot: c.slot, Base: c.base, Seen: c.seen}
}

func (c *caller) Fill(ctx context.Context, run *swr.Run, old string) (made, error) {
	return c.fill(ctx, run, old)
}

func (c *caller) Detach(ctx context.Context) (context.Context, swr.Source[string]) {
	if c.detach != nil {
		return c.detach(ctx)
	}
	d := *c
	return context.WithoutCancel(ctx), &d
}

// keep is a result for everyone, to be stored.
func keep(v string) made {
	return made{Value: v, Keep: []store.Entry{{Body: []byte(v), Life: time.Hour}}, Shared: true}
}

// stale says that a caller finds v stale; and so on.
func stale(v string) map[string]swr.State    { return map[string]swr.State{v: swr.Stale} }
func fallback(v string) map[string]swr.State { return map[string]swr.State{v: swr.Fallback} }
func alone() map[string]swr.State            { return map[string]swr.State{"": swr.Alone} }

// A place is a shelf, a Group on it, and what its Observer saw.
type place struct {
	t *testing.T
	*shelf
	*watcher
	g    *swr.Group[string]
	runs atomic.Int64 // of fills made by counted
}

func newPlace(t *testing.T, change ...func(*swr.Options)) *place {
	p := &place{t: t, shelf: newShelf(), watcher: &watcher{}}
	p.g = p.group(change...)
	t.Cleanup(func() {
		p.watcher.mu.Lock()
		defer p.watcher.mu.Unlock()
		if p.flying != 0 {
			t.Errorf("%d flights are left", p.flying)
		}
	})
	return p
}

// group returns another Group on the same shelf, as another process has it.
func (p *place) group(change ...func(*swr.Options)) *swr.Group[string] {
	o := swr.Options{Leases: p.shelf, Observe: p.watcher}
	for _, c := range change {
		c(&o)
	}
	return swr.NewGroup[string](o)
}

// bubble runs test in a synctest bubble, and sees to it that nothing is left
// flying or leased when all is still.
func bubble(t *testing.T, test func(t *testing.T, p *place), change ...func(*swr.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, change...)
		test(t, p)
		synctest.Wait()
		if n := p.held(); n != 0 {
			t.Errorf("%d leases are left", n)
		}
	})
}

// caller returns one for key "k" who fills by fill.
func (p *place) caller(fill fill) *caller {
	return &caller{shelf: p.shelf, key: "k", fill: fill}
}

// counted counts the runs of f. With a nil f a run takes a second and brings
// "new".
func (p *place) counted(f fill) fill {
	return func(ctx context.Context, run *swr.Run, old string) (made, error) {
		p.runs.Add(1)
		if f == nil {
			time.Sleep(time.Second)
			return keep("new"), nil
		}
		return f(ctx, run, old)
	}
}

func (p *place) wantRuns(n int64) {
	p.t.Helper()
	if got := p.runs.Load(); got != n {
		p.t.Errorf("%d runs, want %d", got, n)
	}
}

// A result is what Load brought, how long it took, and what it panicked with.
type result struct {
	value    string
	outcome  swr.Outcome
	err      error
	took     time.Duration
	panicked any
}

func (p *place) load(c *caller) result { return load(context.Background(), p.g, c) }

func load(ctx context.Context, g *swr.Group[string], c *caller) (r result) {
	began := time.Now()
	defer func() {
		r.took = time.Since(began)
		r.panicked = recover()
	}()
	r.value, r.outcome, r.err = g.Load(ctx, c)
	return r
}

// start loads behind the test, and returns what to wait for.
func (p *place) start(ctx context.Context, c *caller) <-chan result {
	done := make(chan result, 1)
	go func() { done <- load(ctx, p.g, c) }()
	return done
}

// crowd loads n times at once.
func (p *place) crowd(n int, c func(i int) *caller) []result {
	rs := make([]result, n)
	var wg sync.WaitGroup
	for i := range rs {
		wg.Go(func() { rs[i] = p.load(c(i)) })
	}
	wg.Wait()
	return rs
}

// outcomes counts rs by outcome, of those without an error or a panic.
func outcomes(rs []result) map[swr.Outcome]int {
	n := make(map[swr.Outcome]int)
	for _, r := range rs {
		if r.err == nil && r.panicked == nil {
			n[r.outcome]++
		}
	}
	return n
}

func longest(rs []result) (d time.Duration) {
	for _, r := range rs {
		d = max(d, r.took)
	}
	return d
}

func (r result) want(t *testing.T, value string, o swr.Outcome) {
	t.Helper()
	if r.value != value || r.outcome != o || r.err != nil || r.panicked != nil {
		t.Errorf("got %q, %v, error %v, panic %v; want %q, %v", r.value, r.outcome, r.err, r.panicked, value, o)
	}
}
