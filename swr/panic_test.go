package swr_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

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

// What always panics is not tried by one after another of those who wait.
func TestFollowersOfASecondPanicFillForThemselves(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(time.Second)
			panic(errAbort)
		})
		rs := p.crowd(100, func(int) *caller { return p.caller(f) })
		for _, r := range rs {
			if r.panicked != any(errAbort) {
				t.Errorf("got %v", r)
			}
		}
		if d := longest(rs); d != 3*time.Second {
			t.Errorf("the last waited %v", d)
		}
		p.wantRuns(100)
	})
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
		late.Alone(true, nil)
		rs := p.crowd(10, func(int) *caller { return p.caller(p.counted(nil)) })
		if n := outcomes(rs); n[swr.Collapsed] != 9 {
			t.Errorf("%v", n)
		}
	})
}
