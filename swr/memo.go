package swr

import (
	"math/rand/v2"
	"time"

	"github.com/reprise-go/reprise/store"
)

// maxMemos bounds what a Group remembers of slots: some 100 bytes each, beside
// the keys.
const maxMemos = 4096

const (
	minBackoff = time.Second
	maxBackoff = time.Minute
)

// memos remember, for a while, what is known of slots besides what is stored:
// that their results cannot be shared (hit-for-miss), and that refreshing them
// failed. Group.mu guards them.
type memos struct {
	of map[store.Slot]memo
}

type memo struct {
	passUntil  time.Time
	why        error // Made.Why, or store.ErrFull
	retryAfter time.Time
	failures   int
}

func newMemos() memos { return memos{of: make(map[store.Slot]memo)} }

func (m memos) passing(slot store.Slot, now time.Time) bool {
	return now.Before(m.of[slot].passUntil)
}

func (m memos) pass(slot store.Slot, why error, now, until time.Time) {
	e := m.of[slot]
	e.passUntil, e.why = until, why
	m.put(slot, e, now)
}

// refreshDue is false as well where the last result could not be shared: a
// refresh would most likely bring another that nothing can be done with.
func (m memos) refreshDue(slot store.Slot, now time.Time) bool {
	return !now.Before(m.of[slot].retryAfter) && !m.passing(slot, now)
}

// refreshed makes each failure in a row double the time to the next try.
func (m memos) refreshed(slot store.Slot, now time.Time, ok bool) {
	e := m.of[slot]
	if ok {
		if m.passing(slot, now) { // which this very refresh may have found out
			m.of[slot] = memo{passUntil: e.passUntil, why: e.why}
		} else {
			delete(m.of, slot)
		}
		return
	}
	wait := min(minBackoff<<min(e.failures, 10), maxBackoff)
	e.failures++
	e.retryAfter = now.Add(wait - wait/4 + rand.N(wait/2))
	m.put(slot, e, now)
}

// put keeps the memos within maxMemos. What is forgotten early costs a fill
// that could have been spared, nothing else.
func (m memos) put(slot store.Slot, e memo, now time.Time) {
	if _, known := m.of[slot]; !known && len(m.of) >= maxMemos {
		m.sweep(now)
	}
	m.of[slot] = e
}

// sweep forgets what is over, and if that is too little, any others.
func (m memos) sweep(now time.Time) {
	for slot, e := range m.of {
		if !now.Before(e.passUntil) && !now.Before(e.retryAfter) {
			delete(m.of, slot)
		}
	}
	for slot := range m.of {
		if len(m.of) <= maxMemos*3/4 {
			return
		}
		delete(m.of, slot)
	}
}

// refreshDue tells whether slot may be refreshed now, and nobody fills it.
func (g *Group[V]) refreshDue(slot store.Slot) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.underWay(slot)
	return (f == nil || f.apart) && g.memos.refreshDue(slot, time.Now())
}

func (g *Group[V]) refreshed(slot store.Slot, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.memos.refreshed(slot, time.Now(), err == nil)
}
