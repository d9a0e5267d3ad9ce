package swr_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

// hang is a fill that ends with until, whatever its context says.
func hang(until <-chan struct{}) fill {
	return func(context.Context, *swr.Run, string) (made, error) {
		<-until
		return keep("late"), nil
	}
}

// An hour: the fill timeout takes no part.
func patient(o *swr.Options) { o.FillTimeout = time.Hour }

func TestWhenAFillHangsOneMoreRunsAndNotEverybody(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		hung := p.start(context.Background(), p.caller(hang(until)))
		synctest.Wait()
		f := p.counted(nil)
		rs := p.crowd(100, func(int) *caller { return p.caller(f) })
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 99 {
			t.Errorf("%v", n)
		}
		p.wantRuns(1)
		if _, steals := p.asked(); steals != 1 {
			t.Errorf("%d leases were stolen", steals)
		}
		if d := longest(rs); d > 6500*time.Millisecond { // the limit, its spread, one run
			t.Errorf("the last waited %v", d)
		}
		close(until)
		(<-hung).want(t, "late", swr.Miss)
		p.load(p.caller(nil)).want(t, "new", swr.Hit) // the hung fill was overtaken
	}, patient)
}

func TestAfterASecondWaitACallerFillsAlone(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		hung := p.start(context.Background(), p.caller(hang(until)))
		synctest.Wait()
		hangs, solos := 1, 0
		var mu sync.Mutex
		f := func(_ context.Context, run *swr.Run, _ string) (made, error) {
			mu.Lock()
			if run.Solo() {
				solos++
				mu.Unlock()
				return keep("mine"), nil
			}
			hangs++
			mu.Unlock()
			<-until
			return keep("late"), nil
		}
		began := time.Now()
		results := make(chan result, 50)
		for range 50 {
			go func() { results <- p.load(p.caller(f)) }()
		}
		for range 49 {
			r := <-results
			r.want(t, "mine", swr.Miss)
			if r.took < 9*time.Second || r.took > 11*time.Second {
				t.Errorf("waited %v", r.took)
			}
		}
		if hangs != 2 || solos != 49 {
			t.Errorf("%d hang and %d ran alone after %v", hangs, solos, time.Since(began))
		}
		close(until)
		(<-hung).want(t, "late", swr.Miss)
		(<-results).want(t, "late", swr.Miss)
	}, patient)
}

func TestTheFillTimeoutCancelsTheFillAndFreesItsFollowers(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(func(ctx context.Context, _ *swr.Run, _ string) (made, error) {
			if p.runs.Load() > 1 {
				return keep("new"), nil
			}
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				t.Errorf("cause %v", context.Cause(ctx))
			}
			return made{Value: "504"}, ctx.Err()
		})
		leader := p.start(context.Background(), p.caller(f))
		synctest.Wait()
		follower := p.load(p.caller(f))
		follower.want(t, "new", swr.Miss)
		if follower.took != 2*time.Second {
			t.Errorf("the follower waited %v", follower.took)
		}
		// What was made since stands in for the fill that failed, or its error goes out.
		if r := <-leader; r.took != 2*time.Second || r.outcome == swr.Miss && r.err == nil {
			t.Errorf("got %+v", r)
		}
		if p.ends(context.DeadlineExceeded) != 1 {
			t.Errorf("observed %+v", p.filled())
		}
	}, func(o *swr.Options) { o.FillTimeout = 2 * time.Second })
}

func TestTheFillTimeoutFreesFollowersOfAFillThatIgnoresIt(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		hung := p.start(context.Background(), p.caller(hang(until)))
		synctest.Wait()
		rs := p.crowd(20, func(int) *caller { return p.caller(p.counted(nil)) })
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 19 || longest(rs) != 3*time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		close(until)
		(<-hung).want(t, "late", swr.Miss)
		p.load(p.caller(nil)).want(t, "new", swr.Hit)
	}, func(o *swr.Options) { o.FillTimeout = 2 * time.Second })
}

// Those who joined a flight just before their limit came do not take it over.
func TestAFillThatHasJustBegunIsNotTakenOver(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			if p.runs.Load() == 1 {
				time.Sleep(4400 * time.Millisecond) // the first limit comes at 4.5 s
				return keep("v1"), nil
			}
			time.Sleep(2 * time.Second)
			return keep("v2"), nil
		})
		time.AfterFunc(time.Second, func() { p.purge("k") })
		rs := p.crowd(100, func(int) *caller { return p.caller(f) })
		if n := outcomes(rs); n[swr.Miss] != 2 || n[swr.Collapsed] != 98 {
			t.Errorf("%v", n)
		}
		p.wantRuns(2)
		if d := longest(rs); d != 6400*time.Millisecond {
			t.Errorf("the last waited %v", d)
		}
	})
}

func TestWhoWaitsTooLongAndFindsAFreshOneTakesIt(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		hung := p.start(context.Background(), p.caller(hang(until)))
		synctest.Wait()
		waits := p.start(context.Background(), p.caller(p.counted(nil)))
		time.Sleep(time.Second)
		p.put("k", "new")
		(<-waits).want(t, "new", swr.Collapsed)
		p.wantRuns(0)
		close(until)
		<-hung
	}, patient)
}
