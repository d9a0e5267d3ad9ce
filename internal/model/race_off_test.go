//go:build !race

package model

const (
	quickStates  = 80_000
	mutantStates = 300_000
)
