//go:build !peers

package main

var heavy []subject
