package memstore

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

const shardCount = 128

// A shard holds the leases of a part of the keys: of one URL all, its variants'
// too, so that one purge ends them. Its mutex orders commits and purges.
type shard struct {
	mu     sync.Mutex
	leases map[string]map[string]*lease // by key, by variant
}

var shardSeed = maphash.MakeSeed()

func (s *Store) shard(key string) *shard {
	return &s.shards[maphash.String(shardSeed, key)%shardCount]
}

// A lease is one fill's right to write.
type lease struct {
	s     *Store
	slot  store.Slot
	stamp store.Stamp
	base  *store.Item // what the caller saw under the key
	began uint64      // the purge log's number before the handler starts
	until time.Duration
	done  chan struct{} // closed when the lease has ended; guarded by the shard
}

var (
	errHold    = errors.New("memstore: Claim.Hold is not positive")
	errEntries = errors.New("memstore: Commit takes a base entry, one variant, or both, each with a positive Life")
)

// Acquire is of store.Leaser.
func (s *Store) Acquire(_ context.Context, c store.Claim) (store.Lease, error) {
	l, err := s.acquire(c)
	s.record("acquire", err)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Store) acquire(c store.Claim) (*lease, error) {
	if c.Hold <= 0 {
		return nil, errHold
	}
	sh := s.shard(c.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s.changed(c) {
		return nil, store.ErrChanged
	}
	now := s.clock()
	if held := sh.leases[c.Key][c.Variant]; held != nil {
		if now < held.until && !c.Steal {
			return nil, store.ErrHeld
		}
		sh.end(held)
	}
	l := &lease{
		s: s, stamp: store.NewStamp(), base: c.Base,
		slot:  store.Slot{Key: strings.Clone(c.Key), Variant: strings.Clone(c.Variant)},
		began: s.log.number.Load(), until: now + c.Hold, done: make(chan struct{}),
	}
	sh.put(l)
	return l, nil
}

// changed tells whether c's slot holds something that its claimant has not
// seen. A base that is gone is no news to who fills the base.
func (s *Store) changed(c store.Claim) bool {
	base := s.find(store.Slot{Key: c.Key})
	switch {
	case base == nil:
		return c.Variant != ""
	case c.Base == nil || base.Stamp != c.Base.Stamp:
		return true
	case c.Variant == "":
		return false
	}
	v := s.find(c.Slot)
	return v != nil && v.Of == base.Stamp && (c.Seen == nil || v.Stamp != c.Seen.Stamp)
}

func (sh *shard) put(l *lease) {
	of := sh.leases[l.slot.Key]
	if of == nil {
		of = make(map[string]*lease, 1)
		sh.leases[l.slot.Key] = of
	}
	of[l.slot.Variant] = l
}

// end ends l and wakes who waits for it. It tells whether l still stood.
func (sh *shard) end(l *lease) bool {
	of := sh.leases[l.slot.Key]
	if of[l.slot.Variant] != l {
		return false
	}
	delete(of, l.slot.Variant)
	if len(of) == 0 {
		delete(sh.leases, l.slot.Key)
	}
	close(l.done)
	return true
}

// endAll ends all leases of key.
func (sh *shard) endAll(key string) {
	for _, l := range sh.leases[key] {
		sh.end(l)
	}
}

// Release is of store.Lease.
func (l *lease) Release(context.Context) error {
	sh := l.s.shard(l.slot.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var err error
	if !sh.end(l) {
		err = store.ErrOvertaken
	}
	l.s.record("release", err)
	return err
}

// Commit is of store.Lease.
func (l *lease) Commit(_ context.Context, entries ...store.Entry) error {
	err := l.commit(entries)
	l.s.record("commit", err)
	return err
}

func (l *lease) commit(entries []store.Entry) error {
	sh := l.s.shard(l.slot.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.end(l) || l.s.overtaken(l, entries) {
		return store.ErrOvertaken
	}
	base, variant, err := l.s.make(l, entries)
	if err != nil {
		return err
	}
	now := l.s.find(store.Slot{Key: l.slot.Key})
	switch {
	case now == nil && base == nil && variant != nil: // a base that is gone is not made again
		return store.ErrOvertaken
	case now != nil && (l.base == nil || now.Stamp != l.base.Stamp): // a newer fill's
		return store.ErrOvertaken
	case len(entries) == 0:
		l.s.items.Invalidate(l.slot)
		return nil
	}
	if variant != nil {
		l.s.attach(variant, base, now)
	}
	if base != nil {
		l.s.put(base)
	}
	return nil
}

// overtaken tells whether a tag of entries was purged, or all was, since l's
// fill began. A soft purge counts: what the fill read is from before it.
func (s *Store) overtaken(l *lease, entries []store.Entry) bool {
	if s.log.number.Load() == l.began {
		return false
	}
	for i := range entries {
		if hard, soft := s.log.purged(hashesOf(entries[i].Tags)); max(hard, soft) > l.began {
			return true
		}
	}
	hard, soft := s.log.purged(nil)
	return max(hard, soft) > l.began
}

// make makes what a fill stores: a base entry, a variant, or both.
func (s *Store) make(l *lease, entries []store.Entry) (base, variant *entry, err error) {
	for _, e := range entries {
		made := s.entryOf(l.slot.Key, e, l)
		switch {
		case e.Life <= 0:
			return nil, nil, errEntries
		case e.Variant == "" && base == nil:
			base = made
		case e.Variant != "" && variant == nil:
			variant = made
		default:
			return nil, nil, errEntries
		}
	}
	return base, variant, nil
}

// attach puts a variant of base, the new one, or of the one there is now, which
// outlives it.
func (s *Store) attach(variant, base, now *entry) {
	if base != nil {
		variant.Of = base.Stamp
		if base.ends < variant.ends {
			base.ends, base.Expires = variant.ends, variant.Expires
		}
	} else {
		variant.Of, variant.Mark = now.Stamp, now.Mark
		if now.ends < variant.ends {
			longer := copyOf(now)
			life := variant.ends - s.clock()
			longer.ends, longer.Expires = variant.ends+life, variant.Expires.Add(life)
			s.put(longer)
		}
	}
	s.put(variant)
}

// Wait is of store.Leaser.
func (s *Store) Wait(ctx context.Context, slot store.Slot) error {
	sh := s.shard(slot.Key)
	sh.mu.Lock()
	l := sh.leases[slot.Key][slot.Variant]
	sh.mu.Unlock()
	if l == nil {
		return nil
	}
	lapse := time.NewTimer(l.until - s.clock())
	defer lapse.Stop()
	select {
	case <-l.done:
		return nil
	case <-lapse.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) record(op string, err error) {
	result := "ok"
	switch {
	case err == nil:
	case errors.Is(err, store.ErrHeld):
		result = "held"
	case errors.Is(err, store.ErrChanged):
		result = "changed"
	case errors.Is(err, store.ErrOvertaken):
		result = "overtaken"
	default:
		result = "error"
	}
	s.recorder.StoreOp(op, result, 0)
}
