//go:build !peers

package main

var (
	heavy       []subject
	heavyValues []*valueCache
)
