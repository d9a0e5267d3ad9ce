package model

import (
	"flag"
	"testing"
)

var states = flag.Int("states", quickStates, "how many `states` of each fleet to visit, some 15 bytes each")

func TestProtocols(t *testing.T) {
	for _, c := range protocols {
		t.Run(c.name, func(t *testing.T) {
			res := c.explore(*states, 0)
			t.Logf("%d states, depth %d, %s, %.1f s", res.states, res.depth, extent(res), res.took.Seconds())
			if res.fault != "" {
				t.Errorf("a counterexample:\n%s", c.tell(res))
			}
		})
	}
}

func extent(r result) string {
	if r.whole {
		return "exhausted"
	}
	return "limit reached"
}

func TestMutants(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			c := m.c
			c.off = m.off
			res := c.explore(mutantStates, 0)
			if res.fault == "" {
				t.Fatalf("no counterexample in %d states, %s", res.states, extent(res))
			}
			t.Logf("%d states, depth %d; the shortest counterexample has %d steps:\n%s", res.states, res.depth, len(res.trace), c.tell(res))
			sound := m.c.explore(2*mutantStates, len(res.trace))
			if sound.fault != "" {
				t.Errorf("the protocol has one too:\n%s", m.c.tell(sound))
			}
			if sound.states >= 2*mutantStates {
				t.Errorf("the bound of states cut the protocol's exploration short")
			}
		})
	}
}
