//go:build !race

package middleware_test

const spare = 0
