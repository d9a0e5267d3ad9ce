package attacks

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store"
)

// storedAttacks are by who can write to the store.
func storedAttacks() []attack {
	reflected := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Reflected", strings.Repeat("v", 40))
		w.Header().Set("X-"+strings.Repeat("n", 40), "1")
		fmt.Fprint(w, "body")
	}
	redis := []string{"redis"}
	return []attack{
		{name: "header injection from a stored value", policy: minute, flow: injected, handler: reflected},
		{name: "a stored header that is damaged", policy: minute, flow: damaged, handler: reflected},
		{name: "values of two keys, swapped in Redis", policy: minute, stores: redis, handler: public(), flow: swapped},
		{name: "values of two variants, swapped in Redis", policy: minute, stores: redis, handler: account("Vary: X-User"), flow: swappedVariants},
		{name: "a value with a flipped bit in Redis", policy: minute, stores: redis, handler: public(), flow: flipped},
		{name: "a bomb in Redis", policy: minute, stores: redis, handler: public(), flow: bombed, alone: true},
	}
}

// restore stores, in the place of what is stored for r, what change makes of its
// header: through the store itself, so that the checksum is right.
func restore(t *testing.T, s *site, r request, change func(meta []byte) []byte) {
	t.Helper()
	key, ctx := keyOf(t, r), context.Background()
	it, err := s.store.Get(ctx, key)
	if err != nil {
		t.Errorf("%s: %v", key, err)
		return
	}
	meta := change(bytes.Clone(it.Meta))
	if bytes.Equal(meta, it.Meta) {
		t.Errorf("nothing to change in %q", it.Meta)
	}
	l, err := s.store.Acquire(ctx, store.Claim{Slot: store.Slot{Key: key}, Base: it, Hold: time.Second})
	if err != nil {
		t.Error(err)
		return
	}
	if err := l.Commit(ctx, store.Entry{Meta: meta, Body: it.Body, Tags: it.Tags, Life: time.Minute}); err != nil && !errors.Is(err, store.ErrOvertaken) {
		t.Error(err)
	}
}

// injected puts lines into names and values of the stored fields.
func injected(t *testing.T, s *site, id int) {
	r := get(fmt.Sprint("/", id), "Connection: close") // so that all that is sent is seen
	clean(t, s.ask(t, r), "body")
	restore(t, s, r, func(meta []byte) []byte {
		evil := "v\r\nSet-Cookie: sid=evil\r\n\r\n"
		meta = bytes.Replace(meta, []byte(strings.Repeat("v", len(evil))), []byte(evil), 1)
		evil = "N\r\nSet-Cookie: sid=evil"
		return bytes.Replace(meta, []byte("N"+strings.Repeat("n", len(evil)-1)), []byte(evil), 1)
	})
	got := s.ask(t, r)
	clean(t, got, "body")
	if got.xCache() != "HIT" {
		t.Errorf("the changed value was not used: %v", got)
	}
}

// damaged cuts a stored header, or has it promise more than there is. The page is
// made anew.
func damaged(t *testing.T, s *site, id int) {
	for i, change := range []func(meta []byte) []byte{
		func(meta []byte) []byte { return meta[:len(meta)/2] },
		func(meta []byte) []byte { return meta[:1] },
		func([]byte) []byte { return []byte{} },
		func(meta []byte) []byte { return append(meta, 'x') },
		func(meta []byte) []byte { meta[0]++; return meta },                                              // a later format
		func(meta []byte) []byte { meta[1] = 'x'; return meta },                                          // neither entry nor record
		func(meta []byte) []byte { return slices.Concat(meta[:2], []byte{40}, meta[4:]) },                // status 20
		func(meta []byte) []byte { return binary.AppendUvarint([]byte{meta[0], 'r'}, 1<<40) },            // a record of many names
		func(meta []byte) []byte { return append(meta[:len(meta)-20], bytes.Repeat([]byte{255}, 9)...) }, // a long line
	} {
		r := get(fmt.Sprintf("/%d-%d", id, i))
		s.ask(t, r)
		restore(t, s, r, change)
		if got := s.ask(t, r); got.status != http.StatusOK || got.body != "body" || got.xCache() != "MISS" {
			t.Errorf("change %d: %v", i, got)
		}
		if got := s.ask(t, r); got.xCache() != "HIT" {
			t.Errorf("change %d is in the way of what replaces it: %v", i, got)
		}
	}
}

// command sends a command to the site's Redis.
func (s *site) command(t *testing.T, args ...string) string {
	t.Helper()
	reply := redistest.Command(redistest.Addr(t), args...)
	if err := reply.Error(); err != nil {
		t.Errorf("%.40q: %v", args, err)
	}
	text, _ := reply.ToString()
	return text
}

// redisKey is where Redis has what is stored for r, which has no byte that the
// store escapes.
func (s *site) redisKey(t *testing.T, r request) string {
	t.Helper()
	return s.namespace + ":{" + keyOf(t, r) + "}"
}

// exchange gives each of two Redis keys the other's value.
func (s *site) exchange(t *testing.T, a, b string) {
	t.Helper()
	s.command(t, "RENAME", a, a+"-")
	s.command(t, "RENAME", b, a)
	s.command(t, "RENAME", a+"-", b)
}

// ownUntilNoticed asks until the site has noticed what was done to Redis. All
// answers are what the handler says.
func (s *site) ownUntilNoticed(t *testing.T, r request, body string) {
	t.Helper()
	noticed := until(10*time.Second, func() bool {
		got := s.ask(t, r)
		if got.body != body {
			t.Errorf("%s got %v", r.name(), got)
		}
		return got.body != body || got.xCache() != "HIT"
	})
	if !noticed {
		t.Errorf("%s: it is not noticed", r.name())
	}
}

func swapped(t *testing.T, s *site, id int) {
	a, b := fmt.Sprint("/a", id), fmt.Sprint("/b", id)
	for range 2 {
		s.ask(t, get(a))
		s.ask(t, get(b))
	}
	s.exchange(t, s.redisKey(t, get(a)), s.redisKey(t, get(b)))
	s.ownUntilNoticed(t, get(a), "the news at "+a)
	s.ownUntilNoticed(t, get(b), "the news at "+b)
}

func swappedVariants(t *testing.T, s *site, id int) {
	a, b := get(fmt.Sprint("/", id), "X-User: a"), get(fmt.Sprint("/", id), "X-User: b")
	bodies := []string{s.ask(t, a).body, s.ask(t, b).body}
	base := s.redisKey(t, a)
	names, err := redistest.Command(redistest.Addr(t), "KEYS", strings.ReplaceAll(base, "|", "?")+":v:*").AsStrSlice()
	if err != nil || len(names) != 2 {
		t.Errorf("%q, %v, want two variants", names, err)
		return
	}
	s.exchange(t, names[0], names[1])
	s.ownUntilNoticed(t, a, bodies[0])
	s.ownUntilNoticed(t, b, bodies[1])
}

func flipped(t *testing.T, s *site, id int) {
	r := get(fmt.Sprint("/", id))
	body := s.ask(t, r).body
	key := s.redisKey(t, r)
	raw := []byte(s.command(t, "GET", key))
	if !bytes.HasSuffix(raw, []byte(body)) {
		t.Errorf("it does not end with the body: %q", raw)
		return
	}
	raw[len(raw)-2] ^= 1
	s.command(t, "SET", key, string(raw))
	s.ownUntilNoticed(t, r, body)
}

// bombed puts values into Redis that are small, whose checksum is right, and whose
// bodies become 256 MiB, whether or not they say so.
func bombed(t *testing.T, s *site, id int) {
	if id > 2 {
		return // one is enough to fill the memory
	}
	const huge = 256 << 20
	for i, says := range []uint64{huge, 1 << 10, 1 << 62} {
		r := get(fmt.Sprintf("/%d-%d", id, i))
		body := s.ask(t, r).body
		key := s.redisKey(t, r)
		raw := []byte(s.command(t, "GET", key))
		if !bytes.HasSuffix(raw, []byte(body)) {
			t.Errorf("it does not end with the body: %q", raw)
			return
		}
		field := append(binary.AppendUvarint(nil, says), zeros(huge)...)
		raw = append(raw[:len(raw)-len(body)-1], binary.AppendUvarint(nil, uint64(len(field)))...) // the length of body takes a byte
		s.command(t, "SET", key, string(resum(append(raw, field...))))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.ownUntilNoticed(t, r, body)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 128<<20 {
			t.Errorf("a value of %d bytes took %d MiB", len(raw), grown>>20)
		}
	}
}

// resum marks a value as compressed, and gives it the sum that it must have then.
// The layout is redisstore's own.
func resum(raw []byte) []byte {
	raw[35] |= 2
	var d xxhash.Digest
	d.Reset()
	for _, part := range [][]byte{raw[:16], raw[32:36], raw[60:]} {
		d.Write(part)
	}
	binary.LittleEndian.PutUint64(raw[52:], d.Sum64())
	return raw
}

// zeros is a zstd frame (RFC 8878 §3.1.1) of n bytes, all 0, in blocks of 128 KiB
// that each say how often.
func zeros(n uint32) []byte {
	const block = 128 << 10
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x80, 0x50} // a content size of 4 bytes; a window of 1 MiB
	frame = binary.LittleEndian.AppendUint32(frame, n)
	for at := uint32(0); at < n; at += block {
		header := uint32(block<<3 | 1<<1) // one byte, repeated
		if at+block == n {
			header |= 1 // the last
		}
		frame = append(frame, byte(header), byte(header>>8), byte(header>>16), 0)
	}
	return frame
}
