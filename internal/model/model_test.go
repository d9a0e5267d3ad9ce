package model

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"unsafe"
)

var full = flag.Bool("full", false, "explore the larger bounds: minutes, and gigabytes")

// bound is how many states a configuration may take.
func bound() int {
	if *full {
		return fullStates
	}
	return quickStates
}

const fullStates = 40_000_000

func TestProtocols(t *testing.T) {
	t.Logf("a world is %d bytes", unsafe.Sizeof(world{}))
	report := table(t)
	for _, c := range protocols {
		t.Run(c.name, func(t *testing.T) {
			res := c.explore(bound(), 0)
			fmt.Fprintf(report, "%s\t%d states\tdepth %d\t%s\t%.1f s\n", c.name, res.states, res.depth, extent(res), res.took.Seconds())
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
	report := table(t)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			c := m.c
			c.off = m.off
			res := c.explore(mutantStates, 0)
			if res.fault == "" {
				t.Fatalf("no counterexample in %d states, %s", res.states, extent(res))
			}
			fmt.Fprintf(report, "%s\t%d steps\t%d states\t%s\n", m.name, len(res.trace), res.states, res.fault[:2])
			t.Logf("the shortest counterexample:\n%s", c.tell(res))
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

// table prints what is written to it when the test ends, if it is verbose.
func table(t *testing.T) *tabwriter.Writer {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	t.Cleanup(func() {
		w.Flush()
		if testing.Verbose() {
			fmt.Fprint(os.Stdout, b.String())
		}
	})
	return w
}
