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

// Who is apart waits for nobody, and takes no place.
func TestWhoIsApartTakesNoPlace(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		first := p.start(context.Background(), p.caller(p.counted(nil)))
		synctest.Wait()
		for range 3 {
			p.load(p.apart(part(time.Millisecond))).want(t, "part", swr.Miss)
		}
		rs := p.crowd(3, func(int) *caller { return p.caller(p.counted(nil)) })
		if n := outcomes(rs); n[swr.Collapsed] != 3 {
			t.Errorf("%v", n)
		}
		(<-first).want(t, "new", swr.Miss)
		p.wantRuns(1)
	}, threeWaiters)
}

// Nor does who would refresh what somebody else refreshes already.
func TestWhoWouldRefreshTakesNoPlace(t *testing.T) {
	for range 100 {
		p := newPlace(t, threeWaiters)
		p.put("k", "old")
		hold := make(chan struct{})
		c := func() *caller {
			c := p.caller(func(context.Context, *swr.Run, string) (made, error) {
				<-hold
				return made{}, errors.New("503")
			})
			c.is = stale("old")
			return c
		}
		p.crowd(64, func(int) *caller { return c() })
		if n := p.g.Waiting(); n != 0 {
			t.Errorf("%d wait for a refresh that nobody waits for", n)
		}
		close(hold)
		if err := p.g.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
