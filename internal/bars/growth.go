package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// growth measures how costs grow with what is stored.
func growth(b *bench) error {
	for _, f := range []func(*bench) error{byEntries, byTags, byVariants, byTagged, byInstances} {
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

// byEntries asks for a thousand pages in turn, of so many that are stored.
func byEntries(b *bench) error {
	const asked = 1000
	var all, maps []*subject
	counts := []int{1e3, 1e5, 1e6}
	for _, n := range counts {
		st, err := newMemory(4 << 30)
		if err != nil {
			return err
		}
		p := newPage(10)
		h, err := p.cached(st, reprise.Policy{})
		if err != nil {
			return err
		}
		targets := make([]string, n)
		w, r := measure.NewWriter(), get("/")()
		ask := func(uri string) {
			w.Reset()
			r.RequestURI, r.URL.Path = uri, uri
			h.ServeHTTP(w, r)
		}
		for i := range targets {
			targets[i] = "/page/" + strconv.Itoa(i)
			ask(targets[i])
		}
		some := rand.New(rand.NewPCG(1, 2)).Perm(n)[:asked]
		uris, i := atHand(targets, some), 0
		all = append(all, &subject{op: func() func() {
			for range 40 {
				for _, uri := range uris {
					ask(uri)
				}
			}
			return func() {
				i++
				ask(uris[i%asked])
				if w.Header()["X-Cache"][0] != "HIT" {
					panic(fmt.Sprint("not a hit: ", w.Header()))
				}
			}
		}})
		maps = append(maps, inMap(targets, some))
	}
	b.compare(false, append(all, maps...)...)
	for i, s := range all[1:] {
		bar := 0.0
		if i == len(all)-2 {
			bar = 1.3
		}
		b.printGrowth(fmt.Sprintf("hit, %d entries stored", counts[i+1]), s, all[0], bar)
		b.printGrowth(fmt.Sprintf("looking a body up in a Go map of as many, %d entries", counts[i+1]), maps[i+1], maps[0], 0)
	}
	return nil
}

// atHand returns some of targets, one beside the other: what a server has just read of a
// request is not what a hit waits for.
func atHand(targets []string, some []int) []string {
	var all []byte
	for _, i := range some {
		all = append(all, targets[i]...)
	}
	list, left := make([]string, len(some)), string(all)
	for j, i := range some {
		n := len(targets[i])
		list[j], left = left[:n], left[n:]
	}
	return list
}

// inMap looks some of targets up in a map that has no more than a body for each: what
// memory costs that is not at hand, whoever keeps it.
func inMap(targets []string, some []int) *subject {
	bodies := make(map[string][]byte, len(targets))
	for _, t := range targets {
		bodies[t] = []byte("0123456789")
	}
	uris := atHand(targets, some)
	return &subject{op: func() func() {
		i, sum := 0, byte(0)
		return func() {
			i++
			sum += bodies[uris[i%len(uris)]][0]
		}
	}}
}

// printGrowth prints s beside the first of its kind; most is the bar, or 0.
func (b *bench) printGrowth(what string, s, first *subject, most float64) {
	ratio := s.over(first)
	r := row{what: what, measured: nanoseconds(s.median()), beside: nanoseconds(first.median()), ratio: fmt.Sprintf("%.2f", ratio), allocs: fmt.Sprint(s.allocs)}
	if most > 0 {
		r.bar, r.met = fmt.Sprintf("≤ %.2f", most), ratio <= most
	}
	b.print(r)
}

// byTags measures hits on pages with tags.
func byTags(b *bench) error {
	st, err := newMemory(64 << 20)
	if err != nil {
		return err
	}
	var all []*subject
	counts := []int{0, 4, 16}
	for _, n := range counts {
		p := newPage(1 << 10)
		for i := range n {
			p.tags = append(p.tags, fmt.Sprint("tag ", i))
		}
		h, err := p.cached(st, reprise.Policy{})
		if err != nil {
			return err
		}
		r := get(fmt.Sprint("/tags/", n))
		if err := p.warm(h, r, http.StatusOK); err != nil {
			return err
		}
		all = append(all, &subject{op: asked(h, r)})
	}
	b.compare(false, all...)
	for i, s := range all[1:] {
		b.printGrowth(fmt.Sprintf("hit, %d tags", counts[i+1]), s, all[0], 1.3)
	}
	return nil
}

// byVariants measures hits on one of so many variants.
func byVariants(b *bench) error {
	st, err := newMemory(64 << 20)
	if err != nil {
		return err
	}
	var all []*subject
	counts := []int{1, 8, 64}
	for _, n := range counts {
		p := newPage(1 << 10)
		p.fields = []string{"Vary", "X-Variant"}
		h, err := p.cached(st, reprise.Policy{})
		if err != nil {
			return err
		}
		target := fmt.Sprint("/variants/", n)
		for i := range n {
			p.runs.Store(0)
			if err := p.warm(h, get(target, "X-Variant", strconv.Itoa(i)), http.StatusOK); err != nil {
				return err
			}
		}
		all = append(all, &subject{op: asked(h, get(target, "X-Variant", "0"))})
	}
	b.compare(false, all...)
	for i, s := range all[1:] {
		b.printGrowth(fmt.Sprintf("hit, %d variants", counts[i+1]), s, all[0], 1.3)
	}
	return nil
}

// byTagged measures a purge of a tag that so many entries carry. In memory as many
// are stored before each purge, with or without the tag: what fills leave in the
// processor's caches is not to be taken for what a tag costs.
func byTagged(b *bench) error {
	ctx := context.Background()
	memory, err := newMemory(1 << 30)
	if err != nil {
		return err
	}
	shared, err := b.newRedis(nil)
	if err != nil {
		return err
	}
	defer shared.Close()
	counts := []int{1e2, 1e3, 1e4, 1e5}
	for _, t := range []tier{{name: "memstore", Store: memory}, {name: "redisstore", Store: shared}} {
		first := 0.0
		for _, n := range counts {
			took := make([]float64, 0, b.rounds)
			for round := range b.rounds {
				if round > 0 && n > 1e4 && t.name == "redisstore" {
					break // to fill takes seconds
				}
				tag := fmt.Sprint(n, "-", round)
				if t.name == "memstore" {
					for i := range counts[len(counts)-1] - n {
						if err := fill(ctx, t.Store, fmt.Sprint("untagged ", tag, " ", i), "x", "other"); err != nil {
							return err
						}
					}
				}
				for i := range n {
					if err := fill(ctx, t.Store, fmt.Sprint(tag, " ", i), "x", tag); err != nil {
						return err
					}
				}
				began := time.Now()
				if _, err := t.Purge(ctx, store.Purge{Tags: []string{tag}}); err != nil {
					return err
				}
				took = append(took, float64(time.Since(began)))
				if it, err := t.Get(ctx, tag+" 0"); err == nil {
					return fmt.Errorf("after its purge: %v", it)
				}
			}
			if first == 0 {
				first = measure.Median(took)
			}
			r := row{
				what: fmt.Sprintf("purge of a tag of %d entries, %s", n, t.name), measured: nanoseconds(measure.Median(took)), beside: nanoseconds(first),
				ratio: fmt.Sprintf("%.2f", measure.Median(took)/first),
			}
			if n == counts[len(counts)-1] {
				r.bar, r.met = "≤ 2", measure.Median(took)/first <= 2
			}
			b.print(r)
		}
	}
	return nil
}

// byInstances measures local hits at one of so many instances on one Redis.
func byInstances(b *bench) error {
	all := []*subject{{name: "1"}, {name: "2"}, {name: "4"}, {name: "8"}}
	for range b.rounds {
		for i, s := range all {
			if err := b.atOneOf(1<<i, s); err != nil {
				return err
			}
		}
	}
	for _, s := range all[1:] {
		b.printGrowth(fmt.Sprintf("local hit at one of %s instances", s.name), s, all[0], 1.3)
	}
	return nil
}

// atOneOf measures s once, which is a hit at the last of n instances that it opens.
func (b *bench) atOneOf(n int, s *subject) error {
	p, r := newPage(1<<10), get("/instances")
	var h http.Handler
	space := fmt.Sprint("bars-instances", namespaces.Add(1))
	for range n {
		st, err := b.newRedis(func(o *redisstore.Options) { o.Namespace = space })
		if err != nil {
			return err
		}
		defer st.Close()
		if h, err = p.cached(st, reprise.Policy{}); err != nil {
			return err
		}
		if err := p.warm(h, r, http.StatusOK); err != nil {
			return err
		}
	}
	s.op = asked(h, r)
	s.measure(false)
	return nil
}
