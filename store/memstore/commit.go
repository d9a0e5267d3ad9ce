package memstore

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/reprise-go/reprise/store"
)

var errEntries = errors.New("memstore: Commit takes a base entry, the variant of its lease, or a base entry with one variant, each with a positive Life")

// Commit is of store.Lease.
func (l *lease) Commit(_ context.Context, entries ...store.Entry) error {
	err := l.commit(entries)
	l.s.record("commit", err)
	return err
}

// commit stores entries if l stands. Purges of the key wait for the shard's
// mutex. One of a tag does not: it either has its number before overtaken
// looks, or it has a higher one than the entries', which look-ups find.
func (l *lease) commit(entries []store.Entry) error {
	sh := l.s.shard(l.slot.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.end(l) || l.overtaken(entries) {
		return store.ErrOvertaken
	}
	base, variant, err := l.make(entries)
	if err != nil {
		return err
	}
	now := l.s.find(store.Slot{Key: l.slot.Key})
	switch {
	case now == nil && base == nil && variant != nil: // a base that is gone is not made again
		return store.ErrOvertaken
	case now == nil && slices.ContainsFunc(entries, func(e store.Entry) bool { return e.Reuses }):
		return store.ErrOvertaken
	case now != nil && (l.base == nil || now.Stamp != l.base.Stamp): // a newer fill's
		return store.ErrOvertaken
	case base == nil && variant != nil && l.s.full(now, variant.Variant(), l.most): // by fills that ran beside this one
		return store.ErrOvertaken
	case len(entries) == 0:
		l.s.items.Invalidate(l.slot.Hash(l.s.seed))
		return nil
	case l.s.tooLarge(base), l.s.tooLarge(variant):
		l.s.items.Invalidate(l.slot.Hash(l.s.seed))
		return store.ErrTooLarge
	}
	if variant != nil {
		l.s.attach(variant, base, now)
		l.s.put(variant)
	}
	if base != nil {
		l.s.put(base)
	}
	return nil
}

// overtaken tells whether a tag of entries was purged, or all was, since l's
// fill began. A soft purge counts: what the fill read is from before it.
func (l *lease) overtaken(entries []store.Entry) bool {
	if l.s.log.number.Load() == l.began {
		return false
	}
	hard, soft := l.s.log.purged(nil) // all
	for i := range entries {
		h, s := l.s.log.purged(entries[i].Tags)
		hard, soft = max(hard, h), max(soft, s)
	}
	return max(hard, soft) > l.began
}

// make makes what l's fill stores: a base entry, a variant, or both.
func (l *lease) make(entries []store.Entry) (base, variant *entry, err error) {
	for i := range entries {
		from := &entries[i]
		switch {
		case from.Life <= 0:
			return nil, nil, errEntries
		case from.Variant == "" && base == nil:
			base = l.entry(from)
		case from.Variant != "" && variant == nil:
			variant = l.entry(from)
		default:
			return nil, nil, errEntries
		}
	}
	// Another variant than the lease's may have a holder of its own, unless
	// a new base makes an end of them all.
	if variant != nil && base == nil && variant.Variant() != l.slot.Variant {
		return nil, nil, errEntries
	}
	return base, variant, nil
}

func (l *lease) entry(from *store.Entry) *entry {
	e := &entry{
		Item: store.Item{
			Key: l.slot.Key, Meta: from.Meta, Body: from.Body, Tags: slices.Clone(from.Tags),
			Stamp: l.stamp, Ends: l.s.end(from.Life),
		},
		filled: l.began,
	}
	if from.Variant != "" {
		e.Kin = &store.Kin{Variant: strings.Clone(from.Variant)}
	}
	return e
}

// attach makes variant one of base, the new one, or of the one there is now. It
// has that one outlive the variant, which would be of no use without it.
func (s *Store) attach(variant, base, now *entry) {
	if base != nil {
		variant.Kin.Of = base.Stamp
		base.Kin = &store.Kin{Own: newNames()}
		s.count(variant, base)
		base.Ends = max(base.Ends, variant.Ends)
		return
	}
	variant.Kin.Of, variant.Kin.Mark = now.Stamp, now.Mark()
	if now.names() != nil && now.Ends >= variant.Ends {
		s.count(variant, now)
		return
	}
	longer := copyOf(now)
	if longer.names() == nil {
		longer.Kin = now.kin()
		longer.Kin.Own = newNames()
	}
	s.count(variant, longer)
	if longer.Ends < variant.Ends {
		longer.Ends = variant.Ends
		// Longer than needed, or each next variant would make another copy.
		longer.Ends += min(variant.Ends-s.end(0), math.MaxInt64-longer.Ends)
	}
	s.put(longer)
}
