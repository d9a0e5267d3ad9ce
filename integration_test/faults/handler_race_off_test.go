//go:build !race

package faults

const (
	handlerRace  = false
	handlerSlow  = 1
	handlerShare = 1
)
