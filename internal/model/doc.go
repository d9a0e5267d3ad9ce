// Package model is an explicit-state model checker of the store protocol as
// store/redisstore and swr have it.
package model
