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

func TestCallersOfTwoProcessesRunOneFill(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		other := p.group()
		f := p.counted(nil)
		leader := p.start(context.Background(), p.caller(f))
		synctest.Wait()
		rs := make([]result, 100)
		var wg sync.WaitGroup
		for i := range rs {
			wg.Go(func() { rs[i] = load(context.Background(), other, p.caller(f)) })
		}
		wg.Wait()
		(<-leader).want(t, "new", swr.Miss)
		if n := outcomes(rs); n[swr.Collapsed] != 100 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		p.wantRuns(1)
	})
}

func TestWhenTheFillOfAnotherProcessHangsOneMoreRunsAndNotEverybody(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		hung := p.start(context.Background(), p.caller(hang(until)))
		synctest.Wait()
		other := p.group(patient)
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(2 * time.Second) // longer than the limits are spread
			return keep("new"), nil
		})
		rs := make([]result, 100)
		var wg sync.WaitGroup
		for i := range rs {
			wg.Go(func() { rs[i] = load(context.Background(), other, p.caller(f)) })
		}
		wg.Wait()
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 99 {
			t.Errorf("%v", n)
		}
		p.wantRuns(1)
		if _, steals := p.asked(); steals != 1 {
			t.Errorf("%d leases were stolen", steals)
		}
		if d := longest(rs); d > 7500*time.Millisecond {
			t.Errorf("the last waited %v", d)
		}
		close(until)
		(<-hung).want(t, "late", swr.Miss)
	}, patient)
}

func TestWhoeverWaitedLongestForAnotherProcessTakesItsLeaseOver(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		hung := p.start(context.Background(), p.caller(hang(until)))
		synctest.Wait()
		p.g = p.group(patient)
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(3 * time.Second) // beyond the others' limits
			return keep("new"), nil
		})
		first := p.start(context.Background(), p.caller(f))
		time.Sleep(time.Second)
		rs := p.crowd(50, func(int) *caller { return p.caller(f) })
		r := <-first
		r.want(t, "new", swr.Miss)
		if r.took < 7500*time.Millisecond || r.took > 8500*time.Millisecond {
			t.Errorf("the first waited %v", r.took)
		}
		if n := outcomes(rs); n[swr.Collapsed] != 50 || longest(rs) > r.took {
			t.Errorf("%v in %v", n, longest(rs))
		}
		p.wantRuns(1)
		close(until)
		(<-hung).want(t, "late", swr.Miss)
	}, patient)
}

func TestACallerWhoLeavesWhileItWaitsForAnotherProcessLeavesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		other := p.group()
		leader := p.start(context.Background(), p.caller(p.counted(nil)))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/4)
		defer cancel()
		follower := make(chan result)
		go func() { // joins the flight of the one who leaves
			time.Sleep(time.Second / 8)
			follower <- load(context.Background(), other, p.caller(nil))
		}()
		if r := load(ctx, other, p.caller(nil)); !errors.Is(r.err, context.DeadlineExceeded) || r.took != time.Second/4 {
			t.Errorf("got %+v", r)
		}
		(<-follower).want(t, "new", swr.Collapsed)
		(<-leader).want(t, "new", swr.Miss)
		if p.failures("wait") != 0 {
			t.Error("leaving counts as a failure of the store")
		}
	})
}

func TestASlotThatChangedIsLookedAtAgain(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.caller(p.counted(nil))
		c.looked = func() { // between the look-up and the claim
			c.looked = nil
			p.put("k", "theirs")
		}
		p.load(c).want(t, "theirs", swr.Collapsed)
		p.wantRuns(0)
	})
}

func TestASlotThatChangesForEverIsFilledAlone(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.answer = func(store.Claim) error { return store.ErrChanged }
		p.load(p.caller(p.counted(nil))).want(t, "new", swr.Miss)
		p.wantRuns(1)
		if claims, _ := p.asked(); claims < 3 || claims > 10 || len(p.items) != 0 {
			t.Errorf("%d claims, %d items", claims, len(p.items))
		}
	})
}

// Wait may return early; that must neither spin nor cost the collapse.
func TestAWaitThatFailsAtOnceDoesNotSpin(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		hung := p.start(context.Background(), p.caller(hang(until)))
		synctest.Wait()
		p.waitErr = errDown
		other := p.group()
		f := p.counted(nil)
		rs := make([]result, 100)
		var wg sync.WaitGroup
		for i := range rs {
			wg.Go(func() { rs[i] = load(context.Background(), other, p.caller(f)) })
		}
		wg.Wait()
		if claims, steals := p.asked(); claims > 1000 || steals != 1 {
			t.Errorf("%d claims, %d leases were stolen", claims, steals)
		}
		if p.failures("wait") == 0 {
			t.Error("the failure was not recorded")
		}
		p.wantRuns(1)
		if d := longest(rs); d != time.Second {
			t.Errorf("the last waited %v", d)
		}
		close(until)
		(<-hung).want(t, "late", swr.Miss)
	})
}
