//go:build race

package fleet

// slow is how much longer things may take under the race detector, in which
// the instances run as well.
const slow = 10
