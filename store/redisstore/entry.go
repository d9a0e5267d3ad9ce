package redisstore

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/reprise-go/reprise/store"
)

// The layout of a value. Scripts read and write the fields at fixed offsets:
// the stamp, the mark of the last soft purge, the expiry and the stamp of the
// base. The sum covers neither the mark nor the expiry, which scripts change;
// the expiry is kept twice, the second time inverted.
//
//	 0 stamp 16
//	16 mark 16        zero, or the token of the last soft purge
//	32 "rp", version, kind
//	36 expiry 8       Unix milliseconds, little endian
//	44 ^expiry 8
//	52 sum 8          XXH64 of all but mark, expiry and sum
//	60 of 16, ref 16  variants only: the base's stamp, and its mark when this was filled
//	   logs           count, (log 1, inc 16, S0 8)…
//	   key, variant   each with its length (uvarint) before it
//	   tags           count, their hashes 8 each, then each with its length
//	   meta, body     as key
//
// The scripts of all versions run side by side while a fleet is upgraded. So a
// later format keeps the first 60 bytes, what the sum is of among them, and of a
// variant 32 more, as they are.
const (
	offMark   = 16
	offMagic  = 32
	offExpiry = 36
	offSum    = 52
	headLen   = 60
	refLen    = 1 + 16 + 8
)

// What is written is of formatNow; what is from formatOldest on is read. Of a
// later format this process neither reads nor replaces what there is.
const (
	formatNow    = 1
	formatOldest = 1
)

const (
	kindVariant = 1 << iota
	kindPacked  // the body is compressed
	kindsKnown  = 1<<iota - 1
)

var (
	// errMalformed: what is stored is not an entry that this version knows, or
	// is damaged.
	errMalformed = fmt.Errorf("redisstore: not an entry of this format: %w", store.ErrNotFound)
	// errNewer: a later version of this program has written it.
	errNewer = fmt.Errorf("redisstore: an entry of a later format: %w", errMalformed)
)

// A ref is what a fill noted of one purge log before it began.
type ref struct {
	log int
	inc store.Stamp
	s0  uint64
}

// refs are several, refLen bytes each, as a value has them.
type refs []byte

func (rs refs) add(r ref) refs {
	rs = append(append(rs, byte(r.log)), r.inc[:]...)
	return binary.LittleEndian.AppendUint64(rs, r.s0)
}

func (rs refs) all() iter.Seq[ref] {
	return func(yield func(ref) bool) {
		for ; len(rs) >= refLen; rs = rs[refLen:] {
			if !yield(ref{int(rs[0]), store.Stamp(rs[1:17]), binary.LittleEndian.Uint64(rs[17:])}) {
				return
			}
		}
	}
}

// logs returns the set of their logs, a bit each.
func (rs refs) logs() (set uint64) {
	for ; len(rs) >= refLen; rs = rs[refLen:] {
		set |= 1 << rs[0]
	}
	return set
}

// An item is an entry in this process's memory, decoded once.
type item struct {
	store.Item         // the first: see keeper
	raw        string  // what Redis returned; Item's strings and bytes lie in it
	ends       int64   // Item.Ends on the store's clock
	logs       uint64  // those that it rests on, a bit each
	packed     *packed // of which ready makes Item.Body; or nil
	tagsAt     uint32  // where in raw the hashes of its tags are

	// Of items in the local tier, which were verified at a version of the purge
	// table: the connection that tracks the key, and
	// which of its generations.
	conn *conn
	gen  uint32
}

// A draft is what encode makes a value of.
type draft struct {
	store.Entry
	key       string
	stamp     store.Stamp
	of, ref   store.Stamp // of variants
	expires   time.Time
	refs      refs
	isVariant bool
	isPacked  bool // Body is what pack returned
}

func (r *draft) encode() string {
	n := headLen + 32 + 1 + len(r.refs) + 6*binary.MaxVarintLen32 + len(r.key) + len(r.Variant) + len(r.Meta) + len(r.Body)
	for _, t := range r.Tags {
		n += 8 + binary.MaxVarintLen32 + len(t)
	}
	b := make([]byte, headLen, n)
	copy(b, r.stamp[:])
	copy(b[offMagic:], "rp")
	b[offMagic+2] = formatNow
	if r.isVariant {
		b[offMagic+3] |= kindVariant
		b = append(b, r.of[:]...)
		b = append(b, r.ref[:]...)
	}
	if r.isPacked {
		b[offMagic+3] |= kindPacked
	}
	copy(b[offExpiry:], expiry(r.expires))
	b = append(b, byte(len(r.refs)/refLen))
	b = append(b, r.refs...)
	b = appendField(b, r.key)
	b = appendField(b, r.Variant)
	b = binary.AppendUvarint(b, uint64(len(r.Tags)))
	b = append(b, hashesOf(r.Tags)...)
	for _, t := range r.Tags {
		b = appendField(b, t)
	}
	b = appendField(b, text(r.Meta))
	b = appendField(b, text(r.Body))
	binary.LittleEndian.PutUint64(b[offSum:], sum(b))
	return text(b)
}

func appendField(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// expiry returns the 16 bytes that stand for t, to the millisecond.
func expiry(t time.Time) string {
	ms := uint64(t.UnixMilli())
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), ms)
	return text(binary.LittleEndian.AppendUint64(b, ^ms))
}

func sum(b []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	d.Write(b[:offMark])
	d.Write(b[offMagic:offExpiry])
	d.Write(b[headLen:])
	return d.Sum64()
}

// decode takes a value apart without copying it. It allocates at most twice as
// many bytes as raw has and 4 KiB, and only once the sum has proved raw whole;
// what is compressed stays so.
func decode(raw string) (*item, error) {
	b := data(raw)
	if len(b) < headLen || string(b[offMagic:offMagic+2]) != "rp" || b[offMagic+2] < formatOldest {
		return nil, errMalformed
	}
	kind := b[offMagic+3]
	ms := binary.LittleEndian.Uint64(b[offExpiry:])
	if ^ms != binary.LittleEndian.Uint64(b[offExpiry+8:]) || sum(b) != binary.LittleEndian.Uint64(b[offSum:]) {
		return nil, errMalformed
	}
	if b[offMagic+2] > formatNow { // and not a damaged byte
		return nil, errNewer
	}
	it := &item{raw: raw}
	it.Stamp, it.Ends = store.Stamp(b[:offMark]), nanoseconds(ms)
	kin := store.Kin{Mark: store.Stamp(b[offMark:offMagic])}
	if kin.Mark != (store.Stamp{}) {
		it.Soften()
	}
	r := reader{b[headLen:], true}
	if kind&kindVariant != 0 {
		kin.Of, kin.Mark = r.stamp(), r.stamp()
	}
	it.logs = r.refs().logs()
	it.Key, kin.Variant = text(r.field()), text(r.field())
	var hashes tagHashes
	it.Tags, hashes, it.tagsAt = r.tags(len(b))
	it.Meta, it.Body = r.field(), r.field()
	if kind&kindPacked != 0 && r.ok {
		it.packed, r.ok = newPacked(it.Body)
		it.Body = nil
	}
	isVariant := kind&kindVariant != 0
	if !r.ok || len(r.left) != 0 || kind&^kindsKnown != 0 || isVariant != (kin.Variant != "") || !covered(it.logs, hashes) {
		return nil, errMalformed
	}
	if isVariant || kin.Mark != (store.Stamp{}) {
		it.Kin = new(store.Kin) // and not kin itself, which few have: it would be in the heap for all
		*it.Kin = kin
	}
	return it, nil
}

// nanoseconds returns a time in milliseconds since 1970 as a store.Item has it, or
// what comes nearest to it: centuries from now.
func nanoseconds(ms uint64) int64 {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return max(-most, min(int64(ms), most)) * int64(time.Millisecond)
}

// refs are what its fill noted of its logs.
func (it *item) refs() refs {
	b := data(it.raw)[headLen:]
	if it.Variant() != "" {
		b = b[32:]
	}
	return b[1 : 1+refLen*int(b[0])]
}

// hashes are of its tags.
func (it *item) hashes() tagHashes {
	return data(it.raw)[it.tagsAt:][:8*len(it.Tags)]
}

// covered reports whether every tag's log is among logs, and the home log.
func covered(logs uint64, hashes tagHashes) bool {
	return logs != 0 && logsOf(hashes)&^logs == 0
}

// A reader takes fields off the front of left. Once ok is false all it returns
// is empty.
type reader struct {
	left []byte
	ok   bool
}

func (r *reader) take(n uint64) []byte {
	if !r.ok || n > uint64(len(r.left)) {
		r.ok = false
		return nil
	}
	b := r.left[:n:n]
	r.left = r.left[n:]
	return b
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 {
		r.ok = false
		return 0
	}
	r.left = r.left[n:]
	return v
}

func (r *reader) field() []byte { return r.take(r.number()) }

func (r *reader) stamp() (s store.Stamp) {
	copy(s[:], r.take(16))
	return s
}

func (r *reader) refs() refs {
	b := r.take(1)
	if !r.ok {
		return nil
	}
	list := refs(r.take(uint64(b[0]) * refLen))
	for ref := range list.all() {
		r.ok = r.ok && ref.log < numLogs && ref.s0 < 1<<53 // as Lua's numbers
	}
	return list
}

// tags are bounded by what is left: each takes 10 bytes there at least, and 16 in
// memory. An empty one takes 9; of those a hundred are more than anybody has. at is
// where in all of the value, so many bytes, their hashes are.
func (r *reader) tags(all int) (tags []string, hashes tagHashes, at uint32) {
	n := r.number()
	at = uint32(all - len(r.left)) // a value is half a GiB at most
	if n == 0 || n > 100+uint64(len(r.left))/10 {
		r.ok = r.ok && n == 0
		return nil, nil, at
	}
	hashes = r.take(8 * n)
	tags = make([]string, n)
	for i := range tags {
		tags[i] = text(r.field())
	}
	return tags, hashes, at
}

// data and text turn one into the other without copying. Nobody writes to what
// either returns: values from Redis are shared by all readers, as store.Item
// says, and values on their way to Redis are not touched again.
func data(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
