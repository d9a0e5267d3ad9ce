package swr_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

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
