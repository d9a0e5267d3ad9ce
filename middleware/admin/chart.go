package admin

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The size of a chart, in units of its viewBox: one step each across.
const (
	chartWidth  = samples
	chartHeight = 40
)

// A chart is one line over the last ten minutes.
type chart struct {
	Title string
	Now   string // the latest value
	Top   string // the value at the upper edge
	Line  string // path data
	Label string // for those who do not see it
}

// charts are the three of one policy.
func charts(steps []step, window step) []chart {
	ratio := func(s step) float64 {
		if s.HitRatio == nil {
			return math.NaN()
		}
		return *s.HitRatio
	}
	took := func(of func(step) time.Duration) func(step) float64 {
		return func(s step) float64 {
			if d := of(s); d > 0 {
				return float64(d)
			}
			return math.NaN()
		}
	}
	durations := func(v float64) string { return duration(time.Duration(v)) }
	return []chart{
		newChart("Hit ratio", steps, window, 1, ratio, percent),
		newChart("Hits took", steps, window, 0, took(func(s step) time.Duration { return s.Hit }), durations),
		newChart("Fills took", steps, window, 0, took(func(s step) time.Duration { return s.Fill }), durations),
	}
}

// newChart draws what value makes of steps, from 0 to top, or to the greatest where top
// is 0. NaN is a gap.
func newChart(title string, steps []step, window step, top float64, value func(step) float64, show func(float64) string) chart {
	values := make([]float64, len(steps))
	lowest, highest := math.Inf(1), math.Inf(-1)
	for i, s := range steps {
		values[i] = value(s)
		if !math.IsNaN(values[i]) {
			lowest, highest = min(lowest, values[i]), max(highest, values[i])
		}
	}
	c := chart{Title: title, Now: "–", Label: title + ": nothing in the last ten minutes"}
	if v := value(window); !math.IsNaN(v) {
		c.Now = show(v)
	}
	if highest < lowest {
		return c
	}
	if top == 0 {
		top = highest
	}
	c.Top = show(top)
	c.Line = line(values, top)
	c.Label = fmt.Sprintf("%s in the last ten minutes: %s on average, from %s to %s", title, c.Now, show(lowest), show(highest))
	return c
}

// line returns the path of values, the last one at the right edge.
func line(values []float64, top float64) string {
	var b strings.Builder
	pen := false
	for i, v := range values {
		if math.IsNaN(v) {
			pen = false
			continue
		}
		x, y := chartWidth-len(values)+i+1, chartHeight*(1-min(v/top, 1))
		if pen {
			fmt.Fprintf(&b, "L%d %.1f", x, y)
		} else { // a line of no length, with round ends, is a dot
			fmt.Fprintf(&b, "M%d %.1fh0", x, y)
		}
		pen = true
	}
	return b.String()
}
