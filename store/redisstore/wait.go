package redisstore

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// wakers are those who wait for a push of a control key.
type wakers struct {
	mu    sync.Mutex
	byKey map[string]map[chan struct{}]struct{}
}

func newWakers() *wakers { return &wakers{byKey: make(map[string]map[chan struct{}]struct{})} }

// add registers a waiter. A push that comes while it does not listen stays in
// the channel.
func (w *wakers) add(key string) chan struct{} {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	set := w.byKey[key]
	if set == nil {
		set = make(map[chan struct{}]struct{}, 1)
		w.byKey[key] = set
	}
	set[ch] = struct{}{}
	return ch
}

func (w *wakers) remove(key string, ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set := w.byKey[key]
	delete(set, ch)
	if len(set) == 0 {
		delete(w.byKey, key)
	}
}

func (w *wakers) wake(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	signal(w.byKey[key])
}

func (w *wakers) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, set := range w.byKey {
		signal(set)
	}
}

func signal(set map[chan struct{}]struct{}) {
	for ch := range set {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Wait is of store.Leaser. It watches the control key alone: a commit, a
// release, a purge and a Steal all change it.
func (s *Store) Wait(ctx context.Context, slot store.Slot) error {
	begun := time.Now()
	err := s.wait(ctx, slot)
	s.record("wait", begun, err)
	return err
}

func (s *Store) wait(ctx context.Context, slot store.Slot) error {
	key := s.keys.control(slot.Key)
	woken := s.wakers.add(key) // before the read, or a push between would be lost
	defer s.wakers.remove(key, woken)
	lapse := time.NewTimer(0)
	defer lapse.Stop()
	for first := ""; ; {
		holder, left, err := s.holder(ctx, key, slot)
		if err != nil {
			return err
		}
		// Another holder means that the one waited for is done.
		if holder == "" || left <= 0 || first != "" && holder != first {
			return nil
		}
		first = holder
		// No push tells of a lease that lapses: Redis finds out when asked.
		lapse.Reset(s.lookAgain(left + time.Millisecond))
		select {
		case <-woken:
		case <-lapse.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return errClosed
		}
	}
}

// poll is how often a waiter asks where Redis does not push.
const poll = 20 * time.Millisecond

func (s *Store) lookAgain(left time.Duration) time.Duration {
	if s.untracked.Load() {
		return min(left, poll)
	}
	return left
}

// holder returns the stamp of slot's lease and what is left of its life; "":
// nobody holds it. The read is tracked, so that Redis pushes the next change.
func (s *Store) holder(ctx context.Context, key string, slot store.Slot) (stamp string, left time.Duration, err error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	var raw string
	err = s.exchange(ctx, home(slot.Key), func(ctx context.Context, cl rueidis.Client) (err error) {
		for err = errJoin; errors.Is(err, errJoin) && ctx.Err() == nil; {
			raw, err = cl.DoCache(ctx, cl.B().Hget().Key(key).Field(slot.Variant).Cache().ToStaticTTL(), tracked).ToString()
		}
		if rueidis.IsRedisNil(err) {
			return nil
		}
		return err
	})
	if err != nil || len(raw) <= 16 {
		return "", 0, err
	}
	deadline, err := strconv.ParseInt(raw[16:], 10, 64)
	if err != nil {
		return "", 0, nil // not ours: nobody holds it
	}
	left = time.Duration(deadline-s.redisMillis()) * time.Millisecond
	// Whatever the clocks say, no lease is longer than a Lease.
	return raw[:16], min(left, s.options.Lease), nil
}

// setClock notes Redis's time, which deadlines of leases are in.
func (s *Store) setClock(millis int64) { s.ahead.Store(millis - time.Now().UnixMilli()) }

func (s *Store) redisMillis() int64 { return time.Now().UnixMilli() + s.ahead.Load() }
