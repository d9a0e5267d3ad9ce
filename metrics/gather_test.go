package metrics_test

import (
	"math"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// A sample is one series: of a counter or gauge its value, of a histogram the
// count and sum (seconds) of what it has seen.
type sample struct {
	value float64
	count uint64
	sum   float64
}

// samples returns all series of family by their label values, in the order of
// the labels' names.
func samples(t *testing.T, g prometheus.Gatherer, family string) map[string]sample {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]sample)
	for _, f := range families {
		if f.GetName() != family {
			continue
		}
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			all[strings.Join(values, " ")] = sample{
				value: m.GetCounter().GetValue() + m.GetGauge().GetValue(),
				count: m.GetHistogram().GetSampleCount(),
				sum:   m.GetHistogram().GetSampleSum(),
			}
		}
	}
	return all
}

// expectDurations compares all histograms of family: the count and the sum.
func expectDurations(t *testing.T, g prometheus.Gatherer, family string, want map[string]sample) {
	t.Helper()
	got := samples(t, g, family)
	for labels, s := range got {
		if w, ok := want[labels]; !ok || s.count != w.count || math.Abs(s.sum-w.sum) > 1e-9 {
			t.Errorf("%s{%s}: %d in %v s, want %d in %v s", family, labels, s.count, s.sum, w.count, w.sum)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s has %d series, want %d", family, len(got), len(want))
	}
}
