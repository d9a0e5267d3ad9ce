package swr_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

func threeWaiters(o *swr.Options) { o.Waiters = 3 }

func TestWhoIsOneTooManyToWaitFillsAlone(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		refused := make(chan error, 10)
		c := func(int) *caller {
			return p.caller(p.counted(func(_ context.Context, run *swr.Run, _ string) (made, error) {
				if run.Solo() {
					refused <- run.Verdict()
				}
				time.Sleep(time.Second)
				return keep("new"), nil
			}))
		}
		rs := p.crowd(10, c)
		if n := outcomes(rs); n[swr.Miss] != 7 || n[swr.Collapsed] != 3 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		for range 6 {
			if err := <-refused; !errors.Is(err, swr.ErrWaiters) {
				t.Errorf("a Run alone has the verdict %v", err)
			}
		}
		p.wantRuns(7)
		p.load(c(0)).want(t, "new", swr.Hit)
	}, threeWaiters)
}

func TestWhoLeavesMakesRoomForAnotherToWait(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		ctx, leave := context.WithCancel(context.Background())
		first := p.start(context.Background(), p.caller(p.counted(nil)))
		synctest.Wait()
		var gone []<-chan result
		for range 3 {
			gone = append(gone, p.start(ctx, p.caller(nil)))
		}
		synctest.Wait()
		leave()
		for _, g := range gone {
			if r := <-g; !errors.Is(r.err, context.Canceled) {
				t.Errorf("who left got %+v", r)
			}
		}
		rs := p.crowd(3, func(int) *caller { return p.caller(nil) })
		if n := outcomes(rs); n[swr.Collapsed] != 3 {
			t.Errorf("%v", n)
		}
		(<-first).want(t, "new", swr.Miss)
	}, threeWaiters)
}

// A fill that hangs gives its place to another after the wait limit, and who has
// waited for it does not count twice.
func TestWhoWaitsOnCountsOnce(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		hang := make(chan struct{})
		defer close(hang)
		first := p.start(context.Background(), p.caller(p.counted(func(context.Context, *swr.Run, string) (made, error) {
			<-hang
			return made{}, errors.New("hung")
		})))
		synctest.Wait()
		rs := p.crowd(3, func(int) *caller { return p.caller(p.counted(nil)) })
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 2 {
			t.Errorf("%v", n)
		}
		p.wantRuns(2)
		hang <- struct{}{}
		<-first
	}, threeWaiters)
}
