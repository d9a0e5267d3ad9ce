// Package health answers the probes of an orchestrator for a program with a cache.
//
// A program whose Redis is away is ready: its requests run their handlers. So
// readiness never depends on the store; what is not as it should be is in the answer,
// for people and for alerts.
package health

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

// Live answers that the process serves requests: 200, always. An orchestrator
// that gets no answer restarts it.
func Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, Report{Status: OK}) })
}

// The values of Report.Status.
const (
	OK       = "ok"
	Degraded = "degraded" // a store is not as it should be, and the program goes on without it
	Down     = "down"     // a check failed: do not send requests
)

// A Report is what Ready answers, as JSON.
type Report struct {
	Status string                 `json:"status"`
	Stores map[string]StoreReport `json:"stores,omitempty"`
	Checks map[string]string      `json:"checks,omitempty"` // "ok", or the error
}

// A StoreReport is a store.Health, and the error of asking for it.
type StoreReport struct {
	Status     string  `json:"status"`
	Degraded   string  `json:"degraded,omitempty"`
	Err        string  `json:"err,omitempty"`
	LatencyMS  float64 `json:"latency_ms"`
	LocalBytes int64   `json:"local_bytes"`
	Budget     int64   `json:"local_budget"`
	Entries    int64   `json:"local_entries"`
}

// Probe says what Ready looks at. The zero Probe is always ready.
type Probe struct {
	// Stores are asked how they are, by name; middleware.Cache and swr.Cache are
	// Pingers too. They make no difference to the status code.
	Stores map[string]store.Pinger
	// Checks are what the program cannot do without, by name: an error makes it not
	// ready.
	Checks  map[string]func(context.Context) error
	Timeout time.Duration // of all of it; 0: 1 s
}

// Ready answers 200 while requests may be sent here, and 503 if not, with a
// Report. It asks when it is asked, everything at the same time.
func Ready(p Probe) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		report := p.Report(r.Context())
		code := http.StatusOK
		if report.Status == Down {
			code = http.StatusServiceUnavailable
		}
		write(w, code, report)
	})
}

// Report asks, everything at the same time, and returns what Ready answers.
func (p Probe) Report(ctx context.Context) Report {
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	report := Report{Status: OK, Stores: make(map[string]StoreReport), Checks: make(map[string]string)}
	var mu sync.Mutex
	var all sync.WaitGroup
	for name, s := range p.Stores {
		all.Go(func() {
			one := look(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			report.Stores[name] = one
			if one.Status != OK && report.Status == OK {
				report.Status = Degraded
			}
		})
	}
	for name, check := range p.Checks {
		all.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			if report.Checks[name] = OK; err != nil {
				report.Checks[name], report.Status = err.Error(), Down
			}
		})
	}
	all.Wait()
	return report
}

// look asks s how it is.
func look(ctx context.Context, s store.Pinger) StoreReport {
	h, err := s.Ping(ctx)
	r := StoreReport{
		Status: OK, Degraded: h.Degraded, LatencyMS: float64(h.Latency) / float64(time.Millisecond),
		LocalBytes: h.Local.Bytes, Budget: h.Local.Budget, Entries: h.Local.Entries,
	}
	if err != nil {
		r.Err = err.Error()
	}
	if err != nil || h.Degraded != "" {
		r.Status = Degraded
	}
	return r
}

func write(w http.ResponseWriter, code int, report Report) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(report) // the client's connection is all that can fail
}
