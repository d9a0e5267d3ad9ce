package measure

import (
	"math"
	"runtime"
	"time"
)

// Heap returns the bytes that are alive. What is pooled, or has a finalizer, dies
// later than the rest, so that it takes a tenth of a second.
func Heap() int64 {
	var m runtime.MemStats
	for range 10 {
		runtime.GC()
		runtime.ReadMemStats(&m)
		time.Sleep(10 * time.Millisecond)
	}
	return int64(m.HeapAlloc)
}

// Allocated returns the bytes that f allocates. Others allocate too, so that the
// least of several runs counts: of the first that takes no more than enough, or
// of ten.
func Allocated(enough int, f func()) int {
	least := math.MaxInt
	for run := 0; run < 10 && least > enough; run++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, int(after.TotalAlloc-before.TotalAlloc))
	}
	return least
}
