package memstore

import (
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// maxTags bounds the purge log: some 5 MiB. The oldest record beyond it becomes
// part of the floor, which drops more than was asked, never less.
const maxTags = 1 << 16

// A purgeLog remembers which tags were purged, and when, in numbers that rise
// with each purge. An entry whose fill began at a lower number than a purge of
// one of its tags is purged. So a purge costs the same whatever it drops.
type purgeLog struct {
	number atomic.Uint64 // of the newest purge; rises after the purge is recorded

	mu    sync.RWMutex
	floor cut // of all tags
	tags  map[uint64]cut
	order []record // of tags, the oldest first; those purged again leave one behind
}

// A cut is the numbers of the last purges of a tag.
type cut struct{ hard, soft uint64 }

type record struct{ hash, number uint64 }

func (l *purgeLog) init() { l.tags = make(map[uint64]cut) }

// purged returns the numbers of the last purges of any of tags.
func (l *purgeLog) purged(tags []string) (hard, soft uint64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	hard, soft = l.floor.hard, l.floor.soft
	for _, t := range tags {
		c := l.tags[xxhash.Sum64String(t)]
		hard, soft = max(hard, c.hard), max(soft, c.soft)
	}
	return hard, soft
}

// purge records a purge of hashes, or with all of everything.
func (l *purgeLog) purge(hashes []uint64, all, soft bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number := l.number.Load() + 1
	for _, h := range hashes {
		l.tags[h] = l.tags[h].at(number, soft)
		l.order = append(l.order, record{h, number})
	}
	if all {
		l.floor = l.floor.at(number, soft)
	}
	l.bound()
	l.number.Store(number)
}

func (c cut) at(number uint64, soft bool) cut {
	if soft {
		c.soft = number
	} else {
		c.hard = number
	}
	return c
}

// bound forgets the oldest records beyond maxTags into the floor.
func (l *purgeLog) bound() {
	for len(l.tags) > maxTags {
		oldest := l.order[0]
		l.order = l.order[1:]
		c := l.tags[oldest.hash]
		if max(c.hard, c.soft) != oldest.number {
			continue // purged again since
		}
		delete(l.tags, oldest.hash)
		l.floor = cut{max(l.floor.hard, c.hard), max(l.floor.soft, c.soft)}
	}
	if len(l.order) <= 2*maxTags {
		return
	}
	current := make([]record, 0, len(l.tags))
	for _, r := range l.order {
		if c := l.tags[r.hash]; max(c.hard, c.soft) == r.number {
			current = append(current, r)
		}
	}
	l.order = current
}

func hashesOf(tags []string) []uint64 {
	if len(tags) == 0 {
		return nil
	}
	hashes := make([]uint64, len(tags))
	for i, t := range tags {
		hashes[i] = xxhash.Sum64String(t)
	}
	return hashes
}
