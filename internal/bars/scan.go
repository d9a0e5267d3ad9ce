package main

import (
	"container/list"
	"fmt"
	"math/rand/v2"
	"sort"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
)

// scan asks for pages by Zipf's law, and then for a million pages besides that
// nobody asks for again. The hit ratio of the first must not suffer, and be above
// that of an LRU of the same size.
func scan(b *bench) error {
	const (
		pages    = 200_000
		requests = 1_000_000
		size     = 1 << 10
	)
	st, err := newMemory(budget)
	if err != nil {
		return err
	}
	p := newPage(size)
	h, err := p.cached(st, reprise.Policy{})
	if err != nil {
		return err
	}
	w, r := measure.NewWriter(), get("/")()
	ask := func(target string) (hit bool) {
		w.Reset()
		r.RequestURI, r.URL.Path = target, target
		h.ServeHTTP(w, r)
		return w.Header()["X-Cache"][0] == "HIT"
	}
	trace := func(use func(string) bool) (before, during float64) {
		law, random := zipf(pages), rand.New(rand.NewPCG(1, 2))
		var hits [3]int
		for phase := range hits { // the first one fills the cache
			for i := range requests {
				if use(fmt.Sprint("/page/", law(random))) {
					hits[phase]++
				}
				if phase == 2 {
					use(fmt.Sprint("/once/", i))
				}
			}
		}
		return percent(hits[1], requests), percent(hits[2], requests)
	}
	before, during := trace(ask)
	room := int(st.LocalSize().Entries)
	_, lru := trace(newLRU(room).use)
	b.print(row{
		what: "hit ratio while a million pages are asked for once", measured: fmt.Sprintf("%.1f %%", during), beside: fmt.Sprintf("%.1f %% before", before),
		ratio: fmt.Sprintf("− %.1f points", before-during), bar: "≤ 5 points", met: before-during <= 5,
	})
	b.print(row{
		what: fmt.Sprintf("the same, beside an LRU of %d entries", room), measured: fmt.Sprintf("%.1f %%", during), beside: fmt.Sprintf("%.1f %%", lru),
		ratio: fmt.Sprintf("%+.1f points", during-lru), bar: "above", met: during > lru,
	})
	return nil
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(of) }

// zipf draws numbers below n: the probability of i is in proportion to 1/(i+1).
func zipf(n int) func(*rand.Rand) int {
	sums := make([]float64, n)
	sum := 0.0
	for i := range sums {
		sum += 1 / float64(i+1)
		sums[i] = sum
	}
	return func(r *rand.Rand) int { return sort.SearchFloat64s(sums, r.Float64()*sum) }
}

// An lru is a cache that drops what was used longest ago.
type lru struct {
	room  int
	order *list.List
	of    map[string]*list.Element
}

func newLRU(room int) *lru { return &lru{room, list.New(), make(map[string]*list.Element)} }

func (l *lru) use(key string) (hit bool) {
	if e := l.of[key]; e != nil {
		l.order.MoveToFront(e)
		return true
	}
	if l.order.Len() >= l.room {
		last := l.order.Back()
		delete(l.of, last.Value.(string))
		l.order.Remove(last)
	}
	l.of[key] = l.order.PushFront(key)
	return false
}
