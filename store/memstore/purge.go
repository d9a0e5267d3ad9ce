package memstore

import (
	"context"

	"github.com/reprise-go/reprise/store"
)

// Purge is of store.Purger. It never fails, and needs no waiting but for the
// commits of the same keys.
func (s *Store) Purge(_ context.Context, p store.Purge) (store.Purged, error) {
	keys := p.Keys
	if p.Match != "" {
		keys = append(keys[:len(keys):len(keys)], s.match(p.Match)...)
	}
	var total store.Purged
	for _, key := range keys {
		if s.purgeKey(key, p.Soft, p.DryRun) {
			total.Count++
		}
	}
	if len(p.Tags) > 0 || p.All {
		total.Count = -1
		if !p.DryRun {
			s.log.purge(hashesOf(p.Tags), p.All, p.Soft)
		}
	}
	if !p.DryRun {
		s.recordPurge(p)
	}
	return total, nil
}

// purgeKey ends key's fills, then drops its base or marks it. Variants are of
// no use without their base, and the next fill takes their place. It tells
// whether there was a base.
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
		marked.Mark = store.NewStamp()
		marked.Soften()
		s.put(marked)
	default:
		sh.endAll(key)
		s.items.Invalidate(slot)
	}
	return base != nil
}

// match lists the keys that match pattern and have a base or a fill. Fills come
// first: one that ends between the two looks is found by the second.
func (s *Store) match(pattern string) (keys []string) {
	seen := make(map[string]bool)
	add := func(key string) {
		if !seen[key] && store.Glob(pattern, key) {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for key := range sh.leases {
			add(key)
		}
		sh.mu.Unlock()
	}
	for slot := range s.items.Keys() {
		if slot.Variant == "" {
			add(slot.Key)
		}
	}
	return keys
}

func (s *Store) recordPurge(p store.Purge) {
	s.recorder.StoreOp("purge", "ok", 0)
	for kind, asked := range map[string]bool{
		"key": len(p.Keys) > 0, "tag": len(p.Tags) > 0, "match": p.Match != "", "all": p.All,
	} {
		if asked {
			s.recorder.Purged(kind, p.Soft, nil)
		}
	}
}
