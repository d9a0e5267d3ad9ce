package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
)

const (
	crowd     = 500
	crowdSize = 1 << 10
	slow      = 100 * time.Millisecond
)

// A herd is a subject in one process or more, which a crowd asks at once.
type herd struct {
	subject
	children []*child
	runs     []int64
	took     []time.Duration
	wrong    []error
}

// stampedes prints how often a slow handler runs for a crowd.
func (r run) stampedes() error {
	fmt.Printf("%d requests at once for what is not stored, of a handler that takes %v.\n\n", crowd, slow)
	header("what", "processes", "runs of the handler", "until the last answer", "wrong answers")
	var herds []*herd
	for _, s := range subjects {
		if s.bare || s.afar {
			continue
		}
		for n := 1; n == 1 || n == 2 && s.shared; n++ {
			h, err := startHerd(s, n, slow, r.redis)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			defer h.stop()
			herds = append(herds, h)
		}
	}
	for range r.rounds {
		for _, h := range herds {
			if err := h.measure(crowd); err != nil {
				return fmt.Errorf("%s: %w", h.name, err)
			}
		}
	}
	for _, h := range herds {
		h.print()
	}
	return nil
}

func startHerd(s subject, processes int, delay time.Duration, redis string) (*herd, error) {
	h := &herd{subject: s}
	for range processes {
		c, err := startChild(s, crowdSize, delay, redis)
		if err != nil {
			h.stop()
			return nil, err
		}
		h.children = append(h.children, c)
		if err := c.get(newPath()); err != nil { // it reaches its Redis, then
			h.stop()
			return nil, err
		}
	}
	return h, nil
}

func (h *herd) stop() {
	for _, c := range h.children {
		c.stop()
	}
}

// measure has n connections ask for something new at the same time.
func (h *herd) measure(n int) error {
	wires := make([]*wire, n)
	for i := range wires {
		w, err := dial(h.children[i%len(h.children)].addr, time.Minute)
		if err != nil {
			return err
		}
		defer w.close()
		wires[i] = w
	}
	before, err := h.allRuns()
	if err != nil {
		return err
	}
	took, errs := ask(wires, newPath(), h.children[0].origin)
	after, err := h.allRuns()
	if err != nil {
		return err
	}
	h.runs = append(h.runs, after-before)
	h.took = append(h.took, took)
	h.wrong = append(h.wrong, errs...)
	return nil
}

func (h *herd) allRuns() (sum int64, err error) {
	for _, c := range h.children {
		n, err := c.runs()
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// ask has all wires ask for path, and returns how long it took until the last
// had its answer, and what was wrong with those that were wrong.
func ask(wires []*wire, path string, o *origin) (took time.Duration, wrong []error) {
	errs := make([]error, len(wires))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, w := range wires {
		wg.Go(func() {
			<-start
			errs[i] = w.get(path, o)
		})
	}
	begun := time.Now()
	close(start)
	wg.Wait()
	took = time.Since(begun)
	return took, slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

func (h *herd) print() {
	runs := fmt.Sprint(measure.Median(h.runs))
	if low, high := slices.Min(h.runs), slices.Max(h.runs); low != high {
		runs += fmt.Sprintf(" (%d to %d)", low, high)
	}
	wrong := "none"
	if len(h.wrong) > 0 {
		wrong = fmt.Sprintf("%d of %d, as: %v", len(h.wrong), crowd*len(h.took), h.wrong[0])
	}
	row(h.name, fmt.Sprint(len(h.children)), runs, measure.Median(h.took).Round(time.Millisecond).String(), wrong)
}
