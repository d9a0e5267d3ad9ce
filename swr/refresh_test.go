package swr_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// old returns a caller to whom "old", which is stored, is stale.
func (p *place) old(f fill) *caller {
	p.put("k", "old")
	c := p.caller(f)
	c.is = stale("old")
	return c
}

func TestAStaleValueIsServedAtOnceAndRefreshedOnceBehindItsCallers(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(nil))
		rs := p.crowd(100, func(int) *caller { d := *c; return &d })
		if n := outcomes(rs); n[swr.HitStale] != 100 || longest(rs) != 0 {
			t.Errorf("%v in %v", n, longest(rs))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		p.load(c).want(t, "new", swr.Hit)
		p.wantRuns(1)
		if got := p.filled(); len(got) != 1 || got[0] != (filled{"k", time.Second, true, nil}) {
			t.Errorf("observed %+v", got)
		}
	})
}

func TestRefreshTellsWhetherItStartedOne(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(nil))
		_, _ = c.Lookup(context.Background())
		for _, want := range []bool{true, false} {
			if started, err := p.g.Refresh(context.Background(), c, "old"); started != want || err != nil {
				t.Errorf("started: %v, error %v; want one refresh, and no second", started, err)
			}
		}
		time.Sleep(time.Second)
	})
}

func TestACallerJoinsARefresh(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.old(p.counted(nil))).want(t, "old", swr.HitStale)
		c := p.caller(nil)
		c.is = fallback("old")
		p.load(c).want(t, "new", swr.Collapsed)
		p.wantRuns(1)
	})
}

func TestRefreshesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(nil)
		for round := range 2 {
			rs := p.crowd(100, func(i int) *caller {
				key := string(rune('A' + i))
				if round == 0 {
					p.put(key, "old")
				}
				return &caller{shelf: p.shelf, key: key, fill: f, is: stale("old")}
			})
			refused := 0
			for i, r := range rs {
				if errors.Is(r.err, swr.ErrRefreshes) {
					refused++
					rs[i].err = nil
				}
			}
			if n := outcomes(rs); n[swr.HitStale]+n[swr.Hit] != 100 || refused != 97-3*round {
				t.Errorf("%v, %d without a refresh", n, refused)
			}
			synctest.Wait()
			p.wantRuns(int64(3 * (round + 1)))
			time.Sleep(time.Second)
			synctest.Wait()
		}
	}, func(o *swr.Options) { o.Refreshes = 3 })
}

func TestRefreshesThatFailBackOffAndRecover(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		broken := true
		var at []time.Time // of the tries; those run while the test waits
		c := p.old(p.counted(func(context.Context, *swr.Run, string) (made, error) {
			at = append(at, time.Now())
			if broken {
				return made{}, errors.New("503")
			}
			return keep("old"), nil // still stale to this caller
		}))
		ask := func(d time.Duration) {
			for range int(d / (100 * time.Millisecond)) {
				p.load(c).want(t, "old", swr.HitStale)
				synctest.Wait()
				time.Sleep(100 * time.Millisecond)
			}
		}
		ask(5 * time.Minute)
		// 1, 2, 4, … 60 s, each spread by a quarter, asked for each 0.1 s.
		want := time.Second
		for i := 1; i < len(at); i++ {
			if d := at[i].Sub(at[i-1]); d < want*3/4 || d > want*5/4+100*time.Millisecond {
				t.Errorf("try %d came after %v, want about %v", i, d, want)
			}
			want = min(2*want, time.Minute)
		}
		if len(at) < 9 || len(at) > 13 {
			t.Errorf("%d tries in 5 minutes", len(at))
		}

		broken = false
		ask(80 * time.Second)
		at = nil
		ask(time.Second) // it works again: there is nothing to back off from
		if len(at) != 10 {
			t.Errorf("%d tries, want 10", len(at))
		}
		broken = true
		at = nil
		ask(2 * time.Second)
		if len(at) != 2 { // at 0 and about 1 s: the count of failures is new
			t.Errorf("%d tries, want 2", len(at))
		}
	})
}

func TestARefreshWhoseResultIsNotSharedKeepsCallersFromQueueing(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		mine := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(time.Second)
			return made{Value: "mine", Drop: true}, nil
		})
		p.load(p.old(mine)).want(t, "old", swr.HitStale)
		time.Sleep(time.Second + 1)
		rs := p.crowd(20, func(int) *caller { return p.caller(mine) })
		if n := outcomes(rs); n[swr.Miss] != 20 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
	})
}

func TestARefreshWhoseResultIsNotSharedIsNotTriedAgainAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(func(context.Context, *swr.Run, string) (made, error) { return made{Value: "mine"}, nil }))
		for range 10 {
			p.load(c).want(t, "old", swr.HitStale)
			synctest.Wait()
		}
		p.wantRuns(1)
		time.Sleep(2 * time.Second)
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		p.wantRuns(2)
	}, func(o *swr.Options) { o.PassFor = 2 * time.Second })
}

func TestAPanicOfARefreshIsReported(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(func(context.Context, *swr.Run, string) (made, error) { panicHere(); return made{}, nil }))
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		got := p.filled()
		var e *swr.PanicError
		if len(got) != 1 || !got[0].background || !errors.As(got[0].err, &e) {
			t.Fatalf("observed %+v", got)
		}
		if e.Value != "no" || !strings.Contains(string(e.Stack), "panicHere") || e.Error() != "swr: refresh panicked: no" {
			t.Errorf("%v\n%s", e, e.Stack)
		}
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		p.wantRuns(1) // it backs off
	})
}

func panicHere() { panic("no") }

// A test that fails in what it has loaded ends its goroutine: that is told, and is no
// reason to try again at once.
func TestARefreshThatExitsIsReported(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(func(context.Context, *swr.Run, string) (made, error) { runtime.Goexit(); return made{}, nil }))
		for range 2 {
			p.load(c).want(t, "old", swr.HitStale)
			synctest.Wait()
		}
		p.wantRuns(1)
		if got := p.filled(); len(got) != 1 || !got[0].background || !errors.Is(got[0].err, swr.ErrPanicked) {
			t.Errorf("observed %+v", got)
		}
	})
}

// A full store takes reads and no writes: what is stale stays so, and would be
// refreshed at every request.
func TestARefreshThatCannotBeStoredBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(func(context.Context, *swr.Run, string) (made, error) { return keep("new"), nil }))
		p.commitErr = errors.New("full")
		for range 3 {
			p.load(c).want(t, "old", swr.HitStale)
			synctest.Wait()
		}
		p.wantRuns(1)
		time.Sleep(2 * time.Second)
		p.commitErr = nil
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		p.wantRuns(2)
	})
}

func TestFollowersOfARefreshThatPanicsFillAnew(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(time.Second)
			if p.runs.Load() == 1 {
				panic("no")
			}
			return keep("new"), nil
		})
		p.load(p.old(f)).want(t, "old", swr.HitStale)
		rs := p.crowd(100, func(int) *caller {
			c := p.caller(f)
			c.is = fallback("old")
			return c
		})
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 99 {
			t.Errorf("%v", n)
		}
		p.wantRuns(2)
	})
}

func TestARefreshUsesWhatDetachReturnsAndNothingElse(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		type key struct{}
		p.put("k", "old")
		detached := &caller{shelf: p.shelf, key: "k", fill: func(ctx context.Context, _ *swr.Run, old string) (made, error) {
			time.Sleep(time.Second)
			if ctx.Value(key{}) != "cloned" || ctx.Err() != nil || old != "old" {
				t.Errorf("value %v, error %v, old %q", ctx.Value(key{}), ctx.Err(), old)
			}
			return keep("new"), nil
		}}
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "pooled"))
		c := p.caller(nil) // its own Fill would panic
		c.is = stale("old")
		c.detach = func(ctx context.Context) (context.Context, swr.Source[string]) {
			_, _ = detached.Lookup(ctx)
			return context.WithValue(context.WithoutCancel(ctx), key{}, "cloned"), detached
		}
		load(ctx, p.g, c).want(t, "old", swr.HitStale)
		*c = caller{} // the pool has it back
		cancel()
		time.Sleep(time.Second)
		synctest.Wait()
		p.load(p.caller(nil)).want(t, "new", swr.Hit)
	})
}

func TestACallerWhoCannotBeDetachedStartsNoRefresh(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(nil))
		c.detach = func(context.Context) (context.Context, swr.Source[string]) { return nil, nil }
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		p.wantRuns(0)
		c.detach = nil // it held nothing back from the next
		p.load(c).want(t, "old", swr.HitStale)
		time.Sleep(time.Second)
		p.wantRuns(1)
	}, func(o *swr.Options) { o.Refreshes = 1 })
}

// R3: a refresh is a fill like any other.
func TestARefreshThatAPurgeOvertookStoresNothing(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.old(p.counted(nil))).want(t, "old", swr.HitStale)
		synctest.Wait()
		p.purge("k")
		time.Sleep(time.Second)
		synctest.Wait()
		if len(p.items) != 0 || p.ends(store.ErrOvertaken) != 1 {
			t.Errorf("%d items, observed %+v", len(p.items), p.filled())
		}
	})
}

func TestARefreshStandsBackWhereAnotherProcessFills(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(nil))
		d := *c
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		other := p.group()
		load(context.Background(), other, &d).want(t, "old", swr.HitStale)
		time.Sleep(time.Second)
		p.wantRuns(1)
	})
}

func TestARefreshEndsAtTheFillTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.old(func(ctx context.Context, _ *swr.Run, _ string) (made, error) {
			<-ctx.Done()
			return made{}, ctx.Err()
		})).want(t, "old", swr.HitStale)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := p.filled(); len(got) != 1 || got[0].took != 30*time.Second || !errors.Is(got[0].err, context.DeadlineExceeded) {
			t.Errorf("observed %+v", got)
		}
	})
}

// A refresh has no caller whose leaving could end it.
func TestAloneInARefreshKeepsTheFillTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.old(streaming(true))).want(t, "old", swr.HitStale)
		time.Sleep(time.Second + 1)
		if p.held() != 0 || len(p.items) != 0 {
			t.Errorf("%d leases, %d items", p.held(), len(p.items))
		}
		time.Sleep(30 * time.Second)
		if p.ends(context.DeadlineExceeded) != 1 {
			t.Errorf("observed %+v", p.filled())
		}
	})
}
