package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// millis returns the life that the lease is to have from now: never past
// Claim.Hold, however it is renewed.
func (l *lease) millis() string {
	return millis(max(min(l.s.options.Lease, time.Duration(l.until-l.s.clock())), 1))
}

// keep renews the lease until it is over. A timer, not a goroutine: a fill may
// take minutes.
func (l *lease) keep() {
	l.mu.Lock()
	l.renew = time.AfterFunc(l.s.options.Lease/3, l.extend)
	l.mu.Unlock()
	l.s.mu.Lock()
	l.s.leases[l] = struct{}{}
	l.s.mu.Unlock()
}

// extend renews once. A renewal that fails is tried again by the next one.
func (l *lease) extend() {
	l.s.mu.Lock()
	if l.s.closed {
		l.s.mu.Unlock()
		return
	}
	l.s.tasks.Add(1)
	l.s.mu.Unlock()
	defer l.s.tasks.Done()
	if l.s.clock() >= l.until {
		return
	}
	begun := time.Now()
	ctx, cancel := l.s.limit(l.s.ctx)
	defer cancel()
	kept, err := l.hold(ctx, l.millis())
	if err == nil && !kept {
		err = store.ErrOvertaken
	}
	l.s.record("renew", begun, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over && !errors.Is(err, store.ErrOvertaken) {
		l.renew.Reset(l.s.options.Lease / 3)
	}
}

// hold renews the lease, or with "0" ends it; false: it was not held any more.
// ctx comes from limit.
func (l *lease) hold(ctx context.Context, millis string) (held bool, err error) {
	err = l.s.exchange(ctx, home(l.slot.Key), func(ctx context.Context, cl rueidis.Client) (err error) {
		held, err = run(ctx, cl, l.holdCall(millis))[0].AsBool()
		return err
	})
	return held, err
}

func (l *lease) holdCall(millis string) scriptCall {
	stamp := string(l.stamp[:])
	return scriptCall{script: holdScript, keys: []string{l.s.keys.control(l.slot.Key)}, args: []string{l.slot.Variant, stamp, millis, stamp}}
}

// end makes the lease over; false: it was already.
func (l *lease) end() bool {
	l.mu.Lock()
	was := l.over
	l.over = true
	if l.renew != nil {
		l.renew.Stop()
	}
	l.mu.Unlock()
	return !was
}

// forget leaves nothing to do for Close.
func (l *lease) forget() {
	l.s.mu.Lock()
	delete(l.s.leases, l)
	l.s.mu.Unlock()
}

// stop ends the renewals of a lease that outlives its store.
func (l *lease) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renew.Stop()
}

// Release is of store.Lease.
func (l *lease) Release(ctx context.Context) error {
	if !l.end() {
		return store.ErrOvertaken
	}
	defer l.forget() // not before Redis knows: Close may end the connection meanwhile, and then has to tell it
	if l.offline != nil {
		return nil
	}
	begun := time.Now()
	ctx, cancel := l.s.limit(ctx)
	defer cancel()
	held, err := l.hold(ctx, "0")
	if err != nil {
		l.s.releaseLater(l, err)
	} else if !held {
		err = store.ErrOvertaken
	}
	l.s.record("release", begun, err)
	return err
}

// releaseLater ends a lease that Redis may still have although no answer came,
// so that those who wait for it need not wait until it lapses.
func (s *Store) releaseLater(l *lease, err error) {
	if answered(err) || errors.Is(err, errClosed) {
		return
	}
	select {
	case s.cleanups <- struct{}{}:
	default:
		return // it lapses
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		<-s.cleanups
		return
	}
	s.tasks.Add(1)
	go func() {
		defer s.tasks.Done()
		defer func() { <-s.cleanups }()
		for delay := minBackoff; delay <= maxBackoff; delay *= 5 {
			ctx, cancel := s.limit(s.ctx)
			_, err := l.hold(ctx, "0")
			cancel()
			if err == nil || answered(err) || !s.pause(delay) {
				return
			}
		}
	}()
}

// releaseAll ends the leases that are left when the store closes.
func (s *Store) releaseAll(held []*lease) {
	cl := s.client.Load()
	if cl == nil || len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.timeout))
	defer cancel()
	const batch = 500
	for len(held) > 0 {
		n := min(batch, len(held))
		calls := make([]scriptCall, n)
		for i, l := range held[:n] {
			calls[i] = l.holdCall("0")
		}
		run(ctx, *cl, calls...) // those that fail lapse
		held = held[n:]
	}
}
