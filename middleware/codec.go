package middleware

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"time"
	"unsafe"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// What the store keeps as the Meta of an entry:
//
//	format  byte, metaFormat
//	kind    byte, 'e' for an entry or 'r' for a Vary record
//
// then, of a record, the names; of an entry
//
//	status, started, born, fresh, stale, error   varints; times in ns since 1970
//	marks                                         byte
//	first, last, size                             varints, of a part (status 206) alone
//	selected                                      string
//	fields                                        count, then name, count of lines, lines
//
// Strings and lists have their length in front, as a uvarint. The store checks
// that the bytes are as they were written; decoding still trusts none of them.
const (
	metaFormat = 2
	kindEntry  = 'e'
	kindRecord = 'r'
)

var errMeta = errors.New("middleware: stored response does not decode")

func (r *response) encode() []byte {
	if r.isRecord() {
		return appendStrings([]byte{metaFormat, kindRecord}, r.names)
	}
	var room [1 << 10]byte
	b := append(room[:0], metaFormat, kindEntry)
	for _, n := range []int64{
		int64(r.status), int64(r.started), int64(r.born),
		int64(r.windows.Fresh), int64(r.windows.Stale), int64(r.windows.Error),
	} {
		b = binary.AppendVarint(b, n)
	}
	b = append(b, byte(r.marks))
	if r.isPart() {
		b = binary.AppendVarint(b, r.span.First)
		b = binary.AppendVarint(b, r.span.Last)
		b = binary.AppendVarint(b, r.size)
	}
	b = appendString(b, r.selected)
	b = binary.AppendUvarint(b, uint64(len(r.fields)))
	start := int32(0)
	for _, f := range r.fields {
		b = appendString(b, f.name)
		b = appendStrings(b, r.lines[start:f.end])
		start = f.end
	}
	return bytes.Clone(b) // of its own length: it is kept
}

// decodeResponse decodes it anew; Cache.forms remembers. It allocates at most twice
// as many bytes as it.Meta has and 4 KiB.
func decodeResponse(it *store.Item) (*response, error) {
	d := decoder{rest: it.Meta}
	format, kind := d.byte(), d.byte()
	if format != metaFormat {
		return nil, errMeta
	}
	d.text = view(it.Meta) // which nobody writes to
	r := &response{item: it, body: it.Body}
	switch kind {
	case kindRecord:
		r.names = d.strings()
		d.bad = d.bad || len(r.names) == 0
	case kindEntry:
		d.entry(r)
	default:
		return nil, errMeta
	}
	if d.bad || len(d.rest) > 0 {
		return nil, errMeta
	}
	return r, nil
}

func (d *decoder) entry(r *response) {
	r.status = int(d.varint())
	r.started, r.born = instant(d.varint()), instant(d.varint())
	r.windows = swr.Windows{Fresh: d.duration(), Stale: d.duration(), Error: d.duration()}
	r.marks = marks(d.byte())
	if r.isPart() {
		r.span, r.size = rfc9111.Span{First: d.varint(), Last: d.varint()}, d.varint()
		d.bad = d.bad || r.span.First < 0 || r.span.Last >= r.size || r.span.Len() != int64(len(r.body))
	}
	r.selected = d.bytes()
	d.header(r)
	d.bad = d.bad || r.status < 200 || r.status > 999
}

// header reads fields twice: the first time to tell what they will take.
func (d *decoder) header(r *response) {
	fields, lines, ahead := d.count(), 0, *d
	for range fields {
		ahead.bytes()
		n := ahead.count()
		lines += n
		for range n {
			ahead.bytes()
		}
	}
	if ahead.bad || !decodable(fields, lines, len(d.text)) {
		d.fail()
		return
	}
	r.fields, r.lines = make([]field, 0, fields), make([]string, 0, lines)
	for range fields {
		name := usual(d.string())
		for range d.count() {
			r.lines = append(r.lines, d.string())
		}
		r.fields = append(r.fields, field{name: name, end: int32(len(r.lines))})
	}
	r.derive()
}

// usual returns name, of a field, in memory that all responses share if most have such a
// field: each hit reads the names, and those of seldom asked pages would come from afar.
func usual(name string) string {
	if shared, ok := usualNames[name]; ok {
		return shared
	}
	return name
}

var usualNames = func() map[string]string {
	names := make(map[string]string)
	for _, name := range []string{
		"Accept-Ranges", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
		"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Allow", "Alt-Svc", "Cache-Control", "Cdn-Cache-Control",
		"Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Security-Policy", "Content-Type",
		"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Date", "Etag", "Expires", "Last-Modified", "Link", "Location",
		"Permissions-Policy", "Referrer-Policy", "Server", "Server-Timing", "Strict-Transport-Security", "Timing-Allow-Origin", "Vary",
		"Via", "X-Content-Type-Options", "X-Frame-Options", "X-Powered-By", "X-Request-Id", "X-Robots-Tag", "X-Xss-Protection",
	} {
		names[name] = name
	}
	return names
}()

// decodable bounds what so many fields and lines take, once decoded, by the bytes
// they come in; the allocator rounds up. More than 100 fields of a few bytes each
// are over it.
func decodable(fields, lines, meta int) bool {
	const perField, perLine = int(unsafe.Sizeof(field{})), int(unsafe.Sizeof(""))
	return fields*perField+lines*perLine <= meta/2+2560
}

// A decoder reads from rest, the end of text, until it is bad. A count it returns
// is never more than the bytes that are left.
type decoder struct {
	rest []byte
	text string // to take strings from
	bad  bool
}

func (d *decoder) fail() {
	d.bad, d.rest = true, nil
}

func (d *decoder) byte() (b byte) {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	b, d.rest = d.rest[0], d.rest[1:]
	return b
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// duration bounds what it returns, so that sums of a few do not overflow.
func (d *decoder) duration() time.Duration {
	v := d.varint()
	if v < 0 || v > math.MaxInt64/4 {
		d.fail()
		return 0
	}
	return time.Duration(v)
}

func (d *decoder) count() int {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > uint64(len(d.rest)-n) {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return int(v)
}

func (d *decoder) bytes() []byte {
	n := d.count()
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) string() string {
	n := len(d.bytes())
	end := len(d.text) - len(d.rest)
	return d.text[end-n : end]
}

func (d *decoder) strings() []string {
	n := d.count()
	if !decodable(0, n, len(d.text)) {
		d.fail()
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func appendString[S string | []byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}
