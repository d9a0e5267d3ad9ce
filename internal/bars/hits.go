package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

// A tier is a store whose hits come from the process's own memory.
type tier struct {
	name string
	store.Store
	most float64 // the bar
}

// tiers opens the stores. The caller calls close when done.
func (b *bench) tiers() (all []tier, closeAll func(), err error) {
	m, err := newMemory(64 << 20)
	if err != nil {
		return nil, nil, err
	}
	r, err := b.newRedis(nil)
	if err != nil {
		return nil, nil, err
	}
	return []tier{{"memstore", m, 1.0}, {"redisstore, local", r, 1.1}}, func() { r.Close() }, nil
}

// hits measures hits of all sizes, alone and in parallel.
func hits(b *bench) error {
	tiers, closeAll, err := b.tiers()
	if err != nil {
		return err
	}
	defer closeAll()
	for _, size := range sizes {
		p := newPage(size)
		r := get(fmt.Sprint("/things/42?size=", size))
		bare := &subject{op: asked(p, r)}
		var all []*subject
		for _, t := range tiers {
			p := newPage(size)
			h, err := p.cached(t.Store, reprise.Policy{})
			if err != nil {
				return err
			}
			if err := p.warm(h, r, http.StatusOK); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			all = append(all, &subject{name: t.name, op: asked(h, r)})
		}
		for _, parallel := range []bool{false, true} {
			b.compare(parallel, append([]*subject{bare}, all...)...)
			how := ""
			if parallel {
				how = ", parallel"
			}
			for i, s := range all {
				b.printRatio(fmt.Sprintf("hit, %s, %d KB%s", s.name, size>>10, how), s, bare, tiers[i].most, 0)
			}
		}
	}
	return nil
}

// otherWays measures a 304, a bypass and a miss.
func otherWays(b *bench) error {
	tiers, closeAll, err := b.tiers()
	if err != nil {
		return err
	}
	defer closeAll()
	st := tiers[0].Store
	bare := &subject{op: asked(newPage(1<<10), get("/304"))}

	p := newPage(1 << 10)
	h, err := p.cached(st, reprise.Policy{})
	if err != nil {
		return err
	}
	r := get("/304", "If-None-Match", `"one"`)
	if err := p.warm(h, r, http.StatusNotModified); err != nil {
		return err
	}
	confirmed := &subject{op: asked(h, r)}

	p = newPage(1 << 10)
	passes, err := p.cached(st, reprise.Policy{Condition: func(*http.Request) bool { return false }})
	if err != nil {
		return err
	}
	w := httptest.NewRecorder()
	passes.ServeHTTP(w, r())
	if w.Header().Get("X-Cache") != "BYPASS" || p.runs.Load() != 1 {
		return fmt.Errorf("not a bypass: %v", w.Header())
	}
	bypass := &subject{op: asked(passes, get("/bypass"))}

	miss, err := misses(st)
	if err != nil {
		return err
	}
	b.compare(false, bare, confirmed, bypass, miss)
	b.printRatio("304 on a hit", confirmed, bare, 1.0, 0)
	b.printRatio("bypass", bypass, bare, 1.1, bare.allocs)
	over := miss.median() - bare.median()
	b.print(row{
		what: "miss, 1 KB", measured: nanoseconds(miss.median()), beside: nanoseconds(bare.median()), ratio: fmt.Sprintf("+ %.0f ns", over),
		allocs: fmt.Sprint(miss.allocs), bar: "≤ bare + 3 µs, ≤ 15 allocs", met: over <= 3000 && miss.allocs <= 15,
	})
	return nil
}

// misses asks for another URL each time.
func misses(st store.Store) (*subject, error) {
	p := newPage(1 << 10)
	h, err := p.cached(st, reprise.Policy{})
	if err != nil {
		return nil, err
	}
	n, uri := int64(0), append(make([]byte, 0, 32), "/miss/"...)
	return &subject{op: func() func() {
		w, r := measure.NewWriter(), get("/miss")()
		return func() {
			n++
			w.Reset()
			r.RequestURI = string(strconv.AppendInt(uri, n, 10)) // one of the allocations that are counted
			r.URL.Path = r.RequestURI
			h.ServeHTTP(w, r)
			if w.Header()["X-Cache"][0] != "MISS" || w.Bytes != len(p.body) {
				panic(fmt.Sprint("not a miss: ", w.Header()))
			}
		}
	}}, nil
}
