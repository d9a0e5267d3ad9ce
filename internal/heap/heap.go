// Package heap tells what objects take of it.
package heap

import "sort"

// sizeClasses are the sizes of small objects in Go's heap, in bytes: SizeClassToSize
// of internal/runtime/gc. Should a later Go have others, estimates are somewhat off.
var sizeClasses = [...]int{
	0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480, 512,
	576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864, 5376, 6144,
	6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264,
	28672, 32768,
}

// heapPage is what larger objects are multiples of, in bytes.
const heapPage = 8 << 10

// Size returns the bytes that an object of n takes of the heap: up to an eighth
// more. For stores' estimates of what they keep.
func Size(n int) int {
	if n <= sizeClasses[len(sizeClasses)-1] {
		return sizeClasses[sort.SearchInts(sizeClasses[:], n)]
	}
	return (n + heapPage - 1) / heapPage * heapPage
}
