package memstore

import (
	"context"
	"strings"
	"time"

	"github.com/reprise-go/reprise/store"
)

// maxHold bounds what a lease asks for, so that its end can be told in nanoseconds.
const maxHold = 100 * 365 * 24 * time.Hour

// A lease is one fill's right to write. It needs no renewal: its holder dies
// with this process.
type lease struct {
	s     *Store
	slot  store.Slot
	stamp store.Stamp
	base  *store.Item   // what the caller saw under the key
	most  int           // how many variants the key may hold; 0: any number
	began uint64        // the purge log's number before the handler starts
	until time.Duration // on the clock of store.Monotonic, from when on others may take it; until they do, it stands
	done  chan struct{} // closed when the lease has ended; made by the shard, and guarded by it
}

// Acquire is of store.Leaser. It returns no error but ErrHeld, ErrChanged
// and ErrFull.
func (s *Store) Acquire(_ context.Context, c store.Claim) (store.Lease, error) {
	l, err := s.acquire(c)
	s.record("acquire", err)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Store) acquire(c store.Claim) (*lease, error) {
	sh := s.shard(c.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	base := s.find(store.Slot{Key: c.Key})
	switch {
	case s.changed(c, base):
		return nil, store.ErrChanged
	case c.Variant != "" && s.full(base, c.Variant, c.Variants):
		return nil, store.ErrFull
	}
	now := store.Monotonic()
	if held := sh.holder(c.Slot); held != nil {
		if now < held.until && !c.Steal {
			return nil, store.ErrHeld
		}
		sh.end(held)
	}
	l := &lease{
		s: s, stamp: store.NewStamp(), base: c.Base, most: c.Variants,
		slot:  store.Slot{Key: strings.Clone(c.Key), Variant: strings.Clone(c.Variant)},
		began: s.log.number.Load(), until: now + min(c.Hold, maxHold),
	}
	sh.put(l, now)
	return l, nil
}

// changed tells whether c's slot, whose key has base, holds something that its
// claimant has not seen. A base that is gone is no news to who fills the base.
func (s *Store) changed(c store.Claim, base *entry) bool {
	switch {
	case base == nil:
		return c.Variant != ""
	case c.Base == nil || base.Stamp != c.Base.Stamp:
		return true
	case c.Variant == "":
		return false
	}
	v := s.find(c.Slot)
	return v != nil && v.Of() == base.Stamp && (c.Seen == nil || v.Stamp != c.Seen.Stamp)
}

// Release is of store.Lease.
func (l *lease) Release(context.Context) error {
	var err error
	if !l.end() {
		err = store.ErrOvertaken
	}
	l.s.record("release", err)
	return err
}

func (l *lease) end() bool {
	sh := l.s.shard(l.slot.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.end(l)
}

// Wait is of store.Leaser. It returns when the lease that stood at the call has
// ended, or may be taken.
func (s *Store) Wait(ctx context.Context, slot store.Slot) error {
	err := s.wait(ctx, slot)
	s.record("wait", err)
	return err
}

func (s *Store) wait(ctx context.Context, slot store.Slot) error {
	sh := s.shard(slot.Key)
	sh.mu.Lock()
	l := sh.holder(slot)
	if l == nil {
		sh.mu.Unlock()
		return nil
	}
	ended := sh.ended(l)
	sh.mu.Unlock()
	lapse := time.NewTimer(l.until - store.Monotonic())
	defer lapse.Stop()
	select {
	case <-ended:
		return nil
	case <-lapse.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) record(op string, err error) {
	result := store.Result(err)
	switch {
	case result != "":
	case op == "wait": // only its context ends it otherwise
		result = "timeout"
	default:
		result = "error"
	}
	s.recorder.StoreOp(op, result, 0)
}
