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

// Who was stopped after it had read one clock must not put the other one's time beside
// it, for itself or for others.
func TestALateReaderKeepsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, renewed := range []bool{false, true} {
			var c Clock
			late, want := store.Monotonic(), time.Now().UnixNano()
			time.Sleep(700 * time.Millisecond)
			if renewed {
				c.Read() // by another one
			}
			if r := c.at(late); r.Mono != late || r.Nanos != want {
				t.Errorf("renewed %v: %v is %v late", renewed, r, time.Duration(r.Nanos-want))
			}
			if r, now := c.Read(), time.Now().UnixNano(); r.Nanos != now {
				t.Errorf("renewed %v: then the clock is %v ahead", renewed, time.Duration(r.Nanos-now))
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
