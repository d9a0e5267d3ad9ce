package storetest

import (
	"time"

	"github.com/reprise-go/reprise/store"
)

// pingChecks are of stores that are a store.Pinger.
func pingChecks() []check {
	return []check{{name: "a store that works says so to a ping", run: pinged, ping: true}}
}

func pinged(r *room) {
	r.fill(r.a, "k", base("body"))
	h, err := r.a.(store.Pinger).Ping(r.Context())
	if err != nil {
		r.Errorf("Ping: %v", err)
	}
	if h.Latency < 0 {
		r.Errorf("Latency %v", h.Latency)
	}
	if h.Lag < 0 || h.Lag > time.Minute {
		r.Errorf("Lag %v", h.Lag)
	}
	for _, broken := range []string{store.NotConnected, store.NotAnswering, store.Refusing, store.PartlyAway, store.BreakerOpen} {
		if h.Has(broken) {
			r.Errorf("Degraded %q", h.Degraded)
		}
	}
	if h.Local.Budget <= 0 {
		r.Errorf("Local %+v", h.Local)
	}
}
