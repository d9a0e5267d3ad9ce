// Package figures prints what tests measured beside the bars it had to meet.
//
// go test hides the output of tests that pass. So each figure is also appended
// to the file that the environment variable FIGURES names, which make prints.
package figures

import (
	"cmp"
	"fmt"
	"os"
	"testing"
)

// AtMost records what was measured in a row of a table, and fails the test if
// it is over the bar.
func AtMost[T cmp.Ordered](tb testing.TB, row, what string, got, bar T) {
	tb.Helper()
	record(tb, row, what, fmt.Sprint(got), fmt.Sprint("≤ ", bar), got <= bar)
}

// AtLeast records what was measured in a row of a table, and fails the test if
// it is below the bar.
func AtLeast[T cmp.Ordered](tb testing.TB, row, what string, got, bar T) {
	tb.Helper()
	record(tb, row, what, fmt.Sprint(got), fmt.Sprint("≥ ", bar), got >= bar)
}

// Exactly records what was counted in a row of a table, and fails the test if
// it is not as it must be.
func Exactly[T comparable](tb testing.TB, row, what string, got, want T) {
	tb.Helper()
	record(tb, row, what, fmt.Sprint(got), fmt.Sprint("= ", want), got == want)
}

// Note records what has no bar.
func Note(tb testing.TB, row, what string, got any) {
	tb.Helper()
	record(tb, row, what, fmt.Sprint(got), "", true)
}

func record(tb testing.TB, row, what, got, bar string, ok bool) {
	tb.Helper()
	verdict := "ok"
	if !ok {
		verdict = "MISSED"
	}
	line := fmt.Sprintf("%-28s %-52s %14s  %-14s %s", row, what, got, bar, verdict)
	if ok {
		tb.Log(line)
	} else {
		tb.Error(line)
	}
	name := os.Getenv("FIGURES")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		tb.Errorf("figures: %v", err)
		return
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, line); err != nil {
		tb.Errorf("figures: %v", err)
	}
}
