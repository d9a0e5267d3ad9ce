package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

const (
	perEntry = 400      // bytes beside key, header and body
	budget   = 64 << 20 // of the local tier
)

// memory measures what an entry takes beside what is stored, and what a full budget
// takes of the heap.
func memory(b *bench) error {
	stores := []struct {
		name string
		open func() (store.Store, func(), error)
	}{
		{"memstore", func() (store.Store, func(), error) {
			st, err := newMemory(budget)
			return st, func() {}, err
		}},
		{"redisstore, local", func() (store.Store, func(), error) {
			st, err := b.newRedis(func(o *redisstore.Options) { o.LocalBytes = budget })
			return st, func() { st.Close() }, err
		}},
	}
	for _, s := range stores {
		for _, size := range []int{100, 1 << 10, 16 << 10, 256 << 10} {
			// Twice what fits, for the budget; a third, for what one entry takes.
			for _, full := range []bool{false, true} {
				if size != 100 && !full {
					continue
				}
				n := budget / (size + 1500) / 3
				if full {
					n = 2 * budget / (size + 300)
				}
				st, closeStore, err := s.open()
				if err != nil {
					return err
				}
				took, stored, err := fillUp(st, n, size)
				if err == nil && full {
					ratio := float64(took) / budget
					b.print(row{
						what: fmt.Sprintf("heap of a full budget, %s, bodies of %d bytes", s.name, size), measured: mebibytes(took), beside: mebibytes(budget),
						ratio: fmt.Sprintf("%.2f", ratio), bar: "≤ 1.10", met: ratio <= 1.1,
					})
				} else if err == nil {
					over := (took - stored) / int64(n)
					b.print(row{
						what: "one entry, " + s.name, measured: fmt.Sprint(took/int64(n), " B"), beside: fmt.Sprint(stored/int64(n), " B stored"),
						ratio: fmt.Sprint("+ ", over, " B"), bar: fmt.Sprint("≤ + ", perEntry, " B"), met: over <= perEntry,
					})
				}
				closeStore()
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// fillUp asks for n pages, each three times so that they are kept in this process,
// decoded, and have been hits. It returns what that took of the heap, and the bytes
// of keys, header fields and bodies.
func fillUp(st store.Store, n, size int) (took, stored int64, err error) {
	p := newPage(size)
	h, err := p.cached(st, reprise.Policy{})
	if err != nil {
		return 0, 0, err
	}
	ask := func(i int) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, get(fmt.Sprintf("/things/%07d", i))())
		return w
	}
	ask(0) // what the first answer of all makes
	before := heap()
	for i := range n {
		var w *httptest.ResponseRecorder
		for range 3 {
			w = ask(i)
		}
		if len(w.Body.Bytes()) != size {
			return 0, 0, fmt.Errorf("%d bytes, %v", w.Body.Len(), w.Header())
		}
		stored += int64(len("GET|http|example.com|/things/0000000") + size + headerBytes(w.Header()))
	}
	took = heap() - before
	runtime.KeepAlive(h)
	return took, stored, nil
}

// headerBytes is the length of the fields that are stored.
func headerBytes(h http.Header) (n int) {
	for name, values := range h {
		switch name {
		case "Age", "Cache-Status", "X-Cache", "Content-Length":
			continue
		}
		n += len(name) + len(strings.Join(values, ""))
	}
	return n
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
