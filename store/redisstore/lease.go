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

var errHold = errors.New("redisstore: Claim.Hold is not positive")

// A lease is one fill's right to write.
type lease struct {
	s     *Store
	slot  store.Slot
	stamp store.Stamp
	base  *store.Item // as the caller saw it, for variants to belong to
	seen  string      // stamp of the base in Redis, usable or not; "": none
	most  string      // how many variants the key may hold; "0": any number
	s0    *logs       // the purge logs as they were before the handler began
	// purges and failed are the Store's before Acquire did anything.
	purges, failed uint64
	until          int64 // Claim.Hold, on the store's clock
	offline        error // why Redis does not know of the lease; nil: it does

	mu    sync.Mutex
	over  bool
	renew *time.Timer
}

// Acquire is of store.Leaser.
func (s *Store) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	begun := time.Now()
	l := &lease{
		s: s, slot: c.Slot, stamp: store.NewStamp(), base: c.Base, most: strconv.Itoa(max(c.Variants, 0)),
		purges: s.purges.Load(), failed: s.failed.Load(), until: s.clock() + int64(min(c.Hold, maxLife)),
	}
	ctx, cancel := s.limit(ctx)
	defer cancel()
	l.s0 = s.snapshot(ctx)
	err := errHold
	if c.Hold > 0 {
		err = l.open(ctx, c)
	}
	s.record("acquire", begun, err)
	switch {
	case errors.Is(err, store.ErrHeld), errors.Is(err, store.ErrChanged), errors.Is(err, store.ErrFull):
		return nil, err
	case err != nil:
		l.offline = err
		if !errors.Is(err, errOffline) && !errors.Is(err, errHold) && !errors.Is(err, errNewer) { // Redis may have it
			s.releaseLater(l, err)
		}
		return l, err
	}
	l.keep()
	return l, nil
}

// snapshot returns the purge logs, the unknown ones read again. One that cannot
// be read stays unknown, and an entry that rests on it is not stored. An old
// snapshot is safe: it can only make more purges count.
func (s *Store) snapshot(ctx context.Context) *logs {
	now := s.table.now.Load()
	var missing uint64
	for i, l := range now {
		if l == nil && s.clock() >= s.table.retry[i].Load() {
			missing |= 1 << i
		}
	}
	if missing == 0 {
		return now
	}
	return s.glance(ctx, now, missing)
}

// A glance is a read of unknown purge logs that all who begin a fill meanwhile have in
// common: when an instance starts, a burst of them would each read all 64.
type glance struct {
	done chan struct{}
	logs *logs
}

// glance reads the logs that are missing in now, or joins somebody who does.
func (s *Store) glance(ctx context.Context, now *logs, missing uint64) *logs {
	g := &glance{done: make(chan struct{})}
	if !s.glancing.CompareAndSwap(nil, g) {
		if other := s.glancing.Load(); other != nil {
			select {
			case <-other.done:
				return other.logs
			case <-ctx.Done():
				return now
			}
		} // it has just ended
	}
	// Half of the time, so that a cluster node which hangs with some logs leaves
	// the other half to the lease.
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.timeout)/2)
	defer cancel()
	ls := *now
	// Where Redis does not push they are all unknown, at every fill. What a fill
	// notes of them is in their heads.
	_ = s.asTold().readLogs(ctx, missing, &ls, s.untracked.Load()) // what failed is nil in ls
	g.logs = &ls
	s.glancing.CompareAndSwap(g, nil)
	close(g.done)
	return &ls
}

// open asks Redis for the lease. Redis knows what is stored, not whether it is
// valid: where it holds something that the caller could not see, open sees to
// it that nobody could, and asks again.
func (l *lease) open(ctx context.Context, c store.Claim) error {
	base, variant := stampOf(c.Base), stampOf(c.Seen)
	switch {
	case c.Base != nil:
	case c.Variant != "": // there is no such slot without a base
		return store.ErrChanged
	default:
		base = l.s.unusable(store.Slot{Key: c.Key})
	}
	for range 2 {
		nowBase, nowVariant, err := l.ask(ctx, c, base, variant)
		if err == nil {
			l.seen = base
			return nil
		}
		if !errors.Is(err, store.ErrChanged) {
			return err
		}
		if nowBase != base {
			if c.Base != nil {
				return err
			}
			if err := l.s.hidden(ctx, store.Slot{Key: c.Key}, nowBase); err != nil {
				return err
			}
			base = nowBase
		}
		if nowVariant != variant && nowVariant != "" {
			if c.Seen != nil {
				return err
			}
			if err := l.s.hidden(ctx, c.Slot, nowVariant); err != nil {
				return err
			}
			variant = nowVariant
		}
	}
	return store.ErrChanged
}

// ask runs the script once. With ErrChanged it returns the stamps in Redis.
func (l *lease) ask(ctx context.Context, c store.Claim, base, variant string) (nowBase, nowVariant string, err error) {
	keys := []string{l.s.keys.control(c.Key), l.s.keys.count(c.Key), l.s.keys.base(c.Key)}
	if c.Variant != "" {
		keys = append(keys, l.s.keys.slot(c.Slot))
	}
	steal := "0"
	if c.Steal {
		steal = "1"
	}
	args := []string{c.Variant, string(l.stamp[:]), l.millis(), base, variant, steal, l.most}
	var reply []rueidis.RedisMessage
	err = l.s.exchange(ctx, home(c.Key), func(ctx context.Context, cl rueidis.Client) (err error) {
		reply, err = run(ctx, cl, scriptCall{script: acquireScript, keys: keys, args: args})[0].ToArray()
		return err
	})
	if err != nil {
		return "", "", err
	}
	return l.s.readAcquired(reply)
}

var errReply = errors.New("redisstore: a script answered out of form")

func (s *Store) readAcquired(reply []rueidis.RedisMessage) (base, variant string, err error) {
	if len(reply) < 2 {
		return "", "", errReply
	}
	code, err := reply[0].AsInt64()
	if err != nil {
		return "", "", errReply
	}
	switch code {
	case 1:
		now, _ := reply[1].AsInt64()
		s.setClock(now)
		return "", "", nil
	case 0, 3: // nobody writes the memo yet; it is waited for like a lease
		if now, err := reply[len(reply)-1].AsInt64(); err == nil && len(reply) == 3 {
			s.setClock(now)
		}
		return "", "", store.ErrHeld
	case 4:
		now, _ := reply[1].AsInt64()
		s.setClock(now)
		return "", "", store.ErrFull
	case 2:
		if len(reply) < 3 {
			return "", "", errReply
		}
		base, _ = reply[1].ToString()
		variant, _ = reply[2].ToString()
		return base, variant, store.ErrChanged
	}
	return "", "", errReply
}

// unusable returns the stamp of what is kept locally of slot and known to be
// purged, so that a fill after a tag purge costs one exchange.
func (s *Store) unusable(slot store.Slot) string {
	it := s.local.find(slot)
	if it == nil || s.table.now.Load().judge(it.refs(), it.hashes()) != purged {
		return ""
	}
	return string(it.Stamp[:])
}

// hidden returns nil if what slot holds in Redis, with this stamp, is nothing
// that Get would return: purged by a tag, expired, damaged, or not ours. It
// returns store.ErrChanged if Get would, and the store's failure if it cannot
// tell: who cannot read what is there either would look again in vain. Of a
// later format it is errNewer: this process does not replace it, or two versions
// that run side by side would take turns in doing so.
func (s *Store) hidden(ctx context.Context, slot store.Slot, stamp string) error {
	it, err := s.asTold().fetch(ctx, slot)
	switch {
	case errors.Is(err, store.ErrNotFound) && !errors.Is(err, errNewer):
		return nil
	case err != nil:
		return err
	case string(it.Stamp[:]) != stamp:
		return store.ErrChanged
	}
	switch v, err := s.asTold().verify(ctx, it); {
	case err != nil:
		return err
	case v != purged && it.ready():
		return store.ErrChanged
	}
	return nil
}

func stampOf(it *store.Item) string {
	if it == nil {
		return ""
	}
	return string(it.Stamp[:])
}
