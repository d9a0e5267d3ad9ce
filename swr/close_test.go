package swr_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/swr"
)

func TestCloseWaitsForRefreshesAndLetsNoneStart(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		c := p.old(p.counted(nil))
		p.load(c).want(t, "old", swr.HitStale)
		synctest.Wait()
		began := time.Now()
		closed := make(chan error)
		go func() { closed <- p.g.Close(context.Background()) }()
		synctest.Wait()
		p.put("l", "old")
		r := p.load(&caller{shelf: p.shelf, key: "l", fill: c.fill, is: c.is})
		if !errors.Is(r.err, swr.ErrClosed) {
			t.Errorf("error %v", r.err)
		}
		r.err = nil
		r.want(t, "old", swr.HitStale)
		if err := <-closed; err != nil || time.Since(began) != time.Second {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		p.wantRuns(1)
		p.load(p.caller(nil)).want(t, "new", swr.Hit)
		if err := p.g.Close(context.Background()); err != nil {
			t.Errorf("the second Close: %v", err)
		}
	})
}

func TestCloseCancelsRefreshesThatOutlastItsContextAndEndsTheirLeases(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		until := make(chan struct{})
		for i := range 20 {
			key := string(rune('a' + i))
			p.put(key, "old")
			f := func(ctx context.Context, _ *swr.Run, _ string) (made, error) {
				<-ctx.Done()
				return made{}, ctx.Err()
			}
			if i%2 == 0 { // this one does not care
				f = hang(until)
			}
			p.load(&caller{shelf: p.shelf, key: key, fill: f, is: stale("old")}).want(t, "old", swr.HitStale)
		}
		synctest.Wait()
		waiting := p.start(context.Background(), &caller{shelf: p.shelf, key: "a", is: fallback("old"), fill: p.counted(nil)})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if err := p.g.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		(<-waiting).want(t, "new", swr.Miss) // those who joined a refresh fill anew
		if p.held() != 0 || p.flying != 0 {
			t.Errorf("%d leases, %d flights", p.held(), p.flying)
		}
		if got := p.ends(swr.ErrClosed); got != 10 {
			t.Errorf("%d observed", got)
		}
		close(until) // too late to be stored
		synctest.Wait()
		c := &caller{shelf: p.shelf, key: "c"}
		p.load(c).want(t, "old", swr.Hit)
	})
}

func TestCloseOfAnIdleGroupReturnsNilWhateverItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for range 100 {
			if err := p.g.Close(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestLoadWorksAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		if err := p.g.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		p.load(p.caller(p.counted(nil))).want(t, "new", swr.Miss)
	})
}
