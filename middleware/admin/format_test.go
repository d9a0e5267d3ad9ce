package admin

import (
	"testing"
	"time"

	"github.com/reprise-go/reprise/health"
	"github.com/reprise-go/reprise/store"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 7: "7ns", 999: "999ns", 12345: "12.3µs", 123456 * time.Nanosecond: "123µs", 1999999: "2ms", 1234 * time.Millisecond: "1.23s",
		30 * time.Second: "30s", time.Minute: "1m", 85*time.Second + 4e8: "1m25s", time.Hour: "1h", 90 * time.Minute: "1h30m", 24*time.Hour + time.Second: "24h0m1s",
	} {
		if got := duration(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 64 << 20: "64.0 MiB", 1<<63 - 1: "8.0 EiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Now()
	for back, want := range map[time.Duration]string{-time.Second: "0s ago", 1500 * time.Millisecond: "1s ago", time.Hour: "1h ago"} {
		if got := ago(now.Add(-back), now); got != want {
			t.Errorf("%v: %s, want %s", back, got, want)
		}
	}
}

func TestStoresAtAGlance(t *testing.T) {
	for _, c := range []struct {
		degraded      string
		latency       float64
		breaker, tier string
	}{
		{"", 0, "–", "in use"}, {"", 0.3, "closed", "in use"}, {store.BreakerOpen, 0.3, "open", "in use"},
		{store.NoTracking, 1, "closed", "off"}, {store.NotConnected + ", " + store.LocalUntrusted, 0, "–", "not trusted"},
	} {
		s := health.StoreReport{Degraded: c.degraded, LatencyMS: c.latency}
		if b, in := breaker(s), tier(s); b != c.breaker || in != c.tier {
			t.Errorf("%+v: %s, %s", c, b, in)
		}
	}
}
