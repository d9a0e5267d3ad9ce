package swr

import (
	"hash/maphash"

	"github.com/reprise-go/reprise/internal/clock"
	"github.com/reprise-go/reprise/internal/known"
)

// maxKnownKey is how long a key may be to be remembered, in bytes: with it what a
// Cache remembers of keys is bounded by 2 MiB.
const maxKnownKey = 256

// unlikely is more than what is drawn from the exponential distribution of mean 1
// once in a hundred million times.
const unlikely = 18

// A keyTable remembers the keys that were lately hit, and what answers them. That of a
// Cache that decodes for each caller is nil: to decode is most of its hit.
type keyTable struct {
	seed maphash.Seed
	keys *known.Table[knownKey]
}

type knownKey struct {
	key    string // without the prefix
	answer known.Answer
	room   [48]byte // of key, if it is short: to wait for one piece of memory, not two
}

func newKnownKey(key []byte) *knownKey {
	k := new(knownKey)
	if len(key) <= len(k.room) {
		k.key = text(k.room[:copy(k.room[:], key)])
	} else {
		k.key = string(key)
	}
	return k
}

func (k *knownKey) isWellKnown() bool { return k.answer.WellKnown() }

func newKeyTable() *keyTable { return &keyTable{maphash.MakeSeed(), known.NewTable[knownKey]()} }

// find returns what is remembered of key, or nil, and its set and tag.
func (t *keyTable) find(key string) (k *knownKey, set *known.Set[knownKey], tag uint32) {
	set, tag = t.keys.Set(maphash.String(t.seed, key))
	for k := range set.With(tag) {
		if k.key == key {
			return k, set, tag
		}
	}
	return nil, set, tag
}

// hit notes that v was found for k, and tells whether it is well known: of such hits
// few come this way.
func (c *Cache[T]) hit(k *call[T], v *cell[T]) bool {
	key := k.key[len(c.prefix):]
	if c.keys == nil || v.item == nil || len(key) > maxKnownKey {
		return false
	}
	q, set, tag := c.keys.find(text(key))
	if q == nil {
		q = newKnownKey(key)
		set.Add(q, tag, (*knownKey).isWellKnown)
	}
	wellKnown := q.isWellKnown()
	q.answer.Hit(v.item, c.store, known.After)
	return wellKnown
}

// known answers a call for what is well known, decoded and fresh: what a look-up would
// do, in a straight line. did: it has, and err is ErrNotFound where there is no value.
func (c *Cache[T]) known(key string, now clock.Reading) (value T, did bool, err error) {
	if c.keys == nil || now.Lot(known.Sampled) == 0 {
		return value, false, nil
	}
	k, _, _ := c.keys.find(key)
	if k == nil {
		return value, false, nil
	}
	_, v := c.forms.Ready(k.answer.Ref(), now.Mono)
	if v == nil || v.by != c || v.state(now.Nanos, c.config.EarlyRefresh, unlikely) != Fresh {
		return value, false, nil
	}
	if v.missing {
		err = ErrNotFound
	} else {
		value = c.copy(v.decoded)
	}
	c.count(Hit, err, 0)
	return value, true, err
}
