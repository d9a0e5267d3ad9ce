// Package measure is what the programs that measure have in common.
package measure

import (
	"cmp"
	"slices"
)

// Median returns the middle one of values, the upper of two; at least one.
func Median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// Ratio returns the median of the rounds' ratios of figures to base: what one
// round has to do with load takes no part in that of another.
func Ratio(figures, base []float64) float64 {
	ratios := make([]float64, len(figures))
	for i := range ratios {
		ratios[i] = figures[i] / base[i]
	}
	return Median(ratios)
}
