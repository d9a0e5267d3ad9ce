package main

import (
	"fmt"
	"strings"

	"github.com/reprise-go/reprise/internal/measure"
)

// header begins a Markdown table, and row adds to it.
func header(columns ...string) {
	row(columns...)
	fmt.Println("|" + strings.Repeat("---|", len(columns)))
}

func row(cells ...string) { fmt.Println("| " + strings.Join(cells, " | ") + " |") }

func kilobytes(size int) string { return fmt.Sprintf("%d KB", size>>10) }

// ratio is of figures to those of a bare handler, by round.
func ratio(figures, bare []float64) string {
	r := measure.Ratio(figures, bare)
	if r < 10 {
		return fmt.Sprintf("%.2f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

// besideFiber is a ratio for the subjects of fiber only. bares are the figures
// of the bare handlers, which come before the others.
func (s subject) besideFiber(figures []float64, bares map[string][]float64) string {
	if !s.fiber {
		return ""
	}
	return ratio(figures, bares[bareFiberName])
}
