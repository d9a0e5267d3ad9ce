package admin

import (
	"maps"
	"slices"
	"time"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// statistics are what /stats answers. Times are in nanoseconds.
type statistics struct {
	Every    time.Duration  `json:"every_ns"` // between two samples
	Policies []policyCounts `json:"policies"`
	Caches   []cacheCounts  `json:"data_caches"`
}

type policyCounts struct {
	Policy   string                 `json:"policy"`
	Outcomes map[swr.Outcome]uint64 `json:"outcomes"` // requests since the start
	Start    step                   `json:"start"`    // since then
	Window   step                   `json:"window"`   // since the first of Recent, ten minutes at most
	Recent   []step                 `json:"recent"`   // the latest last
}

type cacheCounts struct {
	Cache   string  `json:"cache"`
	HitRate float64 `json:"hit_rate"`
	cacheStats
}

// cacheStats is swr.Stats with names for JSON.
type cacheStats struct {
	Hits        uint64        `json:"hits"`
	Stale       uint64        `json:"stale"`
	Collapsed   uint64        `json:"collapsed"`
	Misses      uint64        `json:"misses"`
	Rescued     uint64        `json:"rescued"`
	Bypassed    uint64        `json:"bypassed"`
	Errors      uint64        `json:"errors"`
	Refused     uint64        `json:"refused"`
	Failures    uint64        `json:"failures"`
	Loads       uint64        `json:"loads"`
	Latency     time.Duration `json:"latency_ns"`
	LoadLatency time.Duration `json:"load_latency_ns"`
}

func (h *Handler) statistics() statistics {
	s := statistics{Every: sampleEvery, Policies: []policyCounts{}, Caches: []cacheCounts{}}
	if h.o.Counts != nil {
		now := time.Now()
		for _, n := range h.o.Counts.Counts() {
			p := policyCounts{Policy: n.Policy, Outcomes: make(map[swr.Outcome]uint64), Start: stepOf(middleware.PolicyCounts{}, n, now)}
			for o, count := range n.Requests {
				p.Outcomes[swr.Outcome(o)] = count
			}
			p.Recent, p.Window = h.trend.steps(n.Policy)
			s.Policies = append(s.Policies, p)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.o.DataCaches)) {
		n := h.o.DataCaches[name].Stats()
		s.Caches = append(s.Caches, cacheCounts{name, n.HitRate(), cacheStats(n)})
	}
	return s
}
