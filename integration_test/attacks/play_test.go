package attacks

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// play runs the attack in one setting.
func (a *attack) play(t *testing.T, g setting) {
	switch {
	case a.once != nil:
		clients := 1
		if g.parallel {
			clients = crowd
		}
		a.once(t, a.open(t, g), clients)
	case a.flow != nil && g.parallel:
		s := a.open(t, g)
		atOnce(crowd, func(id int) { a.flow(t, s, id) })
	case a.flow != nil:
		s := a.open(t, g)
		for id := range 3 {
			a.flow(t, s, id)
		}
	default:
		a.compare(t, g)
	}
}

// atOnce calls f n times at the same time.
func atOnce(n int, f func(id int)) {
	var ready, done sync.WaitGroup
	ready.Add(1)
	for id := range n {
		done.Go(func() {
			ready.Wait()
			f(id)
		})
	}
	ready.Done()
	done.Wait()
}

// compare sends the requests to the site with a cache, in several orders, and
// compares each answer with the one from the site without.
func (a *attack) compare(t *testing.T, g setting) {
	want := make([]*answer, len(a.requests))
	bare := a.bare(t, g)
	for i, r := range a.requests {
		got, err := bare.send(r)
		if err != nil {
			t.Fatalf("without a cache: %s: %v", r.name(), err)
		}
		want[i] = got
	}
	orders := [][]int{nil}
	for i := range a.requests {
		orders[0] = append(orders[0], i)
	}
	if !g.parallel { // the victims come first, too
		back := slices.Clone(orders[0])
		slices.Reverse(back)
		orders = append(orders, back)
	}
	for _, order := range orders {
		s := a.open(t, g)
		if g.parallel {
			atOnce(crowd, func(id int) { // each begins with another request
				n := len(order)
				for i := range min(n, 3) {
					a.check(t, s, order[(id+i)%n], want)
				}
			})
		}
		for _, i := range order {
			a.check(t, s, i, want)
		}
		for _, i := range order {
			if got := a.check(t, s, i, want); a.stored && !a.requests[i].free && got.xCache() != "HIT" {
				t.Errorf("not stored, which makes the attack an empty one: %s\n%v", a.requests[i].name(), got)
			}
		}
	}
}

func (a *attack) check(t *testing.T, s *site, i int, want []*answer) *answer {
	r := a.requests[i]
	got := s.ask(t, r)
	switch {
	case r.free:
	case !got.same(want[i]):
		t.Errorf("%s\ngot  %v\nwant %v", r.name(), got, want[i])
	case a.unstored && got.fromCache():
		t.Errorf("answered from the cache: %s\n%v", r.name(), got)
	}
	return got
}

// until waits until ok says so, and tells whether it has within limit.
func until(limit time.Duration, ok func() bool) bool {
	for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(began) > limit {
			return false
		}
	}
	return true
}
