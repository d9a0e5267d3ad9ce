package redistest

import (
	"testing"
	"time"
)

// Eventually waits until ok says so, and fails the test after limit. It returns
// how long that took.
func Eventually(tb testing.TB, limit time.Duration, what string, ok func() bool) time.Duration {
	tb.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if ok() {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			tb.Fatalf("not within %v: %s", limit, what)
		}
	}
}
