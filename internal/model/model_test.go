package model

import "testing"

func TestMutants(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			c := m.c
			c.trust, c.deadline = 1, 1
			c.off = m.off
			res := c.explore(3e6, 0)
			sound := c
			sound.off = protections{}
			depth := len(res.trace)
			ok := sound.explore(3e6, depth)
			full := ok
			//full = sound.explore(2e6, 0)
			t.Logf("%s: %d steps, %d states %v; sound %d (%v), full %d whole=%v %v", m.name, depth, res.states, res.took, ok.states, ok.took, full.states, full.whole, full.took)
			if res.fault == "" {
				t.Errorf("no counterexample: %+v", res)
			} else if testing.Verbose() {
				t.Log("\n" + c.tell(res))
			}
			if ok.fault != "" {
				t.Error("SOUND\n" + sound.tell(ok))
			}
		})
	}
}
