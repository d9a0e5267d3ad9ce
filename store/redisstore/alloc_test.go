package redisstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
)

// bounded fails t if f, which decodes n bytes that others have written, allocates
// more than twice as many and 4 KiB.
func bounded(t testing.TB, n int, f func()) {
	t.Helper()
	limit := 2*n + 4<<10
	if got := measure.Allocated(limit, f); got > limit {
		t.Errorf("%d bytes are allocated to decode %d", got, n)
	}
}

// sealed returns a value whose sum is right, of what follows the head.
func sealed(kind byte, parts ...[]byte) string {
	b := append(make([]byte, headLen), slices.Concat(parts...)...)
	copy(b[offMagic:], "rp\x01")
	b[offMagic+3] = kind
	copy(b[offExpiry:], expiry(time.Now().Add(time.Hour)))
	binary.LittleEndian.PutUint64(b[offSum:], sum(b))
	return string(b)
}

// manyTags returns n tags of a length.
func manyTags(n, length int) *draft {
	r := sample("", slices.Repeat([]string{strings.Repeat("t", length)}, n)...)
	r.key, r.Meta, r.Body = "", nil, nil
	return r
}

// TestDecodingIsBounded decodes the worst values that can be made. What a
// compressed body becomes does not count: that is unpacked by its first reader,
// and bounded by maxPacked, see TestBombsAreMisses.
func TestDecodingIsBounded(t *testing.T) {
	number := func(n uint64) []byte { return binary.AppendUvarint(nil, n) }
	log, noKey := make([]byte, refLen), []byte{0, 0}
	front := slices.Concat([]byte{1}, log, noKey)
	values := map[string]string{
		"nothing":         "",
		"many logs":       sealed(0, []byte{255}, bytes.Repeat(log, 255), noKey, make([]byte, 3)),
		"huge count":      sealed(0, front, number(1<<62), make([]byte, 5000)),
		"huge length":     sealed(0, front, number(1), make([]byte, 8), number(1<<62), make([]byte, 5000)),
		"packed":          sealed(kindPacked, front, []byte{0, 0, 5}, number(maxPacked), []byte{0}),
		"packed too much": sealed(kindPacked, front, []byte{0, 0, 10}, number(1<<62), []byte{0}),
	}
	for _, n := range []int{1, 10, 100, 250, 1000, 2048, 2049, 2100, 2250, 3000, 4097, 8193, 100_000} {
		for length := range 3 {
			values[fmt.Sprintf("%d tags of %d bytes", n, length)] = manyTags(n, length).encode()
		}
		zeros := make([]byte, n)
		for _, share := range []uint64{1, 2, 8, 9, 10, 11} {
			name := fmt.Sprintf("%d zeros for a %dth as many tags", n, share)
			values[name] = sealed(0, front, number(uint64(n)/share), zeros)
			values[name+" behind many logs"] = sealed(0, []byte{255}, bytes.Repeat(log, 255), noKey, number(uint64(n)/share), zeros)
		}
	}
	for name, raw := range values {
		t.Run(name, func(t *testing.T) { bounded(t, len(raw), func() { _, _ = decode(raw) }) })
	}
}

// TestManyTagsAreNoDamage: what decode refuses for its bound is nothing that is stored.
func TestManyTagsAreNoDamage(t *testing.T) {
	for _, n := range []int{0, 1, 2, 64, 1000, 5000} {
		for _, length := range []int{1, 2, 10, 256} {
			if it, err := decode(manyTags(n, length).encode()); err != nil || len(it.Tags) != n {
				t.Errorf("%d tags of %d bytes: %v", n, length, err)
			}
		}
	}
	for _, tags := range [][]string{{""}, {"", "a", "b"}, make([]string, 100)} {
		if it, err := decode(sample("", tags...).encode()); err != nil || !slices.Equal(it.Tags, tags) {
			t.Errorf("%q: %v", tags, err)
		}
	}
}

func TestParsingALogIsBounded(t *testing.T) {
	for n := 1; n < 20_000; n += n/8 + 1 {
		b := make([]byte, logHeadLen, logHeadLen+n*logRecordLen)
		for i := range n {
			b = binary.BigEndian.AppendUint64(b, uint64(i)*0x9e3779b97f4a7c15)
			b = append(b, make([]byte, 16)...)
		}
		raw := string(b)
		if l, ok := parseLog(raw); n <= maxTags && (!ok || len(l.tags) != n) {
			t.Errorf("%d records: %v", n, ok)
		}
		bounded(t, len(raw), func() { _, _ = parseLog(raw) })
	}
}

// A name comes from Redis in a push, or in a step of SCAN.
func TestParsingANameIsBounded(t *testing.T) {
	k := newKeyspace("ns")
	for _, c := range []string{"a", "%", "%25", "%7B%7D", "{", "}", "%2"} {
		for _, n := range []int{1, 100, 3000, 100_000} {
			for _, ending := range []string{"", "}", "}:v:x"} {
				name := "ns:{" + strings.Repeat(c, n) + ending
				bounded(t, len(name), func() { _, _ = k.parse(name) })
			}
		}
	}
}

// A token comes from a client.
func TestATokenIsBounded(t *testing.T) {
	s := &Store{}
	for _, c := range []string{"A", "?", "\n"} {
		for _, n := range []int{0, 32, 10_000, 1 << 20} {
			token := strings.Repeat(c, n)
			bounded(t, len(token), func() { s.counts(token) })
		}
	}
}
