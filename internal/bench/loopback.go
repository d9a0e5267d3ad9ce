package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
)

const connections = 64

// A served is a subject that is measured over loopback.
type served struct {
	subject
	child *child
	paths []string

	rate, p50, p99 []float64 // of requests a second, and in ms
	err            error     // why it is not measured
}

// overLoopback prints how many hits a server sends.
func (r run) overLoopback() error {
	fmt.Printf("Hits over loopback, %d connections; each subject is a process that shares the machine with the client.\n\n", connections)
	header("body", "what", "requests/s", "p50", "p99", "ratio of requests/s", "ratio to bare fiber")
	for _, size := range []int{1 << 10, 16 << 10} {
		if err := r.served(size); err != nil {
			return err
		}
	}
	return nil
}

func (r run) served(size int) error {
	var all []*served
	for _, s := range subjects {
		c, err := startChild(s, size, 0, r.redis)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		defer c.stop()
		v := &served{subject: s, child: c, paths: s.paths(size)}
		v.err = prime(c, v.paths, s.bare)
		all = append(all, v)
	}
	for range r.rounds {
		for _, v := range all {
			v.measure(r.loopback)
		}
	}
	bares := make(map[string][]float64)
	for _, v := range all {
		if v.bare && v.err == nil {
			bares[v.name] = v.rate
		}
		v.print(size, bares)
	}
	return nil
}

func (v *served) measure(d time.Duration) {
	if v.err != nil {
		return
	}
	v.err = onlyHits(v.child, v.bare, func() error {
		begun := time.Now()
		took, err := v.load(d)
		if err != nil {
			return err
		}
		v.rate = append(v.rate, float64(len(took))/time.Since(begun).Seconds())
		slices.Sort(took)
		v.p50 = append(v.p50, took[len(took)/2].Seconds()*1000)
		v.p99 = append(v.p99, took[len(took)*99/100].Seconds()*1000)
		return nil
	})
}

// load asks for d over all connections, and returns how long each answer took.
func (v *served) load(d time.Duration) ([]time.Duration, error) {
	var all [connections][]time.Duration
	var errs [connections]error
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() { all[i], errs[i] = v.ask(d) })
	}
	wg.Wait()
	return slices.Concat(all[:]...), errors.Join(errs[:]...)
}

func (v *served) ask(d time.Duration) (took []time.Duration, err error) {
	w, err := dial(v.child.addr, d+30*time.Second)
	if err != nil {
		return nil, err
	}
	defer w.close()
	i := rand.IntN(len(v.paths)) // one must not find what the other has just fetched
	for begun := time.Now(); time.Since(begun) < d; {
		i = (i + 1) % len(v.paths)
		asked := time.Now()
		if err := w.get(v.paths[i], v.child.origin); err != nil {
			return nil, err
		}
		took = append(took, time.Since(asked))
	}
	return took, nil
}

func (v *served) print(size int, bares map[string][]float64) {
	what := []string{kilobytes(size), v.name}
	if v.err != nil {
		row(append(what, v.err.Error())...)
		return
	}
	row(append(what, fmt.Sprintf("%.0f", measure.Median(v.rate)), fmt.Sprintf("%.2f ms", measure.Median(v.p50)),
		fmt.Sprintf("%.2f ms", measure.Median(v.p99)), ratio(v.rate, bares[bareName]), v.besideFiber(v.rate, bares))...)
}
