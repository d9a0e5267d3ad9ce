package redisstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

func packing(t testing.TB) *Store {
	t.Helper()
	return open(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second, CompressOver: 1000})
}

func TestBodiesAreCompressed(t *testing.T) {
	s := packing(t)
	random := make([]byte, 5000)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for name, c := range map[string]struct {
		body   string
		packed bool
	}{
		"short":       {strings.Repeat("a", 999), false},
		"long enough": {strings.Repeat("a", 1000), true},
		"random":      {string(random), false},
		"text":        {strings.Repeat("some text that repeats, ", 5000), true},
	} {
		fill(t, s, name, c.body)
		for range 2 { // from Redis, then from memory
			if got := body(s, name); got != c.body {
				t.Errorf("%s: %d bytes came back of %d", name, len(got), len(c.body))
			}
		}
		it, err := s.asTold().fetch(ctx, store.Slot{Key: name})
		if err != nil || (it.packed != nil) != c.packed || c.packed && len(it.raw) > len(c.body)/2 {
			t.Errorf("%s: %v, packed: %v, %d bytes in Redis", name, err, it.packed != nil, len(it.raw))
		}
	}
	// Who does not compress reads what others have compressed.
	o := s.options
	o.CompressOver = 0
	if got := body(open(t, o), "text"); len(got) != 24*5000 {
		t.Errorf("the other reads %d bytes", len(got))
	}
}

// TestPackedBodyIsUnpackedOnce lets many readers come first.
func TestPackedBodyIsUnpackedOnce(t *testing.T) {
	s := packing(t)
	want := strings.Repeat("x", 1<<20)
	fill(t, s, "k", want)
	var wg sync.WaitGroup
	bodies := make([][]byte, 16)
	for i := range bodies {
		wg.Go(func() { bodies[i] = get(t, s, "k").Body })
	}
	wg.Wait()
	again := get(t, s, "k").Body
	if string(again) != want {
		t.Fatal("it is not what was stored")
	}
	if it := get(t, s, "k"); &it.Body[0] != &again[0] {
		t.Error("each reader unpacks it anew")
	}
	if size := s.LocalSize(); size.Bytes < 1<<20 {
		t.Errorf("a body of 1 MiB counts as %d bytes", size.Bytes)
	}
}

// TestBombsAreMisses stores values that claim to be small, or are honest about
// how large they would become.
func TestBombsAreMisses(t *testing.T) {
	s := packing(t)
	huge, ok := pack(make([]byte, maxPacked))
	if !ok {
		t.Fatal("zeros do not compress")
	}
	_, n := binary.Uvarint(huge)
	frame := huge[n:]
	for name, field := range map[string][]byte{
		"claims less":      append(binary.AppendUvarint(nil, 100), frame...),
		"claims a little":  append(binary.AppendUvarint(nil, maxPacked-1), frame...),
		"claims more":      append(binary.AppendUvarint(nil, maxPacked+1), frame...),
		"claims much more": append(binary.AppendUvarint(nil, 8*maxPacked), frame...),
		"claims all":       append(binary.AppendUvarint(nil, 1<<62), frame...),
		"many frames":      append(binary.AppendUvarint(nil, maxPacked), bytes.Repeat(frame, 100)...),
		"no frame":         append(binary.AppendUvarint(nil, 100), "not compressed"...),
		"no length":        bytes.Repeat([]byte{0xff}, 20),
		"nothing":          {},
	} {
		r := sample("")
		r.key, r.Body, r.isPacked = name, field, true
		r.refs = refs{}.add(ref{home(name), store.NewStamp(), 1})
		if got := command(s.options.Addrs[0], "SET", s.keys.base(name), r.encode()); got != "+OK" {
			t.Fatal(got)
		}
		it, err := decode(r.encode())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		unpacked := err == nil && it.ready()
		runtime.ReadMemStats(&after)
		if unpacked {
			t.Errorf("%s: it became %d bytes", name, len(it.Body))
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > maxPacked+maxPacked/4 {
			t.Errorf("%s: %d bytes were allocated", name, grown)
		}
		if _, err := s.Get(ctx, name); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
		fill(t, s, name, "healed")
		if got := body(s, name); got != "healed" {
			t.Errorf("%s: then %q", name, got)
		}
	}
}

// TestWritesDoNotPileUp commits while too much is on its way already.
func TestWritesDoNotPileUp(t *testing.T) {
	s := packing(t)
	s.writing.Store(maxWriting)
	if err := tryFill(s, "k", "v"); !errors.Is(err, errQueue) {
		t.Errorf("got %v", err)
	}
	s.writing.Store(0)
	soon, cancel := context.WithTimeout(ctx, 30*time.Second) // half of the lease's time
	defer cancel()
	if err := s.Wait(soon, store.Slot{Key: "k"}); err != nil {
		t.Fatal("the lease was left behind: ", err)
	}
	fill(t, s, "k", "v")
	if n := s.writing.Load(); n != 0 {
		t.Errorf("%d bytes are counted and not on their way", n)
	}
}

// TestOneLargeValueIsStored: what bounds the bytes on their way is no bound of
// one value.
func TestOneLargeValueIsStored(t *testing.T) {
	s := open(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: 5 * time.Second})
	if err := tryFill(s, "k", string(make([]byte, maxWriting+1))); err != nil {
		t.Error(err)
	}
}

// TestCompressingTakesNoneOfTheTimeout stores what takes longer to compress than
// a call may take.
func TestCompressingTakesNoneOfTheTimeout(t *testing.T) {
	var b []byte
	for len(b) < 30<<20 {
		b = fmt.Appendf(b, `{"id":%d,"name":"product %d"},`, rand.Uint32()%1000, len(b))
	}
	_, _ = pack(nil) // the codec's tables are made
	begun := time.Now()
	if _, ok := pack(b); !ok {
		t.Fatal("it does not compress")
	}
	timeout := time.Since(begun) / 2
	s := open(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: timeout, CompressOver: 1})
	eventually(t, 20*time.Second, fmt.Sprint("stored, with a timeout of ", timeout), func() bool { return tryFill(s, "k", string(b)) == nil })
}

// TestLaterFormat finds what a later version of this program has stored: it is
// a miss, nobody here replaces it, and a purge drops it.
func TestLaterFormat(t *testing.T) {
	addr := sharedAddr(t)
	rec := &counts{}
	s := open(t, Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second, Recorder: rec})
	later := func(r *draft) string {
		b := []byte(r.encode())
		b[offMagic+2] = formatNow + 1
		b = append(b, "and more"...)
		binary.LittleEndian.PutUint64(b[offSum:], sum(b))
		return string(b)
	}
	base := later(sample(""))
	if got := command(addr, "SET", s.keys.base("key"), base); got != "+OK" {
		t.Fatal(got)
	}
	for range 3 {
		if _, err := s.Get(ctx, "key"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("get: %v", err)
		}
		l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "key"}, Hold: time.Minute})
		if l == nil || !errors.Is(err, errNewer) {
			t.Fatalf("acquire: %v, %v", l, err)
		}
		if err := l.Commit(ctx, store.Entry{Life: time.Minute}); err == nil || errors.Is(err, store.ErrOvertaken) {
			t.Errorf("commit: %v", err)
		}
	}
	if got := command(addr, "GET", s.keys.base("key")); got != base {
		t.Error("it was replaced")
	}
	if rec.get("get newer") == 0 || rec.get("acquire newer") != 3 {
		t.Errorf("recorded: %v", rec.n)
	}
	if p, err := s.Purge(ctx, store.Purge{Keys: []string{"key"}}); err != nil || p.Count != 1 {
		t.Errorf("purge: %v, %v", p, err)
	}
	fill(t, s, "key", "v")
}

// TestADamagedFormatIsNoLaterOne flips the bits that tell the format: what is
// damaged is replaced by the next fill, and not left alone for all its life.
func TestADamagedFormatIsNoLaterOne(t *testing.T) {
	addr := sharedAddr(t)
	s := open(t, Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second})
	r := sample("")
	r.key = "k"
	b := []byte(r.encode())
	b[offMagic+2] ^= 0x80
	if got := command(addr, "SET", s.keys.base("k"), string(b)); got != "+OK" {
		t.Fatal(got)
	}
	fill(t, s, "k", "healed")
	if got := body(s, "k"); got != "healed" {
		t.Errorf("got %q", got)
	}
}
