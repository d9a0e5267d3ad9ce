package swr_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// apart is a caller who finds nothing for him, and fills for himself alone.
func (p *place) apart(f fill) *caller {
	c := p.caller(f)
	c.is = map[string]swr.State{"": swr.Apart, "part": swr.Apart}
	return c
}

// part brings "part" after d, for its caller alone but to be stored.
func part(d time.Duration) fill {
	return func(context.Context, *swr.Run, string) (made, error) {
		time.Sleep(d)
		m := keep("part")
		m.Shared = false
		return m, nil
	}
}

func TestWhatAFillApartBringsIsStored(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.apart(part(time.Second))).want(t, "part", swr.Miss)
		p.load(p.caller(nil)).want(t, "part", swr.Hit)
	})
}

func TestAFillForAllDoesNotWaitForOneApartAndOvertakesIt(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		narrow := p.apart(part(10 * time.Second))
		first := p.start(context.Background(), narrow)
		synctest.Wait()
		rs := p.crowd(20, func(int) *caller { return p.caller(p.counted(nil)) })
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 19 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		p.wantRuns(1)
		(<-first).want(t, "part", swr.Miss)
		p.load(p.caller(nil)).want(t, "new", swr.Hit)
		if n := p.ends(store.ErrOvertaken); n != 1 {
			t.Errorf("%d fills were overtaken", n)
		}
	})
}

func TestFillsApartRunSideBySide(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		rs := p.crowd(20, func(int) *caller { return p.apart(p.counted(part(time.Second))) })
		if n := outcomes(rs); n[swr.Miss] != 20 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		p.wantRuns(20)
		p.load(p.caller(nil)).want(t, "part", swr.Hit) // the first one's
	})
}

func TestAFillApartWaitsForNobody(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		for _, g := range []*swr.Group[string]{p.g, p.group()} { // here and in another process
			whole := p.start(context.Background(), p.caller(p.counted(nil)))
			synctest.Wait()
			r := load(context.Background(), g, p.apart(part(time.Millisecond)))
			r.want(t, "part", swr.Miss)
			if r.took != time.Millisecond {
				t.Errorf("it took %v", r.took)
			}
			(<-whole).want(t, "new", swr.Miss)
			p.load(p.caller(nil)).want(t, "new", swr.Hit)
			p.purge("k")
		}
	})
}

// Nobody waits for it, so it ends with its caller, and has all the time he gives it.
func TestAFillApartIsItsCallersOwn(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.apart(part(time.Hour))).want(t, "part", swr.Miss)
		p.purge("k")
		gone := errors.New("client has gone")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, gone)
		defer cancel()
		r := load(ctx, p.g, p.apart(func(ctx context.Context, _ *swr.Run, _ string) (made, error) {
			<-ctx.Done()
			return made{}, context.Cause(ctx)
		}))
		if !errors.Is(r.err, gone) || r.took != time.Second {
			t.Errorf("got %+v", r)
		}
	})
}

// What one caller asked for himself says nothing of what others will get.
func TestAFillApartThatStoresNothingKeepsNobodyFromQueueing(t *testing.T) {
	for name, f := range map[string]fill{
		"nothing kept": func(context.Context, *swr.Run, string) (made, error) { return made{Value: "mine"}, nil },
		"alone": func(_ context.Context, run *swr.Run, _ string) (made, error) {
			run.Alone(false, nil)
			return made{Value: "mine"}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *place) {
				p.load(p.apart(f)).want(t, "mine", swr.Miss)
				rs := p.crowd(20, func(int) *caller { return p.caller(p.counted(nil)) })
				if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 19 {
					t.Errorf("%v", n)
				}
				p.wantRuns(1)
			})
		})
	}
}

func TestAPurgeOvertakesAFillApart(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		first := p.start(context.Background(), p.apart(part(time.Second)))
		synctest.Wait()
		p.purge("k")
		(<-first).want(t, "part", swr.Miss)
		p.load(p.caller(p.counted(nil))).want(t, "new", swr.Miss)
	})
}

func TestAPanicApartLeavesNothingLocked(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		r := p.load(p.apart(func(context.Context, *swr.Run, string) (made, error) { panic("broken") }))
		if r.panicked != "broken" {
			t.Errorf("got %+v", r)
		}
		p.load(p.caller(p.counted(nil))).want(t, "new", swr.Miss)
	})
}

func TestWhoWaitsTooLongTakesWhatMayStandIn(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		until := make(chan struct{})
		hung := p.caller(hang(until))
		hung.is = fallback("old")
		leader := p.start(context.Background(), hung)
		synctest.Wait()
		rs := make([]result, 20)
		var wg sync.WaitGroup
		for i := range rs {
			c := p.caller(p.counted(nil))
			c.is = fallback("old")
			wg.Go(func() { rs[i] = p.load(c) })
		}
		wg.Wait()
		if n := outcomes(rs); n[swr.Rescued] != 20 {
			t.Errorf("%v", n)
		}
		p.wantRuns(0)
		close(until)
		<-leader
	}, patient)
}

// Where another process holds the slot for one caller, those who fill for all
// wait for a moment and not for that caller.
func TestAFillForAllHardlyWaitsForOneApartInAnotherProcess(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		narrow := p.start(context.Background(), p.apart(part(time.Minute)))
		synctest.Wait()
		r := load(context.Background(), p.group(), p.caller(p.counted(nil)))
		r.want(t, "new", swr.Miss)
		if r.took != 2*time.Second { // one of them for the fill
			t.Errorf("it took %v", r.took)
		}
		(<-narrow).want(t, "part", swr.Miss)
		p.load(p.caller(nil)).want(t, "new", swr.Hit)
	})
}

// Another process may have the lease that the one apart had before a purge: that
// is a fill for all, and goes on.
func TestTakingThePlaceOfAFillApartLeavesOthersAlone(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		first := p.start(context.Background(), p.apart(part(20*time.Second)))
		synctest.Wait()
		p.purge("k")
		elsewhere := make(chan result, 1)
		g := p.group()
		go func() { elsewhere <- load(context.Background(), g, p.caller(p.counted(nil))) }()
		time.Sleep(500 * time.Millisecond)
		p.load(p.caller(p.counted(nil)))
		<-elsewhere
		p.wantRuns(1)
		<-first
	})
}

func TestARefreshTakesThePlaceOfAFillApart(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		narrow := p.apart(part(20 * time.Second))
		narrow.is["old"] = swr.Apart
		first := p.start(context.Background(), narrow)
		synctest.Wait()
		c := p.caller(p.counted(nil))
		c.is = stale("old")
		p.load(c).want(t, "old", swr.HitStale)
		time.Sleep(2 * time.Second)
		p.wantRuns(1)
		<-first
	})
}

// A refresh that does not come about has taken the place of the one apart, and
// not its lease: the next fill for all waits for that, for a moment.
func TestARefreshThatDoesNotBeginHardlyHoldsUpTheNextFill(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		narrow := p.apart(part(20 * time.Second))
		narrow.is["old"] = swr.Apart
		first := p.start(context.Background(), narrow)
		synctest.Wait()
		head := p.caller(nil)
		head.is = stale("old")
		head.detach = func(ctx context.Context) (context.Context, swr.Source[string]) { return ctx, nil }
		p.load(head).want(t, "old", swr.HitStale)
		c := p.caller(p.counted(nil))
		c.is = map[string]swr.State{"old": swr.Absent}
		if r := p.load(c); r.took > 2*time.Second {
			t.Errorf("it took %v", r.took)
		}
		<-first
	})
}
