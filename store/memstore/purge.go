package memstore

import (
	"context"

	"github.com/reprise-go/reprise/store"
)

// Purge is of store.Purger. It never fails. It waits for nothing but the
// commits of the same keys, each a matter of microseconds.
func (s *Store) Purge(_ context.Context, p store.Purge) (store.Purged, error) {
	var done store.Purged
	for key := range s.named(p) {
		if s.purgeKey(key, p.Soft, p.DryRun) {
			done.Count++
		}
	}
	if len(p.Tags) > 0 || p.All {
		done.Count = -1
	}
	if p.DryRun {
		return done, nil
	}
	if p.All {
		s.endFills()
	}
	if len(p.Tags) > 0 || p.All {
		s.log.purge(hashesOf(p.Tags), p.All, p.Soft)
	}
	if p.All && !p.Soft {
		s.items.InvalidateAll() // for the memory: nothing finds them any more
	}
	s.recordPurge(p)
	return done, nil
}

// named returns the keys that p names or matches, each once.
func (s *Store) named(p store.Purge) map[string]struct{} {
	keys := make(map[string]struct{}, len(p.Keys))
	for _, key := range p.Keys {
		keys[key] = struct{}{}
	}
	if p.Match != "" {
		s.match(p.Match, keys)
	}
	return keys
}

// match adds the keys that match pattern and have a base or a fill. Fills come
// first: one that ends between the two looks is found by the second.
func (s *Store) match(pattern string, keys map[string]struct{}) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for key := range sh.leases {
			if store.Glob(pattern, key) {
				keys[key] = struct{}{}
			}
		}
		sh.mu.Unlock()
	}
	for e := range s.items.Values() {
		if e.Variant() == "" && store.Glob(pattern, e.Key) {
			keys[e.Key] = struct{}{}
		}
	}
}

// purgeKey ends key's fills, then drops its base or marks it. Variants are of
// no use without their base: nothing finds them, and they are the first that
// the budget drops. It tells whether there was a base.
func (s *Store) purgeKey(key string, soft, dry bool) bool {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	slot := store.Slot{Key: key}
	base := s.find(slot)
	switch {
	case dry:
	case soft && base != nil:
		sh.endAll(key)
		marked := copyOf(base)
		marked.Kin = base.kin()
		marked.Kin.Mark = store.NewStamp()
		marked.Soften()
		s.put(marked)
	default:
		sh.endAll(key)
		s.items.Invalidate(slot.Hash(s.seed))
	}
	return base != nil
}

// endFills ends all fills. A purge of all could leave that to their commits;
// but whoever waits for one would wait in vain.
func (s *Store) endFills() {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for key := range sh.leases {
			sh.endAll(key)
		}
		sh.mu.Unlock()
	}
}

func (s *Store) recordPurge(p store.Purge) {
	purged := func(kind string, asked bool) {
		if asked {
			s.recorder.StoreOp("purge", "ok", 0)
			s.recorder.Purged(kind, p.Soft, nil)
		}
	}
	purged("key", len(p.Keys) > 0)
	purged("match", p.Match != "")
	purged("tag", len(p.Tags) > 0)
	purged("all", p.All)
}
