package redisstore

import (
	"context"
	"sync"
	"time"
)

// beats keeps the proof of life of every tracked connection fresh. A heartbeat
// is a tracked read of a key that nobody writes, not a PING: it is routed by
// slot, so a cluster node that has lost its slots does not vouch for them.
type beats struct {
	mu    sync.Mutex
	conns map[*conn]bool // true: a heartbeat is under way
	lost  int64          // when the last one was that broke, on the store's clock; 0: none has
	last  int64          // the newest proof of those that broke; 0: none has
	now   chan struct{}
}

func newBeats() *beats {
	return &beats{conns: make(map[*conn]bool), now: make(chan struct{}, 1)}
}

func (b *beats) join(c *conn) {
	b.mu.Lock()
	c.joined = c.s.clock()
	b.conns[c] = false
	b.mu.Unlock()
	b.kick()
}

func (b *beats) leave(c *conn) {
	b.mu.Lock()
	if _, joined := b.conns[c]; joined {
		b.lost = c.s.clock()
		b.last = max(b.last, c.proof.Load(), c.joined)
	}
	delete(b.conns, c)
	b.mu.Unlock()
	b.kick() // and the loss is told
}

// lag returns how long ago the connection that is worst off proved itself alive. One
// that has never done so has read nothing before it joined. Where all have broken, and
// away says that there is nobody to connect to, the last proof of theirs counts on.
func (b *beats) lag(now int64, away bool) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := now
	if len(b.conns) == 0 && away && b.last != 0 {
		oldest = b.last
	}
	for c := range b.conns {
		oldest = min(oldest, max(c.proof.Load(), c.joined))
	}
	return time.Duration(now - oldest)
}

// allAfter reports whether every connection has answered a heartbeat that was
// sent later.
func (b *beats) allAfter(after int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		if c.proof.Load() <= after {
			return false
		}
	}
	return true
}

// kick asks for heartbeats at once: a connection is new, or suspect.
func (b *beats) kick() {
	select {
	case b.now <- struct{}{}:
	default:
	}
}

// beat runs until the store is closed.
func (s *Store) beat() {
	defer s.tasks.Done()
	tick := time.NewTicker(time.Duration(s.trust) / 4)
	defer tick.Stop()
	var l link
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		case <-s.beats.now:
		}
		s.tell(&l)
		for _, c := range s.beats.due() {
			s.tasks.Add(1)
			go s.sendBeat(c)
		}
		s.local.tend() // if who has asked is gone
	}
}

// beatLost is when a heartbeat without an answer was never sent: long before,
// rueidis closes a connection that answers nothing.
const beatLost = 10 * time.Second

// due returns the connections without a heartbeat under way, and marks them. One
// that was given up is under way until it is answered: answers look alike.
func (b *beats) due() (due []*conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c, underWay := range b.conns {
		if !underWay && !c.awaitsBeat() {
			b.conns[c] = true
			due = append(due, c)
		}
	}
	return due
}

func (b *beats) done(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.conns[c]; ok {
		b.conns[c] = false
	}
}

// sendBeat ends by the usual deadline: waiting longer would gain nothing, since
// a late answer counts all the same, and the call may have to dial, which others
// would wait for.
func (s *Store) sendBeat(c *conn) {
	defer s.tasks.Done()
	defer s.beats.done(c)
	cl := s.client.Load()
	if cl == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, time.Duration(s.timeout))
	defer cancel()
	key := s.keys.beat(c.heartbeatTag())
	// The answer is taken by conn.Update; an error proves nothing, and the next tick tries again.
	_ = (*cl).DoCache(ctx, (*cl).B().Get().Key(key).Cache().ToStaticTTL(), time.Second).Error()
}
