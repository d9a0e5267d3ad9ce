package keyfunc

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Key begins a key of data: what kind of thing it is and which one.
//
//	keyfunc.Key("product", "42").Field("details").Query("currency", "USD")
func Key(entity string, ids ...string) Builder {
	var b Builder
	b.write(appendEscaped(b.path(), entity, inData))
	for _, id := range ids {
		b.add(id)
	}
	return b
}

// A Builder is a key of data under construction: a path of components that
// starts with the entity, and a set of pairs. It is a value: each method
// returns a longer key and leaves its receiver as it was, so that several keys
// can begin with one. Equal paths and equal pairs make equal keys, in whatever
// order the pairs came, and different ones make different keys. The zero
// Builder is Key("").
//
// Nothing is allocated for a key of up to 96 bytes and 4 pairs until String.
type Builder struct {
	short [96]byte // the path, escaped
	n     int
	long  string // the path, where short has no room
	first [4]pair
	count int
	more  []pair // pairs after first; never appended to in place
}

type pair struct{ name, value string }

// Field adds a component. Key(e, "a").Field("b") is Key(e, "a", "b").
func (b Builder) Field(name string) Builder {
	b.add(name)
	return b
}

// Int adds n as a component, in decimal: Int(42) is Field("42").
func (b Builder) Int(n int64) Builder {
	b.write(strconv.AppendInt(append(b.path(), ':'), n, 10))
	return b
}

// Uint adds n as a component, in decimal.
func (b Builder) Uint(n uint64) Builder {
	b.write(strconv.AppendUint(append(b.path(), ':'), n, 10))
	return b
}

// Query adds a pair. A name may have several values; their order does not count.
func (b Builder) Query(name, value string) Builder {
	b.pair(name, value)
	return b
}

// Values adds all pairs of v, which may be a [net/url.Values]. A name without
// values adds nothing.
func (b Builder) Values(v map[string][]string) Builder {
	for name, values := range v {
		for _, value := range values {
			b.pair(name, value)
		}
	}
	return b
}

// Map adds all pairs of m.
func (b Builder) Map(m map[string]string) Builder {
	for name, value := range m {
		b.pair(name, value)
	}
	return b
}

// String returns the key.
func (b Builder) String() string {
	var buf [maxKey]byte
	return string(b.Append(buf[:0]))
}

// Append appends the key to dst.
func (b Builder) Append(dst []byte) []byte {
	start := len(dst)
	dst = b.appendPath(dst)
	if pairs := b.sortedPairs(); len(pairs) > 0 {
		for i, p := range pairs {
			dst = append(dst, ":&"[min(i, 1)])
			dst = appendEscaped(dst, p.name, inData)
			dst = append(dst, '=') // always: it tells a pair from a component
			dst = appendEscaped(dst, p.value, inData)
		}
	}
	return bound(dst, start, ':')
}

// AppendText makes a Builder an [encoding.TextAppender]. It returns no error.
func (b Builder) AppendText(dst []byte) ([]byte, error) { return b.Append(dst), nil }

// ErrNoPattern: no glob matches the keys below a key and no others.
var ErrNoPattern = errors.New("keyfunc: no pattern")

// Pattern returns the glob, for store.Purge.Match, that matches every key that
// begins with b's path and goes on, by a component or by pairs, and no other
// key of data. The key with b's path alone is not among them: name it in
// store.Purge.Keys. Pattern returns ErrNoPattern if b has pairs, and if the
// path is longer than the 456 bytes that every hashed key shows of it.
func (b Builder) Pattern() (string, error) {
	if b.count > 0 {
		return "", fmt.Errorf("%w: %s has pairs", ErrNoPattern, b)
	}
	var buf [maxKey]byte
	path := append(b.appendPath(buf[:0]), ':')
	if len(path) > maxPrefix-3 { // where bound may cut
		return "", fmt.Errorf("%w: path of %d bytes", ErrNoPattern, len(path)-1)
	}
	return string(append(path, '*')), nil
}

// Pattern is short for Key(entity, ids...).Pattern().
func Pattern(entity string, ids ...string) (string, error) {
	return Key(entity, ids...).Pattern()
}

// appendPath appends the path. An empty entity is written <>, which nothing
// else is: an empty key has no slot of its own in Redis Cluster.
func (b *Builder) appendPath(dst []byte) []byte {
	path := b.path()
	if len(path) == 0 || path[0] == ':' {
		dst = append(dst, "<>"...)
	}
	return append(dst, path...)
}

// path returns the path so far. To append to it may write to short, behind n;
// write takes the result.
func (b *Builder) path() []byte {
	if b.long != "" {
		return []byte(b.long)
	}
	return b.short[:b.n]
}

func (b *Builder) write(path []byte) {
	if len(path) <= len(b.short) {
		b.n = copy(b.short[:], path)
		return
	}
	b.long = string(path)
}

func (b *Builder) add(component string) {
	b.write(appendEscaped(append(b.path(), ':'), component, inData))
}

func (b *Builder) pair(name, value string) {
	if b.count < len(b.first) {
		b.first[b.count] = pair{name, value}
	} else {
		b.more = append(slices.Clip(b.more), pair{name, value})
	}
	b.count++
}

// sortedPairs sorts in place where the pairs are b's own, and a copy where
// other Builders may share them.
func (b *Builder) sortedPairs() []pair {
	pairs := b.first[:min(b.count, len(b.first))]
	if len(b.more) > 0 {
		pairs = slices.Concat(pairs, b.more)
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.value, y.value))
	})
	return pairs
}
