package swr_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A fullShelf has no place for a further variant, and any for a base.
type fullShelf struct {
	store.Leaser
	refused atomic.Int64
}

func (s *fullShelf) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	if c.Variant != "" {
		s.refused.Add(1)
		return nil, store.ErrFull
	}
	return s.Leaser.Acquire(ctx, c)
}

// full makes a Group's store full, and has "k" be a record of variants.
func full(t *testing.T, test func(t *testing.T, p *place, s *fullShelf)) {
	t.Helper()
	s := new(fullShelf)
	bubble(t, func(t *testing.T, p *place) {
		p.set(func() {
			p.apply(store.Slot{Key: "k"}, []store.Entry{{Meta: []byte("record")}, {Variant: "stored", Body: []byte("old")}})
		})
		test(t, p, s)
		if n := p.failures("acquire"); n != 0 {
			t.Errorf("%d failures of the store were recorded", n)
		}
		if all, _ := p.asked(); all != 0 || len(p.items) != 2 {
			t.Errorf("%d leases were asked for beside, %d items stored", all, len(p.items))
		}
	}, func(o *swr.Options) {
		s.Leaser = o.Leases
		o.Leases, o.PassFor = s, 2*time.Second
	})
}

func (p *place) callerOf(variant string, f fill) *caller {
	c := p.caller(f)
	c.variant = variant
	return c
}

func TestCallersOfAFullKeyFillAlone(t *testing.T) {
	full(t, func(t *testing.T, p *place, s *fullShelf) {
		rs := p.crowd(20, func(int) *caller { return p.callerOf("new", p.counted(nil)) })
		if n := outcomes(rs); n[swr.Miss] != 20 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		p.wantRuns(20)
	})
}

func TestAFullKeyIsNotAskedAgainForAWhile(t *testing.T) {
	full(t, func(t *testing.T, p *place, s *fullShelf) {
		for range 3 { // from second 0 to 3, of which 2 pass
			p.load(p.callerOf("new", p.counted(nil))).want(t, "new", swr.Miss)
		}
		if n := s.refused.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
		p.load(p.callerOf("another", p.counted(nil))).want(t, "new", swr.Miss)
		if n := s.refused.Load(); n != 3 {
			t.Errorf("with another variant, asked %d times", n)
		}
		p.wantRuns(4)
	})
}

func TestAFillBesideAFullKeyIsSolo(t *testing.T) {
	full(t, func(t *testing.T, p *place, s *fullShelf) {
		p.load(p.callerOf("new", func(_ context.Context, run *swr.Run, _ string) (made, error) {
			if !run.Solo() {
				t.Error("others may wait for it")
			}
			return keep("mine"), nil
		})).want(t, "mine", swr.Miss)
	})
}

func TestAFailedFillBesideAFullKeyIsRescued(t *testing.T) {
	full(t, func(t *testing.T, p *place, s *fullShelf) {
		c := p.callerOf("stored", func(context.Context, *swr.Run, string) (made, error) { return made{}, errors.New("no") })
		c.is = fallback("old")
		p.load(c).want(t, "old", swr.Rescued)
	})
}

// What was stored when its caller looked may have gone, and its place as well.
func TestARefreshOfAFullKeyEndsQuietly(t *testing.T) {
	full(t, func(t *testing.T, p *place, s *fullShelf) {
		for range 10 {
			c := p.callerOf("stored", p.counted(nil))
			c.is = stale("old")
			p.load(c).want(t, "old", swr.HitStale)
			time.Sleep(time.Second / 10)
		}
		if n := s.refused.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		p.wantRuns(0)
	})
}
