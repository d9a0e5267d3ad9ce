package redisstore

import (
	"encoding/binary"
	"iter"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/reprise-go/reprise/store"
)

// A purgeLog is one log as this process last read it. Its numbers are
// microseconds of Redis's clock, forced to rise.
type purgeLog struct {
	conn                       *conn // that tracks it; nil: read for one look only
	inc                        store.Stamp
	head, hardFloor, softFloor uint64
	tags                       map[uint64]cut // by hash of the tag
}

// A cut says up to which S0 entries with a tag are purged.
type cut struct{ hard, soft uint64 }

const (
	logHeadLen   = 40
	logRecordLen = 24
	// maxLogLen is twice what logpurge.lua leaves: a later version's may
	// leave more, and a damaged one is not to fill the memory.
	maxLogLen = logHeadLen + 2*maxTags*logRecordLen
)

// parseLog reads what logpurge.lua wrote.
func parseLog(raw string) (*purgeLog, bool) {
	b := data(raw)
	if len(b) < logHeadLen || len(b) > maxLogLen || (len(b)-logHeadLen)%logRecordLen != 0 {
		return nil, false
	}
	ok := true
	number := func(at int) uint64 { // Lua's numbers are doubles
		f := math.Float64frombits(binary.BigEndian.Uint64(b[at:]))
		if !(f >= 0 && f < 1<<53) {
			ok = false
			return 0
		}
		return uint64(f)
	}
	l := &purgeLog{inc: store.Stamp(b[:16]), head: number(16), hardFloor: number(24), softFloor: number(32)}
	l.tags = make(map[uint64]cut, (len(b)-logHeadLen)/logRecordLen)
	for at := logHeadLen; at < len(b); at += logRecordLen {
		l.tags[binary.BigEndian.Uint64(b[at:])] = cut{number(at + 8), number(at + 16)}
	}
	return l, ok
}

func hashOf(tag string) uint64 { return xxhash.Sum64String(tag) }

// tagHashes are those of several tags, 8 bytes each, little endian, as a value has
// them: so they need not be computed, nor kept, once more.
type tagHashes []byte

func hashesOf(tags []string) tagHashes {
	h := make(tagHashes, 0, 8*len(tags))
	for _, t := range tags {
		h = binary.LittleEndian.AppendUint64(h, hashOf(t))
	}
	return h
}

func (h tagHashes) all() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for ; len(h) >= 8; h = h[8:] {
			if !yield(binary.LittleEndian.Uint64(h)) {
				return
			}
		}
	}
}

// version returns the bytes with which the log begins as long as nothing is
// purged in it.
func (l *purgeLog) version() string {
	return string(binary.BigEndian.AppendUint64(l.inc[:], math.Float64bits(float64(l.head))))
}

func logOf(hash uint64) int { return int(hash % numLogs) }

// logsOf returns the set of the logs of hashes, a bit each.
func logsOf(hashes tagHashes) (set uint64) {
	for h := range hashes.all() {
		set |= 1 << logOf(h)
	}
	return set
}

// tagArg returns the name that a tag has in a log.
func tagArg(hash uint64) string { return text(binary.BigEndian.AppendUint64(nil, hash)) }

// logs are all purge logs; nil where one is not known.
type logs [numLogs]*purgeLog

// A table holds the purge logs. It is read without a lock; those who change it
// change a copy.
type table struct {
	now     atomic.Pointer[logs]
	version atomic.Uint64 // rises AFTER each change, so that no look at an old table counts for the new one
	high    [numLogs]atomic.Uint64
	retry   [numLogs]atomic.Int64 // when to try a log again that could not be read
	mu      sync.Mutex
}

func newTable() *table {
	t := &table{}
	t.now.Store(&logs{})
	t.version.Store(1) // 0 is the item that was never verified
	return t
}

// raise notes that log i has been at head. A log that is found behind it has
// lost purges.
func (t *table) raise(i int, head uint64) {
	for {
		high := t.high[i].Load()
		if head <= high || t.high[i].CompareAndSwap(high, head) {
			return
		}
	}
}

// install puts a log in, for readers of connections only.
func (t *table) install(i int, l *purgeLog) {
	if l.head < t.high[i].Load() {
		t.forget(1 << i)
		return
	}
	t.raise(i, l.head)
	t.change(func(now *logs) { now[i] = l })
}

// forget marks the logs of set as unknown.
func (t *table) forget(set uint64) {
	t.change(func(now *logs) {
		for i := range now {
			if set&(1<<i) != 0 {
				now[i] = nil
			}
		}
	})
}

// forgetConn marks all logs that c tracks as unknown.
func (t *table) forgetConn(c *conn) {
	t.change(func(now *logs) {
		for i, l := range now {
			if l != nil && l.conn == c {
				now[i] = nil
			}
		}
	})
}

func (t *table) change(f func(*logs)) {
	t.mu.Lock()
	next := *t.now.Load()
	f(&next)
	t.now.Store(&next)
	t.mu.Unlock()
	t.version.Add(1)
}

// A verdict is what the purge logs say about an entry.
type verdict uint8

const (
	unknown verdict = iota // a log is not known
	behind                 // a log is older than the entry: read it again
	purged
	stale // softly purged
	valid
)

// judge says what the logs have for an entry that was filled at refs and
// carries the tags of hashes.
func (ls *logs) judge(refs refs, hashes tagHashes) verdict {
	v := valid
	for r := range refs.all() {
		v = min(v, ls[r.log].judge(&r, hashes))
	}
	return v
}

func (l *purgeLog) judge(r *ref, hashes tagHashes) verdict {
	switch {
	case l == nil:
		return unknown
	case l.inc != r.inc:
		return purged
	case l.head < r.s0:
		return behind
	}
	hard, soft := l.hardFloor, l.softFloor
	for h := range hashes.all() {
		if c, ok := l.tags[h]; ok {
			hard, soft = max(hard, c.hard), max(soft, c.soft)
		}
	}
	switch {
	case hard > r.s0:
		return purged
	case soft > r.s0:
		return stale
	}
	return valid
}
