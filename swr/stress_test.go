package swr_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A strain is one run of readers against a writer who purges, on two Groups
// that share a shelf, as two processes do. Times pass in the bubble only, in
// random pieces, so that every step may fall between any two others.
type strain struct {
	*place
	rand func(d time.Duration) time.Duration

	truth   atomic.Int64 // the newest version there is
	purged  atomic.Int64 // the newest whose purge has returned
	over    atomic.Bool
	loads   atomic.Int64
	stale   atomic.Int64 // loads that began after a purge and got what was older
	seen    [swr.NumOutcomes]atomic.Int64
	mistake string // which guard is off; "": none
}

const strainKey = "k"

// hasty makes what is rare happen often.
func hasty(o *swr.Options) {
	o.PassFor, o.WaitTimeout, o.Trust = 2*time.Millisecond, 10*time.Millisecond, 3*time.Millisecond
}

func newStrain(t *testing.T, seed uint64, mistake string) *strain {
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 0))
	s := &strain{place: newPlace(t, hasty), mistake: mistake}
	s.rand = func(d time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(rnd.Int64N(int64(d)))
	}
	// The store's answers take their time on both ways.
	s.before = func(*lease) { s.pause(time.Millisecond) }
	s.after = func(*lease) { s.pause(time.Millisecond) }
	switch mistake {
	case "overtaken commits count": // as if followers did not ask for the verdict
		s.verdict = func(_ *lease, err error) error {
			if errors.Is(err, store.ErrOvertaken) {
				return nil
			}
			return err
		}
	case "commit before seal": // Fill commits, and the engine's Commit only hears of it
		s.before, s.after = nil, nil
		s.verdict = func(l *lease, err error) error {
			s.shelf.mu.Lock()
			defer s.shelf.mu.Unlock()
			if l.told {
				return l.said
			}
			return err
		}
	}
	return s
}

func (s *strain) pause(d time.Duration) { time.Sleep(s.rand(d)) }

// fill reads the truth, and takes its time.
func (s *strain) fill(_ context.Context, run *swr.Run, _ string) (made, error) {
	v := strconv.FormatInt(s.truth.Load(), 10)
	s.shelf.mu.Lock()
	l := s.leases[store.Slot{Key: strainKey}]
	s.shelf.mu.Unlock()
	s.pause(4 * time.Millisecond)
	switch s.rand(20) {
	case 0:
		return made{Value: v}, errors.New("503")
	case 1:
		run.Alone(true, nil)
		return made{Value: v}, nil
	case 2:
		return made{Value: v}, nil
	}
	m := keep(v)
	if s.mistake == "commit before seal" && l != nil && !run.Solo() {
		err := l.Commit(context.Background(), m.Keep...)
		s.set(func() { l.told, l.said = true, err })
		s.pause(time.Millisecond)
	}
	return m, nil
}

func (s *strain) write(rounds int) {
	for range rounds {
		s.pause(5 * time.Millisecond)
		v := s.truth.Add(1)
		s.pause(time.Millisecond)
		s.purge(strainKey)
		s.purged.Store(v)
	}
	s.over.Store(true)
}

func (s *strain) read(g *swr.Group[string]) {
	for !s.over.Load() {
		s.pause(2 * time.Millisecond)
		c := &caller{shelf: s.shelf, key: strainKey, fill: s.fill}
		asked := s.purged.Load()
		switch s.rand(4) { // this caller's rules
		case 0:
			c.is = stale(strconv.FormatInt(asked, 10))
		case 1:
			c.is = fallback(strconv.FormatInt(asked, 10))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond+s.rand(50*time.Millisecond))
		v, o, _ := g.Load(ctx, c)
		cancel()
		if v == "" {
			continue // its own deadline
		}
		s.loads.Add(1)
		s.seen[o].Add(1)
		if got, err := strconv.ParseInt(v, 10, 64); err != nil || got < asked {
			s.stale.Add(1)
		}
	}
}

// trouble takes the store down now and then.
func (s *strain) trouble() {
	for !s.over.Load() {
		s.pause(200 * time.Millisecond)
		s.set(func() { s.down = true })
		s.pause(20 * time.Millisecond)
		s.set(func() { s.down = false })
	}
}

func (s *strain) run(rounds int) {
	var wg sync.WaitGroup
	groups := []*swr.Group[string]{s.g, s.group(hasty)}
	for i := range 16 {
		wg.Go(func() { s.read(groups[i%2]) })
	}
	wg.Go(func() { s.trouble() })
	wg.Go(func() { s.write(rounds) })
	wg.Wait()
	for _, g := range groups {
		if err := g.Close(context.Background()); err != nil {
			s.t.Error(err)
		}
	}
	synctest.Wait()
}

func TestG1NothingMadeBeforeAPurgeIsServedToWhoComesAfterIt(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		s := newStrain(t, seed, "")
		s.run(3000)
		if n := s.stale.Load(); n != 0 {
			t.Errorf("%d of %d loads got what was older than a purge", n, s.loads.Load())
		}
		if s.held() != 0 {
			t.Errorf("%d leases are left", s.held())
		}
		for o := range swr.Bypass { // it strained every way there is
			if n := s.seen[o].Load(); n == 0 && o != swr.Revalidated {
				t.Errorf("nobody saw %q", o)
			}
		}
		if s.ends(store.ErrOvertaken) == 0 || s.failures("acquire") == 0 {
			t.Error("no fill was overtaken, or the store was never down")
		}
	})
}

// The test above would tell: it fails where a guard is off.
func TestTheStrainOfG1CatchesWhatItIsFor(t *testing.T) {
	for _, mistake := range []string{"overtaken commits count", "commit before seal"} {
		t.Run(mistake, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStrain(t, 1, mistake)
				s.run(1000)
				t.Logf("%d of %d loads were stale", s.stale.Load(), s.loads.Load())
				if s.stale.Load() == 0 {
					t.Error("no stale load")
				}
			})
		})
	}
}
