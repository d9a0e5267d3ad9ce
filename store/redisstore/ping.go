package redisstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// Ping is of store.Pinger. It asks each node that keys can be on, in one round
// trip, whatever the breakers say, and ends by Options.Timeout. Where only some
// of a Cluster's nodes answer, that is store.PartlyAway, and no error.
func (s *Store) Ping(ctx context.Context) (store.Health, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	p := s.ping(ctx)
	h := store.Health{
		Latency: p.slowest, Degraded: strings.Join(s.degraded(p), ", "),
		Lag: s.beats.lag(s.clock(), p.answered == 0), Local: s.local.size(),
	}
	if p.answered > 0 {
		return h, nil
	}
	return h, fmt.Errorf("redisstore: ping: %w", p.failed)
}

// A pong is what came of a ping.
type pong struct {
	answered int // of those asked
	slowest  time.Duration
	failed   error // of one that did not
}

// pongs is a pong that comes to be.
type pongs struct {
	mu sync.Mutex
	pong
}

func (p *pongs) add(took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.failed = err
		return
	}
	p.answered++
	p.slowest = max(p.slowest, took)
}

// missing returns what has come, where the rest did not for the reason of err.
func (p *pongs) missing(err error) pong {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = err
	}
	return p.pong
}

// ping asks in a goroutine of its own: who has to connect first may wait for
// another's attempt, which has a deadline of its own.
func (s *Store) ping(ctx context.Context) pong {
	cl := s.client.Load()
	if cl == nil {
		return pong{failed: errOffline}
	}
	select {
	case s.calls <- struct{}{}:
	case <-ctx.Done():
		return pong{failed: ctx.Err()}
	}
	p, done := &pongs{}, make(chan struct{})
	if !s.spawn(func() { defer close(done); defer s.leave(); s.askNodes(ctx, *cl, p) }) {
		s.leave()
		return pong{failed: errClosed}
	}
	select {
	case <-done:
		return p.pong
	case <-ctx.Done():
		return p.missing(ctx.Err())
	}
}

// spawn runs f in a goroutine that Close waits for; false: the store is closed.
func (s *Store) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.tasks.Go(f)
	return true
}

// askNodes reads a key of the node, or of each log's in a Cluster: which node has
// which cannot be told from here, and who owns no slot is of no use.
func (s *Store) askNodes(ctx context.Context, cl rueidis.Client, p *pongs) {
	if !s.cluster.Load() {
		p.add(s.askNode(ctx, cl, 0))
		return
	}
	var wg sync.WaitGroup
	for log := range numLogs {
		wg.Go(func() { p.add(s.askNode(ctx, cl, log)) })
	}
	wg.Wait()
}

func (s *Store) askNode(ctx context.Context, cl rueidis.Client, log int) (time.Duration, error) {
	begun := time.Now()
	err := cl.Do(ctx, cl.B().Exists().Key(s.keys.logs[log]).Build()).Error()
	return time.Since(begun), err
}

// degraded lists what is not as it should be, the worst first.
func (s *Store) degraded(p pong) (list []string) {
	has := func(condition string, holds bool) {
		if holds {
			list = append(list, condition)
		}
	}
	if p.failed != nil {
		has(p.condition(), true)
	}
	has(store.BreakerOpen, s.anyOpen())
	has(store.NoTracking, s.untracked.Load())
	has(store.LocalUntrusted, s.beats.anyLapsed(s.clock()))
	return list
}

func (p *pong) condition() string {
	switch {
	case p.answered > 0:
		return store.PartlyAway
	case answered(p.failed):
		return store.Refusing
	case errors.Is(p.failed, context.DeadlineExceeded) || errors.Is(p.failed, context.Canceled) || errors.Is(p.failed, os.ErrDeadlineExceeded):
		return store.NotAnswering
	}
	return store.NotConnected
}

// anyOpen tells whether calls are kept from a node.
func (s *Store) anyOpen() bool {
	for i := range s.breakers {
		if s.breakers[i].open.Load() {
			return true
		}
	}
	return false
}

// anyLapsed tells whether a connection that was read on does not vouch for what
// was read.
func (b *beats) anyLapsed(now int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		if !c.live(now, 0) {
			return true
		}
	}
	return false
}
