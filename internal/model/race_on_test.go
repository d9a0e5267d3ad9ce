//go:build race

package model

// The race detector makes the exploration ten times slower, and there is nothing
// concurrent in it.
const (
	quickStates  = 5_000
	mutantStates = 300_000
)
