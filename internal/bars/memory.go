package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

const (
	perEntry = 400      // bytes beside key, header and body
	budget   = 64 << 20 // of the local tier
	used     = 17       // requests for a page, after which it is well known
)

// A space is a store whose local tier is measured.
type space struct {
	name string
	open func() (st store.Store, closeStore func(), err error)
}

// memory measures what an entry takes beside what is stored, and what a full budget
// takes of the heap.
func memory(b *bench) error {
	for _, s := range []space{
		{"memstore", func() (store.Store, func(), error) {
			st, err := newMemory(budget)
			return st, func() {}, err
		}},
		{"redisstore, local", func() (store.Store, func(), error) {
			st, err := b.newRedis(func(o *redisstore.Options) { o.LocalBytes = budget })
			return st, func() { st.Close() }, err
		}},
	} {
		for _, asked := range []int{1, used} {
			if err := b.oneEntry(s, asked); err != nil {
				return err
			}
		}
		for _, size := range []int{100, 1 << 10, 16 << 10, 256 << 10} {
			took, _, err := fillUp(s, 3*budget/2/(size+600), size, used)
			if err != nil {
				return err
			}
			ratio := float64(took) / budget
			b.print(row{
				what: fmt.Sprintf("heap of a full budget, %s, bodies of %d bytes", s.name, size), measured: mebibytes(took), beside: mebibytes(budget),
				ratio: fmt.Sprintf("%.2f", ratio), bar: "≤ 1.10", met: ratio <= 1.1,
			})
		}
	}
	return nil
}

// oneEntry measures what one more entry takes as it is stored, or read from Redis,
// and once it has been used more often than it takes to be well known. What there is
// once, whatever the number of entries, is taken off: it is in the figures of a full
// budget.
func (b *bench) oneEntry(s space, asked int) error {
	const few, n = 10_000, 30_000
	state := "as stored"
	switch {
	case asked > 1:
		state = "used"
	case s.name != "memstore":
		return nil // what is kept of Redis's has been read
	}
	base, fewStored, err := fillUp(s, few, 100, asked)
	if err != nil {
		return err
	}
	took, stored, err := fillUp(s, few+n, 100, asked)
	if err != nil {
		return err
	}
	took, stored = took-base, stored-fewStored
	over := (took - stored) / n
	r := row{
		what: "one entry, " + s.name + ", " + state, measured: fmt.Sprint(took/n, " B"), beside: fmt.Sprint(stored/n, " B stored"),
		ratio: fmt.Sprint("+ ", over, " B"), bar: fmt.Sprint("≤ + ", perEntry, " B"), met: over <= perEntry,
	}
	b.print(r)
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// fillUp asks for n pages, each so many times: the second time has them kept in
// this process and decoded. It returns what that took of the heap, and the bytes of
// keys, header fields and bodies.
func fillUp(s space, n, size, asked int) (took, stored int64, err error) {
	before := measure.Heap()
	st, closeStore, err := s.open()
	if err != nil {
		return 0, 0, err
	}
	defer closeStore()
	p := newPage(size)
	h, err := p.cached(st, reprise.Policy{})
	if err != nil {
		return 0, 0, err
	}
	for i := range n {
		var w *httptest.ResponseRecorder
		for range asked {
			w = httptest.NewRecorder()
			h.ServeHTTP(w, get(fmt.Sprintf("/things/%07d", i))())
		}
		if len(w.Body.Bytes()) != size {
			return 0, 0, fmt.Errorf("%d bytes, %v", w.Body.Len(), w.Header())
		}
		stored += int64(len("GET|http|example.com|/things/0000000") + size + headerBytes(w.Header()))
	}
	took = measure.Heap() - before
	runtime.KeepAlive(h)
	return took, stored, nil
}

// headerBytes is the length of the fields that are stored.
func headerBytes(h http.Header) (n int) {
	if h.Get("Date") == "" {
		n = len("DateThu, 01 Jan 1970 00:00:00 GMT") // which is stored, and added by servers otherwise
	}
	for name, values := range h {
		switch name {
		case "Age", "Cache-Status", "X-Cache", "Content-Length":
			continue
		}
		n += len(name) + len(strings.Join(values, ""))
	}
	return n
}
