package swr

import (
	"context"
	"slices"
	"sync"

	"github.com/reprise-go/reprise/store"
)

// A Result is what Load returns, for one of many.
type Result[V any] struct {
	Value   V
	Outcome Outcome
	Err     error
}

// LoadMany is Load for several sources, of different slots, of one caller. Those
// that are to be filled are filled at the same time: gather is told, once and
// before the first Fill, which those are, as indexes of srcs, so that one run can
// bring what all their Fills return. Left out are those that somebody else is
// filling: they are waited for, and filled one by one if nothing comes of that. A
// panic of a Lookup or a Fill reaches the caller when all have ended.
func (g *Group[V]) LoadMany(ctx context.Context, srcs []Source[V], gather func(leading []int)) []Result[V] {
	b := &bundle[V]{g: g, srcs: srcs, results: make([]Result[V], len(srcs)), gather: gather, places: make(places, maxPlaces)}
	b.start(ctx)
	b.loads.Wait()
	if b.panicked != nil {
		panic(b.panicked)
	}
	return b.results
}

// A bundle is one call of LoadMany.
type bundle[V any] struct {
	g       *Group[V]
	srcs    []Source[V]
	results []Result[V]

	loads  sync.WaitGroup
	asked  sync.WaitGroup // those of which it is not known yet whether they lead
	gather func([]int)
	once   sync.Once
	places places

	mu       sync.Mutex
	leading  []int
	panicked any
}

// maxPlaces is how many leases one bundle asks for at the same time, and how many
// values it has stored. A store gives each call little time, and thousands that come
// at once would keep each other from being answered within it.
const maxPlaces = 64

// places are taken for the time of a call of the store.
type places chan struct{}

func (p places) take() (leave func()) {
	p <- struct{}{}
	return func() { <-p }
}

// placed is a lease whose Commit waits for a place.
type placed struct {
	store.Lease
	places places
}

// Commit is of store.Lease.
func (p placed) Commit(ctx context.Context, entries ...store.Entry) error {
	defer p.places.take()()
	return p.Lease.Commit(ctx, entries...)
}

// acquire is Group.acquire, as soon as there is a place.
func (b *bundle[V]) acquire(ctx context.Context, f *flight[V], claim store.Claim) store.Lease {
	defer b.places.take()()
	lease, _ := b.g.acquire(ctx, f, claim)
	if lease == nil {
		return nil
	}
	return placed{lease, b.places}
}

// start looks at all of srcs and has those loaded that are not fresh. A panic of a
// look must not leave those that have begun waiting for the rest.
func (b *bundle[V]) start(ctx context.Context) {
	b.asked.Add(1) // it must not be known before all have been asked
	defer b.asked.Done()
	defer b.caught()
	for i, src := range b.srcs {
		v, st := b.g.Peek(ctx, src)
		if st == Fresh {
			b.results[i] = Result[V]{v, Hit, nil}
			continue
		}
		b.asked.Add(1)
		b.loads.Go(func() {
			defer b.caught()
			b.load(ctx, i, v, st)
		})
	}
}

// load brings the result of srcs[i], which is not fresh.
func (b *bundle[V]) load(ctx context.Context, i int, v V, st State) {
	g, src := b.g, b.srcs[i]
	asked := sync.OnceFunc(b.asked.Done)
	defer asked()
	fillable := (st == Absent || st == Fallback) && ctx.Err() == nil
	if fillable && g.passing(src.Claim().Slot) {
		b.leads(i, asked)
		b.results[i] = result(g.fillAlone(ctx, src, v, g.Passing(src.Claim().Slot)))
		return
	}
	if fillable {
		if f, role := g.join(src.Claim().Slot, false); role != leader {
			g.leave(f, role)
		} else if lease := b.acquire(ctx, f, src.Claim()); lease == nil {
			g.drop(f, lookAgain)
		} else {
			b.leads(i, asked)
			a := g.leadUnder(ctx, src, f, lease, v)
			b.results[i] = Result[V]{a.value, a.outcome, a.err}
			return
		}
		asked()
		v, st = g.Peek(ctx, src)
	}
	asked()
	b.results[i] = result(g.load(ctx, src, v, st))
}

func result[V any](v V, o Outcome, err error) Result[V] { return Result[V]{v, o, err} }

// leads says that srcs[i] is about to be filled, and waits until it is known
// which others are.
func (b *bundle[V]) leads(i int, asked func()) {
	b.mu.Lock()
	b.leading = append(b.leading, i)
	b.mu.Unlock()
	asked()
	b.asked.Wait()
	b.once.Do(func() {
		slices.Sort(b.leading)
		b.gather(b.leading)
	})
}

// caught keeps the first panic for the caller.
func (b *bundle[V]) caught() {
	p := recover()
	if p == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.panicked == nil {
		b.panicked = p
	}
}
