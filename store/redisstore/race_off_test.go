//go:build !race

package redisstore

import "time"

// slack is what the scheduler may add to a deadline.
const slack = 20 * time.Millisecond
