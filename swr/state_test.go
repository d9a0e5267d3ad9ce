package swr_test

import (
	"testing"
	"time"

	"github.com/reprise-go/reprise/swr"
)

func TestWindowsTellTheStateAtAnAge(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		w    swr.Windows
		at   map[time.Duration]swr.State
		life time.Duration
	}{
		"zero": {swr.Windows{}, map[time.Duration]swr.State{-1: swr.Fresh, 0: swr.Absent, s: swr.Absent}, 0},
		"fresh only": {
			swr.Windows{Fresh: 10 * s},
			map[time.Duration]swr.State{0: swr.Fresh, 10*s - 1: swr.Fresh, 10 * s: swr.Absent}, 10 * s,
		},
		"error outlasts stale": {
			swr.Windows{Fresh: 10 * s, Stale: 5 * s, Error: 20 * s},
			map[time.Duration]swr.State{
				10*s - 1: swr.Fresh, 10 * s: swr.Stale, 15*s - 1: swr.Stale,
				15 * s: swr.Fallback, 30*s - 1: swr.Fallback, 30 * s: swr.Absent,
			}, 30 * s,
		},
		"stale outlasts error": {
			swr.Windows{Fresh: 10 * s, Stale: 20 * s, Error: 5 * s},
			map[time.Duration]swr.State{10 * s: swr.Stale, 30*s - 1: swr.Stale, 30 * s: swr.Absent}, 30 * s,
		},
		"never fresh": {
			swr.Windows{Stale: s, Error: 2 * s},
			map[time.Duration]swr.State{0: swr.Stale, s - 1: swr.Stale, s: swr.Fallback, 2 * s: swr.Absent}, 2 * s,
		},
		"error only": {
			swr.Windows{Fresh: s, Error: s},
			map[time.Duration]swr.State{s - 1: swr.Fresh, s: swr.Fallback, 2*s - 1: swr.Fallback, 2 * s: swr.Absent}, 2 * s,
		},
	} {
		for age, want := range c.at {
			if got := c.w.At(age); got != want {
				t.Errorf("%s: At(%v) = %v, want %v", name, age, got, want)
			}
		}
		if got := c.w.Life(); got != c.life {
			t.Errorf("%s: Life() = %v, want %v", name, got, c.life)
		}
	}
}

// The engine compares States, so their order is part of the contract.
func TestAGreaterStateAllowsMore(t *testing.T) {
	order := []swr.State{swr.Absent, swr.Alone, swr.Apart, swr.Fallback, swr.Stale, swr.Fresh}
	for i, st := range order {
		if int(st) != i {
			t.Errorf("state %d is at %d", st, i)
		}
	}
}

func TestOutcomesHaveTheNamesOfTheirLabels(t *testing.T) {
	want := map[swr.Outcome]string{
		swr.Miss: "miss", swr.Hit: "hit", swr.HitStale: "stale", swr.Collapsed: "collapsed",
		swr.Revalidated: "revalidated", swr.Rescued: "rescued", swr.Bypass: "bypass",
	}
	if len(want) != int(swr.NumOutcomes) {
		t.Fatalf("%d outcomes, want %d", swr.NumOutcomes, len(want))
	}
	for o, name := range want {
		if o.String() != name {
			t.Errorf("%d is %q, want %q", o, o, name)
		}
	}
	for _, o := range []swr.Outcome{swr.NumOutcomes, 255} {
		if o.String() != "invalid" {
			t.Errorf("%d is %q", o, o)
		}
	}
}
