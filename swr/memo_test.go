package swr_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

func TestMemosAreBounded(t *testing.T) {
	p := newPlace(t)
	most := 0
	for i := range 100_000 {
		c := &caller{key: strconv.Itoa(i), fill: func(context.Context, *swr.Run, string) (made, error) { return made{}, nil }}
		if _, o, err := p.g.Load(context.Background(), c); o != swr.Miss || err != nil {
			t.Fatalf("%v, %v", o, err)
		}
		most = max(most, p.g.Memos())
	}
	if most > swr.MaxMemos || most < swr.MaxMemos*3/4 {
		t.Errorf("up to %d memos, the bound is %d", most, swr.MaxMemos)
	}
}

func TestMemosOfFailedRefreshesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		f := func(context.Context, *swr.Run, string) (made, error) { return made{}, errors.New("503") }
		for i := range 2 * swr.MaxMemos {
			key := strconv.Itoa(i)
			p.put(key, "old")
			p.load(&caller{shelf: p.shelf, key: key, fill: f, is: stale("old")}).want(t, "old", swr.HitStale)
			synctest.Wait()
		}
		if n := p.g.Memos(); n > swr.MaxMemos {
			t.Errorf("%d memos, the bound is %d", n, swr.MaxMemos)
		}
	})
}

func TestMemosThatAreOverGoFirst(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		pass := func(key string) {
			p.load(&caller{shelf: p.shelf, key: key, fill: func(context.Context, *swr.Run, string) (made, error) { return made{}, nil }})
		}
		for i := range swr.MaxMemos - 1 {
			pass(strconv.Itoa(i))
		}
		time.Sleep(time.Second)
		pass("still counts")
		time.Sleep(time.Second)
		pass("one more")
		if n := p.g.Memos(); n != 2 {
			t.Errorf("%d memos, want 2", n)
		}
	}, func(o *swr.Options) { o.PassFor = 2 * time.Second })
}

func TestAnUnsharedResultDoesNotEndABackoff(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(func(context.Context, *swr.Run, string) (made, error) { return made{}, errors.New("503") }))
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		d := p.caller(func(context.Context, *swr.Run, string) (made, error) { return made{Value: "mine"}, nil })
		d.is = fallback("old")
		p.load(d).want(t, "mine", swr.Miss)
		time.Sleep(time.Millisecond)
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		p.wantRuns(1)
	}, func(o *swr.Options) { o.PassFor = time.Millisecond })
}

func TestARefreshThatSucceedsLeavesNoMemo(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		broken := true
		c := p.old(func(context.Context, *swr.Run, string) (made, error) {
			if broken {
				return made{}, errors.New("503")
			}
			return keep("new"), nil
		})
		p.load(c)
		synctest.Wait()
		if n := p.g.Memos(); n != 1 {
			t.Errorf("%d memos, want 1", n)
		}
		time.Sleep(2 * time.Second)
		broken = false
		p.load(c)
		synctest.Wait()
		if n := p.g.Memos(); n != 0 {
			t.Errorf("%d memos are left", n)
		}
	})
}
