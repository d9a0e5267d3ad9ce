package consistency

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxVersions bounds the purges of one resource in one trial.
const maxVersions = 1 << 18

// A history is what has happened to one resource.
type history struct {
	name    string
	soft    bool // purges make it stale
	version atomic.Int64
	purges  []purge // by version: the purge that ended the one before it

	mu     sync.Mutex
	stored map[string]*sightings // by variant
	lags   map[sighting]int64    // worst of each purge and instance
}

// A purge is written once, when it has returned without an error.
type purge struct {
	returned atomic.Int64 // ns since the trial began; 0: it has not, or failed
	by       atomic.Int64 // the instance that asked for it
}

type sighting struct {
	version  int64
	instance int
}

func newHistory(name string, soft bool) *history {
	h := &history{name: name, soft: soft, purges: make([]purge, maxVersions), stored: map[string]*sightings{}, lags: map[sighting]int64{}}
	h.version.Store(1)
	return h
}

// purged notes that a purge has returned.
func (h *history) purged(version int64, by int, at int64) {
	h.purges[version].by.Store(int64(by))
	h.purges[version].returned.Store(at)
}

// An answer is what a reader got.
type answer struct {
	instance int
	variant  string
	asked    int64  // ns since the trial began
	outcome  string // X-Cache, or COLLAPSED for another caller's answer
	version  int64
	start    int64 // when the handler started
}

// bounds are how old an answer may be.
type bounds struct {
	elsewhere time.Duration // after a purge at another instance
	ordered   bool          // no value follows a newer one at one instance
}

// judge returns what a violates, or "".
func (h *history) judge(a answer, b bounds) (guarantee, text string) {
	if h.soft && a.outcome == "STALE" {
		return "", ""
	}
	if g, text := h.judgePurges(a, b); g != "" {
		return g, text
	}
	if a.outcome == "HIT" {
		return h.judgeOrder(a, b)
	}
	return "", ""
}

// judgePurges looks for purges of something newer that had returned when a was
// asked for.
func (h *history) judgePurges(a answer, b bounds) (guarantee, text string) {
	here, elsewhere, first := int64(0), int64(0), int64(0)
	for v := a.version + 1; v <= h.version.Load(); v++ {
		returned := h.purges[v].returned.Load()
		if returned == 0 || returned >= a.asked {
			continue
		}
		lag := a.asked - returned
		if h.purges[v].by.Load() == int64(a.instance) {
			here = max(here, lag)
		} else if lag > elsewhere {
			elsewhere, first = lag, v
		}
	}
	if here > 0 {
		return "G1", fmt.Sprintf("%s at %d: version %d (%s) %v after the purge here", h.name, a.instance, a.version, a.outcome, time.Duration(here))
	}
	if elsewhere == 0 {
		return "", ""
	}
	h.mu.Lock()
	at := sighting{first, a.instance}
	h.lags[at] = max(h.lags[at], elsewhere)
	h.mu.Unlock()
	if elsewhere > int64(b.elsewhere) {
		return "G2", fmt.Sprintf("%s at %d: version %d (%s) %v after a purge elsewhere", h.name, a.instance, a.version, a.outcome, time.Duration(elsewhere))
	}
	return "", ""
}

// sightings are the stored values seen of one variant: everywhere, and at each
// instance.
type sightings struct {
	all  record
	here map[int]*record
}

// A record has values, each newer than the ones before it, as far back as the
// bounds need.
type record []seen

// seen is when a handler started, and when its answer was complete at a reader.
type seen struct{ start, at int64 }

// keptSightings cover more than the longest bound at any rate of purges here.
const keptSightings = 256

func (r *record) add(s seen) {
	if n := len(*r); n > 0 && s.start <= (*r)[n-1].start {
		return
	}
	if *r = append(*r, s); len(*r) > 2*keptSightings {
		*r = slices.Delete(*r, 0, keptSightings)
	}
}

// newer returns the newest start, after start, of what was seen before at; 0:
// there is none.
func (r record) newer(start, at int64) int64 {
	for i := len(r) - 1; i >= 0 && r[i].start > start; i-- {
		if r[i].at < at {
			return r[i].start
		}
	}
	return 0
}

// of returns the sightings of a variant. The caller holds h.mu.
func (h *history) of(variant string, instance int) (*sightings, *record) {
	s := h.stored[variant]
	if s == nil {
		s = &sightings{here: map[int]*record{}}
		h.stored[variant] = s
	}
	if s.here[instance] == nil {
		s.here[instance] = &record{}
	}
	return s, s.here[instance]
}

// judgeOrder looks for a stored value whose handler started later and that had
// been seen when a was asked for.
func (h *history) judgeOrder(a answer, b bounds) (guarantee, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, here := h.of(a.variant, a.instance)
	newest := s.all.newer(a.start, a.asked-int64(b.elsewhere))
	if b.ordered {
		newest = max(newest, here.newer(a.start, a.asked))
	}
	if newest > 0 {
		return "G3", fmt.Sprintf("%s at %d: a value made %v before one seen earlier", h.name, a.instance, time.Duration(newest-a.start))
	}
	return "", ""
}

// saw notes that a stored value has been seen, once its answer is complete.
func (h *history) saw(a answer, at int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, here := h.of(a.variant, a.instance)
	s.all.add(seen{a.start, at})
	here.add(seen{a.start, at})
}
