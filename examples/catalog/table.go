package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A table prints what the demo does, a line a step, as it happens.
type table struct{ w io.Writer }

const (
	tableRow  = "  %-41s %-8s %6s %9s   %s\n"
	tableRule = 108
)

func (t table) head() {
	fmt.Fprintf(t.w, tableRow, "request", "X-Cache", "status", "time", "")
	t.rule()
}

func (t table) rule() {
	fmt.Fprintln(t.w, "  "+strings.Repeat("─", tableRule))
}

// row prints one step.
func (t table) row(what, xCache string, status int, took time.Duration, note string) {
	fmt.Fprintf(t.w, tableRow, what, xCache, fmt.Sprint(status), short(took), note)
}

// say prints one line beneath or above the rows.
func (t table) say(format string, args ...any) {
	fmt.Fprintf(t.w, "  "+format+"\n", args...)
}

// short renders d in two or three digits: 0.21 ms, 4.1 ms, 41 ms, 1.25 s.
func short(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.3g s", ms/1000)
	}
}

// thousands renders n with separators: 200,000.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
