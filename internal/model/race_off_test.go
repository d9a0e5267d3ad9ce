//go:build !race

package model

const (
	quickStates  = 150_000
	mutantStates = 100_000
)
