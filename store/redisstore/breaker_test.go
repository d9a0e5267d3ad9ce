package redisstore

import (
	"syscall"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

func TestBreakerTrips(t *testing.T) {
	const timeout = 1000
	for _, tt := range []struct {
		name   string
		silent int64 // since when; 0: not
		now    []int64
		trips  int // at which failure; 0: at none
	}{
		{"fast failures", 1, []int64{2, 3, 4, 5, 6}, 5},
		{"one that took all the time there is", 1, []int64{1001}, 1},
		{"one that was given less time", 1, []int64{500}, 0},
		{"two that took it together", 1, []int64{500, 1001}, 2},
		{"others were answered meanwhile", 0, []int64{1001, 1002, 1003}, 0},
		{"five, although others were", 0, []int64{1001, 1002, 1003, 1004, 1005}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &breaker{}
			b.unanswered.Store(tt.silent)
			got := 0
			for n, now := range tt.now {
				if b.trips(now, timeout) && got == 0 {
					got = n + 1
				}
			}
			if got != tt.trips {
				t.Errorf("trips at %d, want %d", got, tt.trips)
			}
			b.answered()
			if b.trips(1001, timeout) {
				t.Error("trips at the first failure after an answer")
			}
		})
	}
}

// What one request asks, one after another, costs one deadline and not each its
// own, from the first request on.
func TestHungServerIsLeftAloneAtOnce(t *testing.T) {
	server := newServer(t)
	const deadline = 200 * time.Millisecond
	s := open(t, Options{Addrs: []string{server.addr}, Timeout: deadline})
	fill(t, s, "k", "v")
	server.signal(syscall.SIGSTOP)
	defer server.signal(syscall.SIGCONT)
	began := time.Now()
	_, _ = s.Get(ctx, "absent")
	l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "absent"}, Hold: time.Minute})
	if l == nil || err == nil {
		t.Fatalf("acquire: %v, %v", l, err)
	}
	_ = l.Commit(ctx, store.Entry{Life: time.Minute})
	if took := time.Since(began); took > deadline+deadline/2 {
		t.Errorf("a request waited for %v", took)
	}
}
