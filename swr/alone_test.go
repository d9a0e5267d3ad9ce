package swr_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

// streaming is a fill that learns after a second that its result is for its
// caller only, and then goes on for an hour or until its context ends.
func streaming(drop bool) fill {
	return func(ctx context.Context, run *swr.Run, _ string) (made, error) {
		if run.Solo() {
			return made{Value: "mine"}, nil
		}
		time.Sleep(time.Second)
		run.Alone(drop, nil)
		run.Alone(!drop, nil) // only the first call counts
		select {
		case <-ctx.Done():
			return made{}, context.Cause(ctx)
		case <-time.After(time.Hour):
			return made{Value: "stream"}, nil
		}
	}
}

func TestAloneFreesFollowersTheLeaseAndTheFillTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		leader := p.start(context.Background(), p.caller(streaming(false)))
		synctest.Wait()
		rs := p.crowd(50, func(int) *caller { return p.caller(streaming(false)) })
		if n := outcomes(rs); n[swr.Miss] != 50 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		if p.held() != 0 || p.flying != 0 {
			t.Errorf("%d leases, %d flights", p.held(), p.flying)
		}
		r := <-leader
		r.want(t, "stream", swr.Miss)
		if r.took != time.Hour+time.Second {
			t.Errorf("the stream took %v", r.took)
		}
	})
}

func TestAfterAloneTheFillEndsWhenItsCallerLeaves(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		gone := errors.New("client has gone")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, gone)
		defer cancel()
		if r := load(ctx, p.g, p.caller(streaming(false))); !errors.Is(r.err, gone) || r.took != time.Minute {
			t.Errorf("got %+v", r)
		}
	})
}

// A caller may have left before Alone gives it its fill back.
func TestAloneEndsTheFillOfACallerWhoHasLeft(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		if r := load(ctx, p.g, p.caller(streaming(false))); !errors.Is(r.err, context.DeadlineExceeded) || r.took != time.Second {
			t.Errorf("got %+v", r)
		}
	})
}

func TestAfterAnUnsharedResultNobodyQueuesForAWhile(t *testing.T) {
	for name, f := range map[string]fill{
		"alone":   streaming(false),
		"private": func(context.Context, *swr.Run, string) (made, error) { return made{Value: "mine"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *place) {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				load(ctx, p.g, p.caller(f))

				slow := p.counted(func(context.Context, *swr.Run, string) (made, error) {
					time.Sleep(time.Second)
					return keep("new"), nil
				})
				rs := p.crowd(20, func(int) *caller { return p.caller(slow) })
				if n := outcomes(rs); n[swr.Miss] != 20 || longest(rs) != time.Second {
					t.Errorf("at once: %v in %v", n, longest(rs))
				}
				time.Sleep(2 * time.Second)
				rs = p.crowd(20, func(int) *caller { return p.caller(slow) })
				if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 19 {
					t.Errorf("later: %v", n)
				}
			}, func(o *swr.Options) { o.PassFor = 2 * time.Second })
		})
	}
}

func TestAloneWithDropDeletesWhatWasStored(t *testing.T) {
	for _, drop := range []bool{true, false} {
		bubble(t, func(t *testing.T, p *place) {
			p.put("k", "old")
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			c := p.caller(streaming(drop))
			c.is = fallback("old")
			stream := p.start(ctx, c)
			time.Sleep(time.Second + 1) // it has just called Alone
			if _, st := p.g.Peek(context.Background(), p.caller(nil)); (st == swr.Absent) != drop {
				t.Errorf("drop %v: state %v", drop, st)
			}
			<-stream
		})
	}
}

func TestAResultOfAFlightMayDropWhatIsStored(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.put("k", "old")
		c := p.caller(func(context.Context, *swr.Run, string) (made, error) { return made{Value: "403", Drop: true}, nil })
		c.is = fallback("old")
		p.load(c).want(t, "403", swr.Miss)
		if len(p.items) != 0 {
			t.Errorf("%d items are left", len(p.items))
		}
	})
}

func TestAPanicAfterAloneLeavesNothingLocked(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		r := p.load(p.caller(func(_ context.Context, run *swr.Run, _ string) (made, error) {
			run.Alone(false, nil)
			panic("no")
		}))
		if r.panicked != "no" || p.ends(swr.ErrPanicked) != 1 || p.failures("release") != 0 {
			t.Errorf("got %+v, observed %+v, failed %v", r, p.filled(), p.failed)
		}
		p.load(p.caller(p.counted(nil))).want(t, "new", swr.Miss)
	})
}

// After Alone the caller has had its answer: nothing it keeps is stored.
func TestWhatAnAloneFillKeepsIsNotStored(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.load(p.caller(func(_ context.Context, run *swr.Run, _ string) (made, error) {
			run.Alone(false, nil)
			return keep("mine"), nil
		})).want(t, "mine", swr.Miss)
		if got := p.filled(); len(p.items) != 0 || len(got) != 1 || got[0].err != nil {
			t.Errorf("%d items, observed %+v", len(p.items), got)
		}
	})
}

func TestTheLeaseOfALeaderWhoHasLeftIsReleased(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		ctx, cancel := context.WithCancel(context.Background())
		load(ctx, p.g, p.caller(func(context.Context, *swr.Run, string) (made, error) {
			cancel()
			return made{Value: "mine"}, nil
		})).want(t, "mine", swr.Miss)
		if p.held() != 0 || p.failures("release") != 0 {
			t.Errorf("%d leases, failed %v", p.held(), p.failed)
		}
	})
}

func TestALeaseThatCannotBeReleasedIsRecorded(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.relErr = errDown
		p.load(p.caller(func(context.Context, *swr.Run, string) (made, error) { return made{Value: "mine"}, nil })).want(t, "mine", swr.Miss)
		if p.failures("release") != 1 {
			t.Errorf("recorded %v", p.failed)
		}
	})
}

func TestWhoFillsAloneLearnsWhyTheLastResultWasNotKept(t *testing.T) {
	large := errors.New("large")
	for name, first := range map[string]fill{
		"kept nothing": func(context.Context, *swr.Run, string) (made, error) { return made{Why: large}, nil },
		"said so while it ran": func(_ context.Context, run *swr.Run, _ string) (made, error) {
			run.Alone(false, large)
			return made{}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *place) {
				p.load(p.caller(first))
				p.load(p.caller(func(_ context.Context, run *swr.Run, _ string) (made, error) {
					if !run.Solo() || !errors.Is(run.Verdict(), large) {
						t.Errorf("solo: %v, verdict %v", run.Solo(), run.Verdict())
					}
					return made{}, nil
				}))
				time.Sleep(time.Minute)
				p.load(p.caller(func(_ context.Context, run *swr.Run, _ string) (made, error) {
					if run.Solo() || run.Verdict() != nil {
						t.Errorf("later, solo: %v, verdict %v", run.Solo(), run.Verdict())
					}
					return made{}, nil
				}))
			})
		})
	}
}
