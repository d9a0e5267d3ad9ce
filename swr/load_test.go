package swr_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

func TestAHitTakesNoMutex(t *testing.T) {
	p := newPlace(t)
	p.put("k", "v")
	p.g.Locked(func() { // where Load locked too, the test would hang
		p.load(p.caller(nil)).want(t, "v", swr.Hit)
	})
}

func TestAHitAllocatesNothing(t *testing.T) {
	p := newPlace(t)
	p.put("k", "v")
	c, ctx := p.caller(nil), context.Background()
	n := testing.AllocsPerRun(1000, func() {
		if v, o, err := p.g.Load(ctx, c); v != "v" || o != swr.Hit || err != nil {
			t.Fatalf("got %q, %v, %v", v, o, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a hit", n)
	}
}

func TestAMissFillsAndTheNextIsAHit(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.caller(p.counted(nil))
		p.load(c).want(t, "new", swr.Miss)
		p.load(c).want(t, "new", swr.Hit)
		p.wantRuns(1)
		if got := p.filled(); len(got) != 1 || got[0] != (filled{"k", time.Second, false, nil}) {
			t.Errorf("observed %+v", got)
		}
	})
}

func TestTheFillIsGivenWhatWasFound(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		c := p.caller(func(_ context.Context, _ *swr.Run, old string) (made, error) {
			if old != "old" {
				t.Errorf("old is %q", old)
			}
			m := keep("new")
			m.Confirmed = true
			return m, nil
		})
		c.is = fallback("old")
		p.load(c).want(t, "new", swr.Revalidated)
	})
}

func TestPeekFillsNothing(t *testing.T) {
	p := newPlace(t)
	c := p.caller(nil)
	if v, st := p.g.Peek(context.Background(), c); v != "" || st != swr.Absent {
		t.Errorf("got %q, %v", v, st)
	}
	p.put("k", "v")
	c.is = stale("v")
	if v, st := p.g.Peek(context.Background(), c); v != "v" || st != swr.Stale {
		t.Errorf("got %q, %v", v, st)
	}
}

func TestNothingFoundIsNoFailureOfTheStore(t *testing.T) {
	p := newPlace(t)
	c := p.caller(nil)
	p.g.Peek(context.Background(), c)
	if n := p.failures("get"); n != 0 {
		t.Errorf("%d failures", n)
	}
	p.getErr = errDown
	if _, st := p.g.Peek(context.Background(), c); st != swr.Absent || p.failures("get") != 1 {
		t.Errorf("state %v, %d failures", st, p.failures("get"))
	}
}

func TestWithoutLeasesCallersStillCollapse(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		for name, m := range map[string]made{"kept": keep("new"), "shared": {Value: "new", Shared: true}} {
			p.runs.Store(0)
			f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
				time.Sleep(time.Second)
				return m, nil
			})
			rs := p.crowd(50, func(int) *caller { return &caller{key: name, fill: f} })
			if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 49 {
				t.Errorf("%s: %v", name, n)
			}
			p.wantRuns(1)
		}
	}, func(o *swr.Options) { o.Leases = nil })
}

func TestWithoutLeasesDropIsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		drop := func(context.Context, *swr.Run, string) (made, error) { return made{Value: "x", Drop: true}, nil }
		c := &caller{key: "k", fill: drop}
		p.load(c).want(t, "x", swr.Miss)
		c.is = alone()
		p.load(c).want(t, "x", swr.Miss)
	}, func(o *swr.Options) { o.Leases, o.Observe = nil, nil })
}

func TestTheZeroOptionsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := swr.NewGroup[string](swr.Options{})
		c := &caller{key: "k", fill: func(context.Context, *swr.Run, string) (made, error) { return keep("v"), nil }}
		load(context.Background(), g, c).want(t, "v", swr.Miss)
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestACallerWhoseContextHasEndedIsNotFilledFor(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		why := errors.New("went away")
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(why)
		r := load(ctx, p.g, p.caller(p.counted(nil)))
		if !errors.Is(r.err, why) {
			t.Errorf("error %v, want %v", r.err, why)
		}
		p.wantRuns(0)
	})
}

// Alone: HEAD, Range, no-store.

func TestACallerInStateAloneJoinsNobodyAndStoresNothing(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(func(_ context.Context, run *swr.Run, _ string) (made, error) {
			if !run.Solo() {
				t.Error("the run is not solo")
			}
			run.Alone(true, nil) // says nothing new
			time.Sleep(time.Second)
			return keep("mine"), nil
		})
		rs := p.crowd(20, func(int) *caller {
			c := p.caller(f)
			c.is = alone()
			return c
		})
		if n := outcomes(rs); n[swr.Miss] != 20 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		if claims, _ := p.asked(); claims != 0 || len(p.items) != 0 {
			t.Errorf("%d claims, %d items", claims, len(p.items))
		}
	})
}

func TestAFillAloneHasItsCallersContext(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // over the fill timeout
		defer cancel()
		c := p.caller(func(fctx context.Context, _ *swr.Run, _ string) (made, error) {
			<-fctx.Done()
			return made{}, fctx.Err()
		})
		c.is = alone()
		if r := load(ctx, p.g, c); !errors.Is(r.err, context.DeadlineExceeded) || r.took != time.Minute {
			t.Errorf("error %v after %v", r.err, r.took)
		}
	})
}

func TestAFillAloneMayDropWhatIsStored(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		c := p.caller(func(context.Context, *swr.Run, string) (made, error) { return made{Value: "gone", Drop: true}, nil })
		c.is = map[string]swr.State{"old": swr.Alone}
		p.load(c).want(t, "gone", swr.Miss)
		if len(p.items) != 0 {
			t.Errorf("%d items are left", len(p.items))
		}
	})
}

// The old 200 must go even while somebody fills the slot, who began before.
func TestAFillAloneDropsWhatIsStoredWhileAnotherFills(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.old(p.counted(nil))).want(t, "old", swr.HitStale)
		synctest.Wait()
		c := p.caller(func(context.Context, *swr.Run, string) (made, error) { return made{Value: "gone", Drop: true}, nil })
		c.is = map[string]swr.State{"old": swr.Alone}
		p.load(c).want(t, "gone", swr.Miss)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(p.items) != 0 || p.ends(store.ErrOvertaken) != 1 {
			t.Errorf("%d items, observed %+v", len(p.items), p.filled())
		}
	})
}

func TestAFillAloneLeavesWhatItDidNotSee(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		c := p.caller(func(context.Context, *swr.Run, string) (made, error) {
			p.put("k", "newer")
			return made{Value: "gone", Drop: true}, nil
		})
		c.is = map[string]swr.State{"old": swr.Alone}
		p.load(c).want(t, "gone", swr.Miss)
		p.load(p.caller(nil)).want(t, "newer", swr.Hit)
	})
}

func TestAFillAloneThatCannotDropIsRecorded(t *testing.T) {
	for op, fail := range map[string]func(*place){
		"acquire": func(p *place) { p.set(func() { p.down = true }) },
		"commit":  func(p *place) { p.set(func() { p.commitErr = errDown }) },
	} {
		bubble(t, func(t *testing.T, p *place) {
			p.put("k", "old")
			c := p.caller(func(context.Context, *swr.Run, string) (made, error) {
				fail(p)
				return made{Value: "gone", Drop: true}, nil
			})
			c.is = map[string]swr.State{"old": swr.Alone}
			p.load(c).want(t, "gone", swr.Miss)
			if p.failures(op) != 1 {
				t.Errorf("%s: recorded %v", op, p.failed)
			}
		})
	}
}

func TestAFillAloneThatFailsIsRescuedByWhatIsStoredThen(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		failing := errors.New("no")
		c := p.caller(func(context.Context, *swr.Run, string) (made, error) {
			p.put("k", "meanwhile")
			return made{Value: "503"}, failing
		})
		c.is = alone()
		p.load(c).want(t, "meanwhile", swr.Rescued)

		p.purge("k")
		c.fill = func(context.Context, *swr.Run, string) (made, error) { return made{Value: "503"}, failing }
		if r := p.load(c); r.value != "503" || r.outcome != swr.Miss || !errors.Is(r.err, failing) {
			t.Errorf("got %+v", r)
		}
		if got := p.ends(failing); got != 2 {
			t.Errorf("%d observed", got)
		}
	})
}

func TestAPanicOfAFillAloneIsObserved(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.caller(func(context.Context, *swr.Run, string) (made, error) { panic("no") })
		c.is = alone()
		if r := p.load(c); r.panicked != "no" {
			t.Errorf("got %+v", r)
		}
		if got := p.ends(swr.ErrPanicked); got != 1 {
			t.Errorf("%d observed", got)
		}
	})
}

var _ store.Leaser = (*shelf)(nil)
