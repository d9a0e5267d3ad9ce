//go:build race

package middleware_test

// spare is how many allocations a hit may have beyond its own: under the race
// detector sync.Pool drops things at random.
const spare = 2
