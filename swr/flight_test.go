package swr_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

func TestFiveHundredCallersRunOneFill(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(nil)
		rs := p.crowd(500, func(int) *caller { return p.caller(f) })
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 499 {
			t.Errorf("%v", n)
		}
		if d := longest(rs); d != time.Second {
			t.Errorf("the last waited %v", d)
		}
		for _, r := range rs {
			if r.value != "new" {
				t.Fatalf("got %+v", r)
			}
		}
		p.wantRuns(1)
	})
}

func TestCallersForOtherSlotsDoNotWait(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(nil)
		rs := p.crowd(10, func(i int) *caller { return &caller{shelf: p.shelf, key: string(rune('a' + i)), fill: f} })
		if n := outcomes(rs); n[swr.Miss] != 10 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
	})
}

// R2: a follower may have come after the purge that overtook the flight.
func TestFollowersOfAnOvertakenFillLookAgainAndItsLeaderKeepsItsAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		versions := []string{"v1", "v2", "v3"}
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			v := versions[p.runs.Load()-1]
			time.Sleep(time.Second)
			return keep(v), nil
		})
		var led *swr.Run
		leader := p.start(context.Background(), p.caller(func(ctx context.Context, run *swr.Run, old string) (made, error) {
			led = run
			return f(ctx, run, old)
		}))
		synctest.Wait()
		p.purge("k")
		rs := p.crowd(99, func(int) *caller { return p.caller(f) })
		(<-leader).want(t, "v1", swr.Miss)
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 98 {
			t.Errorf("%v", n)
		}
		for _, r := range rs {
			if r.value != "v2" {
				t.Fatalf("after the purge %+v", r)
			}
		}
		p.wantRuns(2)
		if !errors.Is(led.Verdict(), store.ErrOvertaken) || p.ends(store.ErrOvertaken) != 1 {
			t.Errorf("verdict %v, %d observed", led.Verdict(), p.ends(store.ErrOvertaken))
		}
	})
}

// The purge may come after the commit and before the leader knows of it.
func TestWhoeverArrivesDuringACommitDoesNotShareTheFlight(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			if p.runs.Load() == 1 {
				return keep("old"), nil
			}
			return keep("new"), nil
		})
		slow := make(chan struct{})
		p.after = func(*lease) { <-slow }
		leader := p.start(context.Background(), p.caller(f))
		synctest.Wait() // stored, but the answer of the store is on its way
		p.purge("k")
		late := p.start(context.Background(), p.caller(f))
		synctest.Wait()
		p.wantRuns(1) // it waits
		close(slow)
		(<-leader).want(t, "old", swr.Miss)
		(<-late).want(t, "new", swr.Miss)
	})
}

func TestALatecomerFindsWhatWasCommitted(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(nil)
		p.before = func(*lease) { time.Sleep(time.Second) }
		leader := p.start(context.Background(), p.caller(f))
		time.Sleep(time.Second + 1)
		p.load(p.caller(f)).want(t, "new", swr.Collapsed)
		(<-leader).want(t, "new", swr.Miss)
		p.wantRuns(1)
	})
}

func TestFollowersWhomTheValueDoesNotSuitFillInParallel(t *testing.T) {
	for name, m := range map[string]made{
		"private":              {Value: "mine"},
		"private, drop":        {Value: "mine", Drop: true},
		"shared, nothing kept": {Value: "mine", Shared: true},
		"kept, not shared":     {Value: "mine", Keep: []store.Entry{{Body: []byte("other")}}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *place) {
				f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
					time.Sleep(time.Second)
					return m, nil
				})
				rs := p.crowd(101, func(int) *caller {
					c := p.caller(f)
					c.is = map[string]swr.State{"other": swr.Absent}
					return c
				})
				if n := outcomes(rs); n[swr.Miss] != 101 {
					t.Errorf("%v", n)
				}
				if d := longest(rs); d > 3*time.Second {
					t.Errorf("the last waited %v", d)
				}
				p.wantRuns(101)
			})
		})
	}
}

func TestAFollowerWhoMayNotUseTheValueFillsForItself(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(nil)
		leader := p.start(context.Background(), p.caller(f))
		synctest.Wait()
		c := p.caller(p.counted(func(context.Context, *swr.Run, string) (made, error) { return made{Value: "mine"}, nil }))
		c.is = map[string]swr.State{"new": swr.Absent}
		follower := p.start(context.Background(), c)
		(<-leader).want(t, "new", swr.Miss)
		(<-follower).want(t, "mine", swr.Miss)
		p.load(p.caller(f)).want(t, "new", swr.Hit) // what is stored stays
	})
}

// Vary: the first fill teaches what selects, and each variant has its own flight.
func TestAFollowerWhomTheFlightTaughtItsVariantJoinsThatVariantsFlight(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		run := func(variant string) fill {
			return p.counted(func(context.Context, *swr.Run, string) (made, error) {
				time.Sleep(time.Second)
				m := made{Value: variant, Shared: true}
				if p.runs.Load() == 1 {
					m.Keep = append(m.Keep, store.Entry{Meta: []byte("record")})
				}
				m.Keep = append(m.Keep, store.Entry{Variant: variant, Body: []byte(variant)})
				return m, nil
			})
		}
		variants := []string{"de", "en", "fr"}
		rs := p.crowd(90, func(i int) *caller {
			v := variants[i%3]
			c := p.caller(run(v))
			c.variant = v
			c.is = map[string]swr.State{"de": swr.Absent, "en": swr.Absent, "fr": swr.Absent, v: swr.Fresh}
			return c
		})
		for i, r := range rs {
			if r.value != variants[i%3] {
				t.Fatalf("%s got %+v", variants[i%3], r)
			}
		}
		if n := outcomes(rs); n[swr.Miss] != 3 || n[swr.Collapsed] != 87 {
			t.Errorf("%v", n)
		}
		if d := longest(rs); d != 2*time.Second {
			t.Errorf("the last waited %v", d)
		}
		p.wantRuns(3)
	})
}

func TestTheFlightOfALeaderWhoLeavesGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "kept"))
		leader := p.start(ctx, p.caller(func(fctx context.Context, _ *swr.Run, _ string) (made, error) {
			time.Sleep(time.Second)
			if fctx.Err() != nil || fctx.Value(key{}) != "kept" {
				t.Errorf("error %v, value %v", fctx.Err(), fctx.Value(key{}))
			}
			return keep("new"), nil
		}))
		synctest.Wait()
		time.AfterFunc(time.Second/2, cancel)
		p.crowd(10, func(int) *caller { return p.caller(nil) })[9].want(t, "new", swr.Collapsed)
		(<-leader).want(t, "new", swr.Miss)
		p.load(p.caller(nil)).want(t, "new", swr.Hit)
	})
}

func TestAFollowerWhoLeavesDoesSoAtOnceAndDisturbsNobody(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		leader := p.start(context.Background(), p.caller(p.counted(nil)))
		synctest.Wait()
		gone := errors.New("client has gone")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second/4, gone)
		defer cancel()
		impatient := p.start(ctx, p.caller(nil))
		patient := p.start(context.Background(), p.caller(nil))
		if r := <-impatient; !errors.Is(r.err, gone) || r.took != time.Second/4 || r.value != "" {
			t.Errorf("got %+v", r)
		}
		(<-leader).want(t, "new", swr.Miss)
		(<-patient).want(t, "new", swr.Collapsed)
		p.wantRuns(1)
	})
}

// errAbort stands for http.ErrAbortHandler, which handlers panic with.
var errAbort = errors.New("abort")

func TestAPanicReachesTheLeaderAndFollowersFillAnew(t *testing.T) {
	for name, value := range map[string]any{"text": "no", "abort": errAbort} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *place) {
				f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
					time.Sleep(time.Second)
					if p.runs.Load() == 1 {
						panic(value)
					}
					return keep("new"), nil
				})
				rs := p.crowd(101, func(int) *caller { return p.caller(f) })
				panics := 0
				for _, r := range rs {
					if r.panicked != nil {
						panics++
						if r.panicked != value {
							t.Errorf("panicked with %v", r.panicked)
						}
					}
				}
				if n := outcomes(rs); panics != 1 || n[swr.Miss] != 1 || n[swr.Collapsed] != 99 {
					t.Errorf("%d panics, %v", panics, n)
				}
				if d := longest(rs); d != 2*time.Second {
					t.Errorf("the last waited %v", d)
				}
				if got := p.runs.Load(); got > 3 {
					t.Errorf("%d runs", got)
				}
				if got := p.ends(swr.ErrPanicked); got != 1 {
					t.Errorf("%d observed", got)
				}
			})
		})
	}
}

func TestAPanicStoresNothingAndFreesTheLeaseBeforeItsFollowersWake(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.caller(func(context.Context, *swr.Run, string) (made, error) { panic("no") }))
		if len(p.items) != 0 || p.held() != 0 {
			t.Errorf("%d items, %d leases", len(p.items), p.held())
		}
		p.load(p.caller(p.counted(nil))).want(t, "new", swr.Miss)
	})
}

func TestGoexitInAFillLeavesNothingLocked(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		var wg sync.WaitGroup
		wg.Go(func() {
			p.load(p.caller(func(context.Context, *swr.Run, string) (made, error) {
				time.Sleep(time.Second)
				runtime.Goexit()
				return made{}, nil
			}))
		})
		synctest.Wait()
		follower := p.start(context.Background(), p.caller(p.counted(nil)))
		wg.Wait()
		r := <-follower
		r.want(t, "new", swr.Miss)
		if r.took != 2*time.Second {
			t.Errorf("the follower waited %v", r.took)
		}
	})
}

// A handler's own goroutine may write after the handler has panicked.
func TestAloneAfterAPanicIsTooLate(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		var late *swr.Run
		p.load(p.caller(func(_ context.Context, run *swr.Run, _ string) (made, error) {
			late = run
			panic("no")
		}))
		late.Alone(true)
		rs := p.crowd(10, func(int) *caller { return p.caller(p.counted(nil)) })
		if n := outcomes(rs); n[swr.Collapsed] != 9 {
			t.Errorf("%v", n)
		}
	})
}

func TestAnErrorIsRescuedByWhatIsStored(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		failing := errors.New("503")
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(time.Second)
			return made{Value: "503"}, failing
		})
		rs := p.crowd(50, func(int) *caller {
			c := p.caller(f)
			c.is = fallback("old")
			return c
		})
		if n := outcomes(rs); n[swr.Rescued] != 50 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		p.wantRuns(1)
		if p.ends(failing) != 1 || p.held() != 0 {
			t.Errorf("%d observed, %d leases", p.ends(failing), p.held())
		}
	})
}

// R12: what the caller found before may have been purged while it filled.
func TestARescueLooksAgain(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		failing := errors.New("503")
		c := p.caller(func(context.Context, *swr.Run, string) (made, error) {
			p.purge("k")
			return made{Value: "503"}, failing
		})
		c.is = fallback("old")
		if r := p.load(c); r.value != "503" || r.outcome != swr.Miss || !errors.Is(r.err, failing) {
			t.Errorf("got %+v", r)
		}
	})
}

func TestFollowersOfAFailedFillWithNothingToFallBackOnFillInParallel(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		failing := errors.New("503")
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(time.Second)
			return made{Value: "503"}, failing
		})
		rs := p.crowd(100, func(int) *caller { return p.caller(f) })
		for _, r := range rs {
			if r.value != "503" || !errors.Is(r.err, failing) {
				t.Fatalf("got %+v", r)
			}
		}
		if d := longest(rs); d != 2*time.Second {
			t.Errorf("the last waited %v", d)
		}
		p.wantRuns(100)
	})
}

func TestFollowersOfAFailedFillUseWhatTheyMayThemselves(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(time.Second)
			return made{Value: "503"}, errors.New("503")
		})
		strict, lax := p.caller(f), p.caller(f)
		strict.is = map[string]swr.State{"old": swr.Absent}
		lax.is = fallback("old")
		first := p.start(context.Background(), strict)
		synctest.Wait()
		second := p.start(context.Background(), lax)
		if r := <-first; r.value != "503" || r.err == nil {
			t.Errorf("got %+v", r)
		}
		(<-second).want(t, "old", swr.Rescued)
		p.wantRuns(1)
	})
}
