package redisstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

func sample(variant string, tags ...string) *draft {
	r := &draft{
		Entry: store.Entry{Variant: variant, Meta: []byte("meta"), Body: []byte("body"), Tags: tags},
		key:   "key", stamp: store.NewStamp(), expires: time.Now().Add(time.Minute), isVariant: variant != "",
	}
	if r.isVariant {
		r.of, r.ref = store.NewStamp(), store.NewStamp()
	}
	for _, i := range members(logsOf(hashesOf(tags)) | 1<<home("key")) {
		r.refs = r.refs.add(ref{i, store.NewStamp(), uint64(i) + 1})
	}
	return r
}

// TestEveryBitCounts flips each bit of a value. Only those of the mark may
// pass, which scripts write: they make the item stale, no more.
func TestEveryBitCounts(t *testing.T) {
	for _, variant := range []string{"", "v"} {
		raw := sample(variant, "a", "b", "c").encode()
		if _, err := decode(raw); err != nil {
			t.Fatal(err)
		}
		for i := range 8 * len(raw) {
			b := []byte(raw)
			b[i/8] ^= 1 << (i % 8)
			it, err := decode(string(b))
			inMark := i/8 >= offMark && i/8 < offMagic
			if inMark && (err != nil || !it.Soft() || string(it.Body) != "body") {
				t.Errorf("bit %d of the mark: %v", i, err)
			}
			if !inMark && err == nil {
				t.Errorf("bit %d, byte %d, does not count", i, i/8)
			}
		}
		for n := range raw {
			if _, err := decode(raw[:n]); err == nil {
				t.Errorf("%d of %d bytes decode", n, len(raw))
			}
		}
	}
}

// TestDecodeDoesNotCopy holds decode to its allocations, which do not grow with
// the body.
func TestDecodeDoesNotCopy(t *testing.T) {
	r := sample("", "a")
	r.Body = make([]byte, 1<<20)
	raw := r.encode()
	if n := testing.AllocsPerRun(10, func() { _, _ = decode(raw) }); n > 5 {
		t.Errorf("%v allocations", n)
	}
	it, _ := decode(raw)
	if &data(raw)[len(raw)-1] != &it.Body[len(it.Body)-1] || cap(it.Body) != len(it.Body) {
		t.Error("the body is a copy, or can be appended to in place")
	}
}

// FuzzDecode: whatever Redis returns is taken apart within the bound, or refused;
// and what comes of it is an entry that can be stored again as it is.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(sample("").encode()))
	f.Add([]byte(sample("v", "a", "b").encode()))
	f.Add([]byte(manyTags(300, 0).encode()))
	f.Add([]byte(manyTags(300, 1).encode()))
	packed := sample("")
	packed.Body, packed.isPacked = pack(make([]byte, 1000))
	f.Add([]byte(packed.encode()))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkDecode(t, string(b))
		if len(b) >= headLen { // past the sum, to the bounds checks
			b = slices.Clone(b)
			copy(b[offMagic:], "rp\x01")
			ms := binary.LittleEndian.Uint64(b[offExpiry:])
			binary.LittleEndian.PutUint64(b[offExpiry+8:], ^ms)
			binary.LittleEndian.PutUint64(b[offSum:], sum(b))
			checkDecode(t, string(b))
		}
	})
}

func checkDecode(t *testing.T, raw string) {
	t.Helper()
	var it *item
	var err error
	bounded(t, len(raw), func() { it, err = decode(raw) })
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v is no miss", err)
		}
		return
	}
	if !covered(it.logs, it.hashes()) || 8*len(it.Tags) != len(it.hashes()) {
		t.Errorf("%+v", it)
	}
	r := &draft{
		Entry: store.Entry{Variant: it.Variant(), Meta: it.Meta, Body: it.Body, Tags: it.Tags},
		key:   it.Key, stamp: it.Stamp, of: it.Of(), ref: it.Mark(), expires: it.Expires(), refs: it.refs(), isVariant: it.Variant() != "",
	}
	if it.packed != nil {
		r.isPacked, r.Body = true, append(binary.AppendUvarint(nil, uint64(it.packed.size)), it.packed.data...)
	}
	again, err := decode(r.encode())
	if err != nil {
		if !covered(it.logs, hashesOf(it.Tags)) {
			return // who has written it lied about the hashes
		}
		t.Fatalf("%+v does not decode again: %v", it, err)
	}
	if again.Key != it.Key || again.Variant() != it.Variant() || !slices.Equal(again.Tags, it.Tags) || !slices.Equal(again.refs(), it.refs()) ||
		!bytes.Equal(again.Meta, it.Meta) || !bytes.Equal(again.Body, it.Body) || again.Expires() != it.Expires() || again.Stamp != it.Stamp || again.Of() != it.Of() {
		t.Errorf("%+v\nis %+v when it is stored again", it, again)
	}
	if it.packed == nil {
		return
	}
	if packed := it.packed; packed.size <= 1<<20 && it.ready() && len(it.Body) != packed.size {
		t.Errorf("unpacked to %d bytes of %d", len(it.Body), packed.size)
	}
}

// FuzzRoundTrip: what is stored comes back as it was.
func FuzzRoundTrip(f *testing.F) {
	f.Add("key", "", "meta", "body", "tag", "", int64(0))
	f.Add("", "v", "", "", "a", "a", int64(1)<<40)
	f.Add("k{}%", "v:w", "\xff", "\x00", "\xc3", "b", int64(-1))
	f.Fuzz(func(t *testing.T, key, variant, meta, body, tag1, tag2 string, ms int64) {
		r := sample(variant, tag1, tag2)
		r.key, r.Meta, r.Body, r.expires = key, []byte(meta), []byte(body), time.UnixMilli(ms)
		it, err := decode(r.encode())
		if err != nil {
			t.Fatal(err)
		}
		if it.Key != key || it.Variant() != variant || !slices.Equal(it.Tags, r.Tags) || !slices.Equal(it.refs(), r.refs) ||
			!bytes.Equal(it.Meta, r.Meta) || !bytes.Equal(it.Body, r.Body) || it.Ends != nanoseconds(uint64(ms)) ||
			it.Stamp != r.stamp || it.Of() != r.of || it.Mark() != r.ref || it.Soft() || !bytes.Equal(it.hashes(), hashesOf(r.Tags)) {
			t.Errorf("%+v came back as %+v", r, it)
		}
	})
}

// FuzzParseLog: a log is read within the bound as it is written, or refused.
func FuzzParseLog(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, logHeadLen+logRecordLen))
	f.Add(make([]byte, logHeadLen+logRecordLen-1))
	f.Add(make([]byte, maxLogLen))
	f.Add(make([]byte, maxLogLen+logRecordLen))
	f.Add([]byte(openedLog(1<<53 - 1)))
	f.Add([]byte(purgedLog(purgedLog(openedLog(7), "a", false, 8), "b", true, 9)))
	f.Add([]byte(purgedLog(openedLog(1<<53), "a", false, 8)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l *purgeLog
		var ok bool
		raw := string(b)
		bounded(t, len(raw), func() { l, ok = parseLog(raw) })
		want, wantOK := refParseLog(b)
		if ok != wantOK {
			t.Fatalf("%x: %v, want %v", b, ok, wantOK)
		}
		if !ok {
			return
		}
		if l.inc != want.inc || l.head != want.head || l.hardFloor != want.hardFloor || l.softFloor != want.softFloor || !maps.Equal(l.tags, want.tags) {
			t.Errorf("%x:\n got %+v\nwant %+v", b, l, want)
		}
		if whole := float64(l.head) == math.Float64frombits(binary.BigEndian.Uint64(b[16:])); whole && b[16] != 0x80 && l.version() != string(b[:24]) {
			t.Errorf("%x is of version %x", b, l.version())
		}
	})
}

// refParseLog reads a log with encoding/binary's own decoder.
func refParseLog(b []byte) (*purgeLog, bool) {
	var head struct {
		Inc        store.Stamp
		Head, H, S float64
	}
	r := bytes.NewReader(b)
	if err := binary.Read(r, binary.BigEndian, &head); err != nil {
		return nil, false
	}
	records := make([]struct {
		Hash uint64
		H, S float64
	}, r.Len()/24)
	if r.Len()%24 != 0 || len(records) > 2*128 || binary.Read(r, binary.BigEndian, records) != nil {
		return nil, false
	}
	ok := true
	number := func(f float64) uint64 {
		if math.IsNaN(f) || math.IsInf(f, 0) || f < 0 || f >= 9007199254740992 {
			ok = false
			return 0
		}
		return uint64(f)
	}
	l := &purgeLog{inc: head.Inc, head: number(head.Head), hardFloor: number(head.H), softFloor: number(head.S), tags: map[uint64]cut{}}
	for _, c := range records {
		l.tags[c.Hash] = cut{number(c.H), number(c.S)}
	}
	return l, ok
}

// FuzzPack: what is compressed comes back, and what is something else is refused
// or has the length it claims. Within decode's bound are a packed body's own bytes;
// what becomes of them is within its claim, which maxPacked bounds, and zstd's tables.
func FuzzPack(f *testing.F) {
	for _, s := range []string{"", "a", strings.Repeat("abc", 1000), "\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00"} {
		f.Add([]byte(s))
	}
	if b, ok := pack(make([]byte, 10_000)); ok {
		f.Add(b)
		f.Add(append([]byte{5}, b[2:]...))
		f.Add(append(b, b[2:]...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		field, _ := pack(b)
		p, ok := newPacked(field)
		if !ok {
			t.Fatal("it is not what pack has made")
		}
		if back, ok := p.unpack(); !ok || !bytes.Equal(back, b) {
			t.Errorf("%x comes back as %x", b, back)
		}
		p, ok = newPacked(b)
		if !ok || p.size > 1<<20 {
			return
		}
		if back, ok := p.unpack(); ok && len(back) != p.size {
			t.Errorf("%x becomes %d bytes", b, len(back))
		}
	})
}

// Times that a store.Item cannot tell stay on their side of now.
func TestTimesOutOfRange(t *testing.T) {
	for ms, want := range map[int64]int64{
		0: 0, 1: 1e6, -1: -1e6, 1 << 40: 1 << 40 * 1e6, 1 << 50: math.MaxInt64 / 1_000_000 * 1_000_000, math.MaxInt64: math.MaxInt64 / 1_000_000 * 1_000_000,
		math.MinInt64: -(math.MaxInt64 / 1_000_000 * 1_000_000),
	} {
		if got := nanoseconds(uint64(ms)); got != want {
			t.Errorf("%d ms are %d ns, want %d", ms, got, want)
		}
	}
}
