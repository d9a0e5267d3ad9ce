//go:build !race

package fleet

const slow = 1
