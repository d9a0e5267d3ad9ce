package redisstore

import (
	"encoding/binary"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxPacked bounds what is compressed, and what a value may claim to become:
// whoever can write to Redis must not be able to fill this process's memory
// with a few bytes.
const maxPacked = 32 << 20

// A codec is made once it is needed, and by all stores: the packer keeps some
// 1.5 MiB for each processor, and would keep 9 with the window it has by itself.
var (
	packer = sync.OnceValue(func() *zstd.Encoder {
		e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
			zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true)) // the options are valid
		return e
	})
	unpacker = sync.OnceValue(func() *zstd.Decoder {
		d, _ := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxPacked), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0))
		return d
	})
)

// pack returns body compressed, behind its length, or false where that does not
// save an eighth of it.
func pack(body []byte) (packed []byte, ok bool) {
	if len(body) > maxPacked {
		return nil, false
	}
	b := binary.AppendUvarint(make([]byte, 0, len(body)/2), uint64(len(body)))
	b = packer().EncodeAll(body, b)
	return b, len(b) <= len(body)-len(body)/8
}

// A packed body is unpacked by its first reader, and not by the connection's:
// pushes wait behind that one.
type packed struct {
	size  int // of what it becomes
	data  []byte
	once  sync.Once
	whole bool // it could be unpacked
}

func newPacked(field []byte) (*packed, bool) {
	size, n := binary.Uvarint(field)
	if n <= 0 || size > maxPacked {
		return nil, false
	}
	return &packed{size: int(size), data: field[n:]}, true
}

// unpack returns what was packed, or false if that was something else.
func (p *packed) unpack() ([]byte, bool) {
	body, err := unpacker().DecodeAll(p.data, make([]byte, 0, p.size))
	return body, err == nil && len(body) == p.size
}

// ready makes it.Body of what was packed, once. It tells whether the item has
// its body.
func (it *item) ready() bool {
	if it.packed == nil {
		return true
	}
	it.packed.once.Do(func() {
		it.Body, it.packed.whole = it.packed.unpack()
		it.packed.data = nil
	})
	return it.packed.whole
}
