//go:build race

package faults

// Under the race detector everything takes some five to ten times as long and
// as much memory. The figures of the table are those without it; with it a test
// looks whether things work, and that nothing takes an order of magnitude more.
const (
	handlerRace  = true
	handlerSlow  = 10
	handlerShare = 4 // of the numbers that take time, a fourth
)
