package middleware

import (
	"math"
	"strconv"
	"testing"
	"time"
)

func TestReloadsAreBoundedPerKey(t *testing.T) {
	l := newReloads(5)
	now := instantOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	allowed := func(key string, after time.Duration) (n int) {
		for range 20 {
			if l.allow(key, now+instant(after), true) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, 5}, {time.Second, 0}, {2 * time.Second, 1}, {3 * time.Second, 0}, {8 * time.Second, 3}, {time.Minute, 5}, {time.Minute + time.Second, 0},
	} {
		if n := allowed("a", step.after); n != step.want {
			t.Errorf("after %v: %d reloads, want %d", step.after, n, step.want)
		}
	}
	// However many keys there are, each has its own.
	for i := range 20_000 {
		if !l.allow(strconv.Itoa(i), now, true) {
			t.Fatalf("the first reload of key %d is refused", i)
		}
	}
	if l = newReloads(math.MaxInt); allowed("a", 0) != 20 {
		t.Error("a bound beyond all is none")
	}
}
