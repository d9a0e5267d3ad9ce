package redisstore

import (
	"time"

	"github.com/reprise-go/reprise/store"
)

// quiet is how long after a loss, or an error of the same kind, was told the next
// is not: a connection that comes and goes does not fill a log.
const quiet = 10 * time.Second

// A link is what the log says of the connection. Only one goroutine looks at it.
type link struct {
	lost   int64 // since when it is, on the store's clock; 0: it is not
	losses int   // since one was told
	told   bool  // that it is
	at     int64 // when that was, the last time; 0: never
	looked int64
}

// news is what there is to tell.
type news uint8

const (
	nothing news = iota
	lost
	regained
)

// look takes how the connection is at now. A loss is told at once, or quiet after
// the one that was told before, if it lasts; its end, if it was told itself.
func (l *link) look(away bool, now int64) news {
	switch {
	case !away:
		l.lost = 0
		if l.told {
			l.told = false
			return regained
		}
		return nothing
	case l.lost == 0:
		l.lost = now
		l.losses++
	}
	if l.told || l.at != 0 && now-l.at < int64(quiet) {
		return nothing
	}
	l.told, l.at = true, now
	return lost
}

// tell logs what has become of the connection. Before there is one, connect says
// what there is to say.
func (s *Store) tell(l *link) {
	now := s.clock()
	slept := l.looked != 0 && now-l.looked > s.trust // and knows no more than the proofs of before
	l.looked = now
	if s.client.Load() == nil || slept {
		return
	}
	why, since := s.away(now), l.lost
	switch l.look(why != "", now) {
	case lost:
		args := []any{"why", why, "losses", l.losses}
		l.losses = 0
		if err := s.cause.Swap(nil); err != nil {
			args = append(args, "error", *err)
		}
		s.options.Logger.Warn("redisstore: connection lost; going on without it", args...)
	case regained:
		s.options.Logger.Info("redisstore: connection regained", "after", time.Duration(now-since).Round(time.Millisecond))
	}
}

// away says in what way Redis, or a node of a Cluster, is; "": it is not, as far
// as is known.
func (s *Store) away(now int64) string {
	if s.anyOpen() {
		return store.BreakerOpen
	}
	return s.beats.away(now, s.trust, !s.untracked.Load() && !s.cluster.Load())
}

// away says what the heartbeats tell. That a connection broke counts, if single
// says that there is no more than one, until another one has proved itself: of
// several, any would have.
func (b *beats) away(now, trust int64, single bool) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	broken := single && b.lost != 0
	for c := range b.conns {
		proof := c.proof.Load()
		if proof != 0 && now-proof >= trust {
			return store.LocalUntrusted
		}
		broken = broken && proof <= b.lost
	}
	if broken {
		return "closed"
	}
	return ""
}

// A report is an error that was logged, and whether the next one is worth it.
type report struct {
	text string
	at   int64
}

// isNews tells whether text, at now, is to be logged, and remembers it then.
func (r *report) isNews(text string, now int64) bool {
	if text == r.text || r.at != 0 && now-r.at < int64(quiet) {
		return false
	}
	r.text, r.at = text, now
	return true
}
