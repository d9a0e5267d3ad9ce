package middleware

import (
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"

	"github.com/reprise-go/reprise/store"
)

// A form is what a stored response's item remembers: the response in the form in
// which it is served, while it is among those that are asked for.
type form struct {
	ready atomic.Pointer[response] // nil: it is decoded each time
	asked atomic.Uint32            // how often it was, while ready was nil
}

func newForm(*store.Item) (*form, error) { return new(form), nil }

// Forms that are ready take more than many a response. So only a bounded number are,
// those that were asked for again and again; one that is not, for longer than it
// takes others to take its place, has to be asked for as often to be so once more.
type forms struct {
	mu    sync.Mutex
	queue []readyForm // the oldest first
	bytes int
}

// A readyForm does not keep its form from going with the item.
type readyForm struct {
	form  weak.Pointer[form]
	bytes int
}

// maxReady bounds the ready forms of one Cache, in bytes: some 5,000.
const maxReady = 4 << 20

// askedOften is how many times a response is decoded before it stays so. Tests set
// it to 1.
var askedOften uint32 = 4

// decoded returns the response that it holds.
func (fs *forms) decoded(it *store.Item) (*response, error) {
	f, err := store.Decoded(it, newForm)
	if err != nil {
		return nil, err
	}
	if r := f.ready.Load(); r != nil {
		return r, nil
	}
	r, err := decodeResponse(it)
	if err == nil && f.asked.Add(1) >= askedOften {
		fs.add(f, r)
	}
	return r, err
}

// remembered returns the response that it holds if its form is ready, or nil.
func remembered(it *store.Item) *response {
	f, err := store.Decoded(it, newForm)
	if err != nil {
		return nil
	}
	return f.ready.Load()
}

// add makes r f's, in the place of the oldest ones.
func (fs *forms) add(f *form, r *response) {
	k := readyForm{weak.Make(f), r.memory()}
	if k.bytes > maxReady/16 {
		return
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if !f.ready.CompareAndSwap(nil, r) {
		return
	}
	fs.queue = append(fs.queue, k)
	for fs.bytes += k.bytes; fs.bytes > maxReady; fs.queue = fs.queue[1:] {
		oldest := fs.queue[0]
		fs.bytes -= oldest.bytes
		if f := oldest.form.Value(); f != nil {
			f.asked.Store(0)
			f.ready.Store(nil)
		}
	}
}

// memory is what r takes of the heap beside its item, with the lines of one second, in
// bytes.
func (r *response) memory() int {
	const perLine, texts, place = int(unsafe.Sizeof("")), 64, 64 // of dated, and of readyForm
	return store.Allocated(int(unsafe.Sizeof(*r))) + store.Allocated(int(unsafe.Sizeof(dated{}))) + texts + place +
		store.Allocated(len(r.fields)*int(unsafe.Sizeof(field{}))) + store.Allocated(len(r.names)*perLine) +
		store.Allocated(len(r.lines)*perLine) + store.Allocated((len(r.lines)+ownLines)*perLine)
}
