package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	// againSince is how long before a connection was lost a purge may have been
	// made that is made again: a primary that dies takes with it what it had not
	// sent to its replicas, usually less than a second's.
	againSince = 10 * time.Second
	// againFor is how long the purges of before are tried again.
	againFor = time.Minute
	// maxRecent bounds the keys that are remembered.
	maxRecent = 4096
)

// recents are the purges that a failover might have lost. They are made again
// when a connection was lost, whatever the reason: in vain, if no failover was
// it, at the price of some misses.
type recents struct {
	mu      sync.Mutex
	keys    []recent // the oldest first
	logs    [numLogs]int64
	running bool
}

type recent struct {
	key  string
	soft bool
	at   int64 // on the store's clock
}

func (r *recents) noteKeys(keys []string, soft bool, now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys[max(0, len(keys)-maxRecent):] {
		r.keys = append(r.keys, recent{key, soft, now})
	}
	if over := len(r.keys) - maxRecent; over > 0 {
		r.keys = append(r.keys[:0], r.keys[over:]...)
	}
}

func (r *recents) noteLogs(set uint64, now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range members(set) {
		r.logs[i] = now
	}
}

// begin returns what was purged since, if nobody makes it again already.
func (r *recents) begin(since int64) (hard, soft []string, logs uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running {
		return nil, nil, 0
	}
	for _, p := range r.keys {
		switch {
		case p.at < since:
		case p.soft:
			soft = append(soft, p.key)
		default:
			hard = append(hard, p.key)
		}
	}
	for i, at := range r.logs {
		if at != 0 && at >= since {
			logs |= 1 << i
		}
	}
	r.running = hard != nil || soft != nil || logs != 0
	return hard, soft, logs
}

func (r *recents) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = false
}

// purgeAgain repeats, once Redis can be reached, what was purged shortly before
// a connection was lost.
func (s *Store) purgeAgain() {
	hard, soft, logs := s.recents.begin(s.clock() - int64(againSince))
	if hard == nil && soft == nil && logs == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.tasks.Add(1)
	go func() {
		defer s.tasks.Done()
		defer s.recents.end()
		ctx, cancel := context.WithTimeout(s.ctx, againFor)
		defer cancel()
		err := errors.Join(s.repeat(ctx, hard, false), s.repeat(ctx, soft, true), s.raiseLogs(ctx, logs))
		s.options.Logger.Info("redisstore: purges of before a connection was lost are made again",
			"keys", len(hard)+len(soft), "logs", len(members(logs)), "error", err)
	}()
}

func (s *Store) repeat(ctx context.Context, keys []string, soft bool) error {
	s.purges.Add(1)
	defer s.purges.Add(1)
	_, err := s.dropKeys(ctx, keys, soft)
	return err
}

// raiseLogs looks at the logs of set: one that is behind what this process has
// seen of it has lost purges, and who looks closes everything older.
func (s *Store) raiseLogs(ctx context.Context, set uint64) error {
	if set == 0 {
		return nil
	}
	return s.persist(ctx, func(ctx context.Context, _ rueidis.Client) error {
		return s.asTold().readLogs(ctx, set, new(logs), false)
	})
}
