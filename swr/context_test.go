package swr_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

type word struct{}

// A fill's context is one like any other, whoever looks at it, and in which order.
func TestTheContextOfAFill(t *testing.T) {
	looks := map[string]func(ctx context.Context) (err, cause error){
		"Err":   func(ctx context.Context) (error, error) { return ctx.Err(), context.Cause(ctx) },
		"Cause": func(ctx context.Context) (error, error) { cause := context.Cause(ctx); return ctx.Err(), cause },
		"Done": func(ctx context.Context) (error, error) {
			select {
			case <-ctx.Done():
			default:
				return nil, context.Cause(ctx)
			}
			return ctx.Err(), context.Cause(ctx)
		},
		"child": func(ctx context.Context) (error, error) {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			return child.Err(), context.Cause(child)
		},
	}
	for name, look := range looks {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *place) {
				want := func(ctx context.Context, err, cause error) {
					t.Helper()
					if e, c := look(ctx); !errors.Is(e, err) || !errors.Is(c, cause) {
						t.Errorf("%v, because of %v; want %v, because of %v", e, c, err, cause)
					}
				}
				var leave context.CancelCauseFunc
				var kept []context.Context
				fill := p.counted(func(ctx context.Context, _ *swr.Run, _ string) (made, error) {
					kept = append(kept, ctx)
					if ctx.Value(word{}) != "said" {
						t.Error("no value")
					}
					want(ctx, nil, nil)
					leave(errAbort) // others may wait
					want(ctx, nil, nil)
					if p.runs.Load() == 1 {
						return keep("new"), nil
					}
					time.Sleep(3 * time.Second)
					want(ctx, context.Canceled, context.DeadlineExceeded)
					want(ctx, context.Canceled, context.DeadlineExceeded)
					return made{}, errAbort
				})
				for _, key := range []string{"k", "other"} {
					caller, cancel := context.WithCancelCause(context.WithValue(t.Context(), word{}, "said"))
					leave = cancel
					c := p.caller(fill)
					c.key = key
					load(caller, p.g, c)
					cancel(nil)
				}
				for _, ctx := range kept {
					if ctx.Err() == nil {
						t.Error("the fill has ended, and its context has not")
					}
				}
				want(kept[0], context.Canceled, context.Canceled)
				if got := p.ends(context.DeadlineExceeded); got != 1 {
					t.Errorf("%d fills ended at their timeout", got)
				}
			}, func(o *swr.Options) { o.FillTimeout = 2 * time.Second })
		})
	}
}

// What waits for a fill's context is woken without a goroutine for each that waits.
func TestChildrenOfAFillsContextEndWithIt(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		var ended bool
		p.load(p.caller(func(ctx context.Context, _ *swr.Run, _ string) (made, error) {
			child, cancel := context.WithTimeout(context.WithValue(ctx, word{}, 0), time.Minute)
			defer cancel()
			context.AfterFunc(child, func() { ended = true })
			<-child.Done()
			if !errors.Is(context.Cause(child), context.DeadlineExceeded) || !errors.Is(child.Err(), context.Canceled) {
				t.Errorf("%v, because of %v", child.Err(), context.Cause(child))
			}
			return keep("new"), nil
		}))
		synctest.Wait()
		if !ended {
			t.Error("AfterFunc did not run")
		}
	}, func(o *swr.Options) { o.FillTimeout = 2 * time.Second })
}

// Nobody waits for a fill that is over time, so that nothing watches it: who comes
// then does not wait for it either.
func TestWhoComesAfterTheFillTimeoutDoesNotWait(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		fill := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			time.Sleep(10 * time.Second)
			return keep("new"), nil
		})
		first := p.start(context.Background(), p.caller(fill))
		time.Sleep(3 * time.Second)
		second := p.load(&caller{shelf: p.shelf, key: "k", fill: func(context.Context, *swr.Run, string) (made, error) {
			return keep("quick"), nil
		}})
		second.want(t, "quick", swr.Miss)
		if second.took != 0 {
			t.Errorf("waited for %v", second.took)
		}
		(<-first).want(t, "new", swr.Miss)
	}, func(o *swr.Options) { o.FillTimeout = 2 * time.Second })
}
