package redisstore

import (
	"strconv"
	"strings"

	"github.com/reprise-go/reprise/store"
)

// numLogs is the number of purge logs. It is part of the layout: instances that
// disagree about it would not see each other's purges.
const numLogs = 64

// slotsPerLog is the share of Redis Cluster's 16,384 slots that a log serves.
const slotsPerLog = 16384 / numLogs

const (
	variantMark = ":v:"
	controlMark = ":c"
	countMark   = ":n"
	beatMark    = ":hb"
	logMark     = ":p1"
)

// A keyspace knows the name of every Redis key of one namespace. All keys of a
// URL share one hash tag, the escaped key, and so one slot.
type keyspace struct {
	prefix string // up to and including the opening brace of the hash tag
	logs   [numLogs]string
	logOf  map[string]int
}

func newKeyspace(namespace string) *keyspace {
	k := &keyspace{prefix: namespace + ":{", logOf: make(map[string]int, numLogs)}
	for n, found := 0, 0; found < numLogs; n++ {
		tag := strconv.Itoa(n)
		i := slotOf(tag) / slotsPerLog
		if k.logs[i] != "" {
			continue
		}
		k.logs[i] = namespace + logMark + ":{" + tag + "}"
		k.logOf[k.logs[i]] = i
		found++
	}
	return k
}

func (k *keyspace) base(key string) string { return k.prefix + escape(key) + "}" }

func (k *keyspace) control(key string) string { return k.base(key) + controlMark }

func (k *keyspace) count(key string) string { return k.base(key) + countMark }

func (k *keyspace) beat(tag string) string { return k.prefix + tag + "}" + beatMark }

func (k *keyspace) slot(s store.Slot) string {
	if s.Variant == "" {
		return k.base(s.Key)
	}
	return k.base(s.Key) + variantMark + s.Variant
}

// split takes a Redis key apart: its hash tag, and what follows the tag.
func (k *keyspace) split(redisKey string) (tag, rest string, ok bool) {
	in, ok := strings.CutPrefix(redisKey, k.prefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(in, "}")
}

// parse returns the slot that a base or variant key names.
func (k *keyspace) parse(redisKey string) (s store.Slot, ok bool) {
	tag, rest, ok := k.split(redisKey)
	if !ok {
		return s, false
	}
	if rest != "" {
		if s.Variant, ok = strings.CutPrefix(rest, variantMark); !ok || s.Variant == "" {
			return store.Slot{}, false
		}
	}
	if s.Key, ok = unescape(tag); !ok {
		return store.Slot{}, false
	}
	return s, true
}

// home returns the log that serves key: the one on key's own cluster node.
func home(key string) int { return slotOf(escape(key)) / slotsPerLog }

// escape keeps a hash tag whole, whatever the key: a brace inside would end it
// early, and Redis ignores an empty one. Distinct keys stay distinct.
func escape(key string) string {
	if key == "" {
		return "%"
	}
	if !strings.ContainsAny(key, "%{}") {
		return key
	}
	return escaper.Replace(key)
}

var escaper = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D")

// unescape undoes escape, and refuses what escape never returns.
func unescape(tag string) (string, bool) {
	if tag == "%" {
		return "", true
	}
	if !strings.ContainsAny(tag, "%{}") {
		return tag, tag != ""
	}
	key := make([]byte, 0, len(tag))
	for tag != "" {
		c, n := tag[0], 1
		switch {
		case strings.HasPrefix(tag, "%25"):
			c, n = '%', 3
		case strings.HasPrefix(tag, "%7B"):
			c, n = '{', 3
		case strings.HasPrefix(tag, "%7D"):
			c, n = '}', 3
		case c == '%', c == '{', c == '}':
			return "", false
		}
		key, tag = append(key, c), tag[n:]
	}
	return text(key), true
}

// slotOf returns the Redis Cluster slot of a hash tag: CRC16/XMODEM of it.
func slotOf(tag string) int {
	var crc uint16
	for i := range len(tag) {
		crc ^= uint16(tag[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % 16384
}
