package clock

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
)

func TestClockTellsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		for _, d := range []time.Duration{0, 1, time.Millisecond, time.Second - 1, time.Second, time.Hour, 1} {
			time.Sleep(d)
			now, want := c.Read(), time.Now()
			if now.Nanos != want.UnixNano() || now.Mono != store.Monotonic() {
				t.Errorf("%v later: %+v, want %v, %v", d, now, want.UnixNano(), store.Monotonic())
			}
		}
	})
}

// Numbers that are drawn a microsecond apart are as good as any.
func TestLotsAreEven(t *testing.T) {
	const numbers, draws = 32, 32 * 1000
	var drawn [numbers]int
	for i := range draws {
		r := Reading{Nanos: 1_800_000_000_000_000_000 + int64(i)*1000}
		drawn[r.Lot(numbers)]++
	}
	for n, times := range drawn {
		if times < 700 || times > 1300 {
			t.Errorf("%d was drawn %d times of %d", n, times, draws)
		}
	}
}
