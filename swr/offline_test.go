package swr_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A lease taken while the store is down may say nil or the store's error when
// it is committed: both mean that no purge came first.
func offline(t *testing.T, test func(t *testing.T, p *place), change ...func(*swr.Options)) {
	for name, silent := range map[string]bool{"commit says nil": true, "commit says error": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *place) {
				p.down, p.silent = true, silent
				test(t, p)
			}, change...)
		})
	}
}

func TestWhileTheStoreIsDownCallersStillCollapse(t *testing.T) {
	offline(t, func(t *testing.T, p *place) {
		f := p.counted(nil)
		rs := p.crowd(100, func(int) *caller { return p.caller(f) })
		if n := outcomes(rs); n[swr.Miss] != 1 || n[swr.Collapsed] != 99 || longest(rs) != time.Second {
			t.Errorf("%v in %v", n, longest(rs))
		}
		p.wantRuns(1)
		if p.failures("get") < 100 || p.failures("acquire") != 1 {
			t.Errorf("%d failures to get, %d to acquire", p.failures("get"), p.failures("acquire"))
		}
		if want := map[bool]int{true: 0, false: 1}[p.silent]; p.failures("commit") != want {
			t.Errorf("%d failures to commit, want %d", p.failures("commit"), want)
		}
	})
}

// trusting is a store with a trust window of its own.
type trusting struct {
	store.Leaser
	trust time.Duration
}

func (tr trusting) Trust() time.Duration { return tr.trust }

// G2, G4: nothing tells the flight of a purge in another process.
func TestWhileTheStoreIsDownAFlightOlderThanTheTrustWindowIsNotJoined(t *testing.T) {
	for _, tt := range []struct {
		name           string
		stores, groups time.Duration // their windows; 0: not said
		runs           int           // in two seconds
	}{
		{"by default", 0, 0, 4},
		{"the store's", 200 * time.Millisecond, 0, 10},
		{"the group's", 200 * time.Millisecond, time.Second, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offline(t, func(t *testing.T, p *place) {
				f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
					time.Sleep(10 * time.Second)
					return keep("new"), nil
				})
				const every = 100 * time.Millisecond
				var rs []<-chan result
				for range 20 {
					rs = append(rs, p.start(context.Background(), p.caller(f)))
					time.Sleep(every)
				}
				n := make(map[swr.Outcome]int)
				for _, r := range rs {
					n[(<-r).outcome]++
				}
				if n[swr.Miss] != tt.runs || n[swr.Collapsed] != 20-tt.runs {
					t.Errorf("%v", n)
				}
				p.wantRuns(int64(tt.runs))
			}, func(o *swr.Options) {
				o.WaitTimeout, o.Trust = time.Minute, tt.groups
				if tt.stores > 0 {
					o.Leases = trusting{o.Leases, tt.stores}
				}
			})
		})
	}
}

func TestWhileTheStoreIsDownAPurgeHereEndsAFlight(t *testing.T) {
	offline(t, func(t *testing.T, p *place) {
		f := p.counted(func(context.Context, *swr.Run, string) (made, error) {
			v := []string{"v1", "v2"}[p.runs.Load()-1]
			time.Sleep(time.Second)
			return keep(v), nil
		})
		leader := p.start(context.Background(), p.caller(f))
		synctest.Wait()
		p.purge("k")
		rs := p.crowd(10, func(int) *caller { return p.caller(f) }) // within the window
		(<-leader).want(t, "v1", swr.Miss)
		for _, r := range rs {
			if r.value != "v2" || r.err != nil {
				t.Errorf("after the purge %+v", r)
			}
		}
		p.wantRuns(2)
	})
}

func TestWhileTheStoreIsDownErrorsAreOnlyTheFillsOwn(t *testing.T) {
	offline(t, func(t *testing.T, p *place) {
		failing := errors.New("503")
		f := func(context.Context, *swr.Run, string) (made, error) { return made{Value: "503"}, failing }
		if r := p.load(p.caller(f)); r.value != "503" || !errors.Is(r.err, failing) || errors.Is(r.err, errDown) {
			t.Errorf("got %+v", r)
		}
	})
}

// What is stored is not known, so only those who came early may share: a purge
// elsewhere can be no older for them than the trust window.
func TestWhenACommitFailsEarlyFollowersShareAndLateOnesDoNot(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.commitErr = errDown
		f := p.counted(nil)
		leader := p.start(context.Background(), p.caller(f))
		time.Sleep(500*time.Millisecond - 1)
		early := p.start(context.Background(), p.caller(f))
		time.Sleep(time.Nanosecond)
		late := p.start(context.Background(), p.caller(f))
		(<-leader).want(t, "new", swr.Miss)
		(<-early).want(t, "new", swr.Collapsed)
		r := <-late
		r.want(t, "new", swr.Miss)
		if r.took != 1500*time.Millisecond {
			t.Errorf("the late one waited %v", r.took)
		}
		p.wantRuns(2)
		if p.failures("commit") != 2 {
			t.Errorf("recorded %v", p.failed)
		}
	})
}

func TestTheStoreComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, p *place) {
		p.down = true
		f := p.counted(nil)
		p.load(p.caller(f)).want(t, "new", swr.Miss)
		p.set(func() { p.down = false })
		p.load(p.caller(f)).want(t, "new", swr.Miss)
		p.load(p.caller(f)).want(t, "new", swr.Hit)
	})
}
