package redisstore

import (
	"bytes"
	"encoding/binary"
	"slices"
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
		r.refs = append(r.refs, ref{i, store.NewStamp(), uint64(i) + 1})
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

func FuzzDecode(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(sample("").encode()))
	f.Add([]byte(sample("v", "a", "b").encode()))
	packed := sample("")
	packed.Body, packed.isPacked = pack(make([]byte, 1000))
	f.Add([]byte(packed.encode()))
	f.Fuzz(func(t *testing.T, b []byte) {
		check := func(b []byte) {
			it, err := decode(string(b))
			if err != nil {
				return
			}
			if !covered(it.refs, it.hashes) || 8*len(it.Tags) != len(it.hashes) || len(it.Tags) > len(b) {
				t.Errorf("%+v", it)
			}
			if it.packed != nil && it.packed.size <= 1<<20 && it.ready() && len(it.Body) != it.packed.size {
				t.Errorf("unpacked to %d bytes of %d", len(it.Body), it.packed.size)
			}
		}
		check(b)
		if len(b) >= headLen { // past the sum, to the bounds checks
			b = slices.Clone(b)
			copy(b[offMagic:], "rp\x01")
			ms := binary.LittleEndian.Uint64(b[offExpiry:])
			binary.LittleEndian.PutUint64(b[offExpiry+8:], ^ms)
			binary.LittleEndian.PutUint64(b[offSum:], sum(b))
			check(b)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("key", "", "meta", "body", "tag", "", int64(0))
	f.Add("", "v", "", "", "a", "a", int64(1)<<40)
	f.Fuzz(func(t *testing.T, key, variant, meta, body, tag1, tag2 string, ms int64) {
		r := sample(variant, tag1, tag2)
		r.key, r.Meta, r.Body, r.expires = key, []byte(meta), []byte(body), time.UnixMilli(ms)
		it, err := decode(r.encode())
		if err != nil {
			t.Fatal(err)
		}
		if it.Key != key || it.Variant != variant || !slices.Equal(it.Tags, r.Tags) || !slices.Equal(it.refs, r.refs) ||
			!bytes.Equal(it.Meta, r.Meta) || !bytes.Equal(it.Body, r.Body) || it.Expires.UnixMilli() != ms ||
			it.Stamp != r.stamp || it.Of != r.of || it.Mark != r.ref || it.Soft() {
			t.Errorf("%+v came back as %+v", r, it)
		}
	})
}

func FuzzParseLog(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, logHeadLen+logRecordLen))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, ok := parseLog(string(b))
		if ok && (l.head >= 1<<53 || len(l.tags) > len(b)/logRecordLen) {
			t.Errorf("%+v", l)
		}
	})
}
