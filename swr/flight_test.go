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
