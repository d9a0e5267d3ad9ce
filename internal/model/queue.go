package model

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// A queue holds the worlds of one level, each with its number, in a fifth of
// their size: most bytes of a world are zero.
type queue struct {
	blocks [][]byte
	n      int
}

const (
	worldSize = int(unsafe.Sizeof(world{}))
	maskSize  = (worldSize + 7) / 8
	topSize   = (maskSize + 7) / 8
	blockSize = 1 << 20
)

// octets returns w's own memory. All of its fields are of one byte, so that it has
// no padding: TestWorldIsBytes.
func (w *world) octets() *[worldSize]byte { return (*[worldSize]byte)(unsafe.Pointer(w)) }

// put adds w: a mask of its bytes that are not zero, itself without its zeros and
// with a mask of its own before it, and then those bytes.
func (q *queue) put(w *world, number uint32) {
	if last := len(q.blocks) - 1; last < 0 || len(q.blocks[last])+4+topSize+maskSize+worldSize > blockSize {
		q.blocks = append(q.blocks, make([]byte, 0, blockSize))
	}
	last := &q.blocks[len(q.blocks)-1]
	var mask [maskSize]byte
	all := w.octets()[:]
	for i := 0; i < worldSize; i += 8 {
		word := all[i:min(i+8, worldSize)]
		if len(word) == 8 && binary.NativeEndian.Uint64(word) == 0 {
			continue
		}
		for j, b := range word {
			if b != 0 {
				mask[i/8] |= 1 << j
			}
		}
	}
	b := append(*last, byte(number), byte(number>>8), byte(number>>16), byte(number>>24))
	b = sparse(b, mask[:], topSize)
	for i, m := range mask {
		for ; m != 0; m &= m - 1 {
			b = append(b, all[8*i+bits.TrailingZeros8(m)])
		}
	}
	*last = b
	q.n++
}

// sparse appends which bytes of s are not zero, in n bytes, and then those.
func sparse(b, s []byte, n int) []byte {
	at := len(b)
	b = append(b, make([]byte, n)...)
	for i, v := range s {
		if v != 0 {
			b[at+i/8] |= 1 << (i % 8)
			b = append(b, v)
		}
	}
	return b
}

// all calls f with each world, and lets go of them as it goes, until f says no.
func (q *queue) all(f func(w *world, number uint32) bool) {
	for i, b := range q.blocks {
		for len(b) > 0 {
			var w world
			number := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
			b = w.unpack(b[4:])
			if !f(&w, number) {
				return
			}
		}
		q.blocks[i] = nil
	}
	*q = queue{}
}

// unpack is put backwards. It returns what is left of b.
func (w *world) unpack(b []byte) []byte {
	var mask [maskSize]byte
	top := b[:topSize]
	b = b[topSize:]
	for i, t := range top {
		for ; t != 0; t &= t - 1 {
			mask[8*i+bits.TrailingZeros8(t)] = b[0]
			b = b[1:]
		}
	}
	to := w.octets()
	for i, m := range mask {
		for ; m != 0; m &= m - 1 {
			to[8*i+bits.TrailingZeros8(m)] = b[0]
			b = b[1:]
		}
	}
	return b
}
