package redisstore

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

var (
	errOffline = errors.New("redisstore: Redis cannot be reached")
	errClosed  = errors.New("redisstore: closed")
)

const (
	// maxCalls bounds the calls in flight. Those given up keep their place in
	// rueidis's ring of 4,096 until they are answered, and a full ring ignores
	// deadlines; maxCalls and the breaker together keep it from filling up.
	maxCalls = 1024
	// tripAfter is how many calls in a row must fail to leave Redis alone that
	// does not keep callers waiting.
	tripAfter = 5
	// maxWriting bounds the bytes of the values that commits are sending: of all
	// together, not of one.
	maxWriting = 64 << 20
)

// limit returns the context of one operation, whatever number of exchanges it
// takes. The request's own cancellation must not reach a read: others may have
// joined it.
func (s *Store) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Duration(s.timeout))
}

// exchange runs one exchange with the node of log, and none while that node is
// known to be away. ctx comes from limit.
func (s *Store) exchange(ctx context.Context, log int, f func(context.Context, rueidis.Client) error) error {
	b := s.breaker(log)
	cl, err := s.enter(ctx, b)
	if err != nil {
		return err
	}
	defer s.leave()
	b.unanswered.CompareAndSwap(0, s.clock())
	err = f(ctx, cl)
	s.note(log, b, err)
	return err
}

// enter waits for a place among the calls in flight.
func (s *Store) enter(ctx context.Context, b *breaker) (rueidis.Client, error) {
	cl := s.client.Load()
	if s.ctx.Err() != nil {
		return nil, errClosed
	}
	if cl == nil || b.open.Load() {
		return nil, errOffline
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s.calls <- struct{}{}:
	default:
		select {
		case s.calls <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if b.open.Load() { // it opened while this call waited
		s.leave()
		return nil, errOffline
	}
	return *cl, nil
}

func (s *Store) leave() { <-s.calls }

// A breaker keeps calls from a node that does not answer. It is closed again by
// a probe in the background, never by a caller's request.
type breaker struct {
	failed     atomic.Int32
	unanswered atomic.Int64 // since when nothing was, on the store's clock; 0: the last call was
	open       atomic.Bool
}

// answered is for a call that Redis has answered, one way or another.
func (b *breaker) answered() {
	b.unanswered.Store(0)
	if b.failed.Load() != 0 {
		b.failed.Store(0)
	}
}

// trips counts a failed call, and tells whether that is one too many. One is
// enough if nothing at all was answered for nearly a whole Timeout: whoever
// asked on, now or next in the same request, would wait as long.
func (b *breaker) trips(now, timeout int64) bool {
	failed, silent := b.failed.Add(1), b.unanswered.Load()
	return failed >= tripAfter || silent != 0 && now-silent >= timeout-timeout/8
}

// breaker returns the one for the node of log. In a Cluster the nodes cannot be
// told apart from here, so every log, a 64th of the slots, has its own.
func (s *Store) breaker(log int) *breaker {
	if !s.cluster.Load() {
		log = 0
	}
	return &s.breakers[log]
}

func (s *Store) note(log int, b *breaker, err error) {
	if err == nil || answered(err) {
		b.answered()
		return
	}
	if !b.trips(s.clock(), s.timeout) || !b.open.CompareAndSwap(false, true) {
		return
	}
	s.cause.Store(&err)
	s.beats.kick() // and the loss is told
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.tasks.Add(1)
		go s.probe(log, b)
	}
}

// probe asks the node of log until it answers in time for others to ask, too. It
// waits longer than they may, for it may have to connect first.
func (s *Store) probe(log int, b *breaker) {
	defer s.tasks.Done()
	for delay := s.options.MinBackoff; s.pause(delay); delay = min(2*delay, s.options.MaxBackoff) {
		client := s.client.Load() // a call has failed on it
		cl, begun := *client, s.clock()
		ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
		err := cl.Do(ctx, cl.B().Exists().Key(s.keys.logs[log]).Build()).Error()
		cancel()
		if (err == nil || answered(err)) && s.clock()-begun <= s.timeout {
			b.answered()
			b.open.Store(false)
			s.beats.kick() // and the end of the loss is told
			return
		}
		if errors.Is(err, rueidis.ErrNoCache) && !isBusy(err) {
			s.replace(client, err)
		}
	}
}

// answered reports whether err is Redis's own word, so that the way there and
// back works.
func answered(err error) bool {
	_, ok := rueidis.IsRedisErr(err)
	return ok
}

// refusals are the first words with which Redis says no to whatever is asked,
// and what they are recorded as: each is for another person to mend.
var refusals = map[string]string{
	"OOM":       "oom",
	"READONLY":  "readonly",
	"LOADING":   "loading",
	"NOAUTH":    "noauth",
	"WRONGPASS": "noauth",
	"NOPERM":    "noauth",
	"WRONGTYPE": "wrongtype",
}

// resultOf returns the name under which err is recorded.
func resultOf(err error) string {
	if errors.Is(err, errNewer) {
		return "newer"
	}
	if errors.Is(err, errMalformed) {
		return "unreadable"
	}
	if result := store.Result(err); result != "" {
		return result
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "timeout"
	}
	var no *rueidis.RedisError
	if errors.As(err, &no) {
		word, _, _ := strings.Cut(no.Error(), " ")
		if result, ok := refusals[word]; ok {
			return result
		}
	}
	return "error"
}
