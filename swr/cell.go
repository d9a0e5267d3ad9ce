package swr

import (
	"encoding/binary"
	"errors"
	"time"
	"unsafe"

	"github.com/reprise-go/reprise/internal/heap"
	"github.com/reprise-go/reprise/store"
)

// A cell is a value of a Cache as it is stored, or as a load has just made it.
type cell[T any] struct {
	head
	item    *store.Item // nil: just made
	payload []byte      // the value, encoded; nil: there is none

	by      *Cache[T] // which keeps what it decodes, and has decoded it; nil: none has
	decoded T
}

// A head is what is known of a value beside itself.
type head struct {
	schema  uint64
	born    int64 // when it was loaded, in nanoseconds since 1970
	windows Windows
	cost    time.Duration // how long the load took
	missing bool          // the load said ErrNotFound
}

// The layout of an encoded head: two letters and the format, flags, and numbers
// of 8 bytes. Responses begin otherwise.
const (
	headMagic   = "dv\x01"
	headSize    = 4 + 6*8
	flagMissing = 1 << 0
)

var (
	errForeign = errors.New("no value of a data cache")
	errSchema  = errors.New("value of another type or schema")
)

// encode returns the encoded head.
func (h *head) encode() []byte {
	var flags byte
	if h.missing {
		flags |= flagMissing
	}
	dst := append(make([]byte, 0, headSize), headMagic...)
	dst = append(dst, flags)
	for _, n := range [...]int64{
		int64(h.schema), h.born, int64(h.windows.Fresh), int64(h.windows.Stale), int64(h.windows.Error), int64(h.cost),
	} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	return dst
}

// parse takes an encoded head apart. It checks no schema: what another version of
// the program has stored is not wrong.
func parse(m []byte) (h head, err error) {
	if len(m) != headSize || string(m[:len(headMagic)]) != headMagic {
		return h, errForeign
	}
	flags, n := m[len(headMagic)], m[len(headMagic)+1:]
	next := func() int64 {
		v := int64(binary.LittleEndian.Uint64(n))
		n = n[8:]
		return v
	}
	h.schema, h.born = uint64(next()), max(next(), 0) // of before 1970 nothing is
	h.windows = Windows{Fresh: life(next()), Stale: life(next()), Error: life(next())}
	h.cost = life(next())
	h.missing = flags&flagMissing != 0
	return h, nil
}

// life bounds what a damaged or hostile value may say.
func life(n int64) time.Duration { return min(max(time.Duration(n), 0), maxLife) }

// entry returns what to store for c.
func (c *cell[T]) entry(tags []string) store.Entry {
	return store.Entry{Meta: c.encode(), Body: c.payload, Tags: tags, Life: c.windows.Life()}
}

// memory is about what c takes of the heap beside its item, in bytes: of what a
// decoded value takes no more is known than how long it is encoded.
func (c *cell[T]) memory() int {
	return heap.Size(int(unsafe.Sizeof(*c))) + 2*heap.Size(len(c.payload))
}

// state returns what c's caller may do with it at now, in nanoseconds since 1970: what
// was just made is for all who waited for it. draw is from the exponential
// distribution of mean 1.
func (c *cell[T]) state(now int64, early, draw float64) State {
	if c.item == nil {
		return Fresh
	}
	age := time.Duration(max(now-c.born, 0)) // clocks may disagree
	if c.item.Soft() {
		age = max(age, c.windows.Fresh)
	}
	st := c.windows.At(age)
	if st == Fresh && early > 0 && c.windows.Early(age, c.cost, early*draw) {
		return Stale
	}
	return st
}
