// Package soak runs a fleet under mixed traffic and faults for as long as one
// likes, and looks whether memory and goroutines stay what they are.
package soak

import (
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/consistency"
	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// A sample is what the process holds at one moment.
type sample struct {
	heap       uint64 // bytes in use after a garbage collection
	goroutines int
}

func take() sample {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return sample{m.HeapInuse, runtime.NumGoroutine()}
}

// medians returns the median of each figure.
func medians(list []sample) sample {
	heaps, counts := make([]uint64, len(list)), make([]int, len(list))
	for i, s := range list {
		heaps[i], counts[i] = s.heap, s.goroutines
	}
	slices.Sort(heaps)
	slices.Sort(counts)
	return sample{heaps[len(heaps)/2], counts[len(counts)/2]}
}

// TestSoak compares the last third of a run with the second one: the first is for
// what has to fill up.
func TestSoak(t *testing.T) {
	length := 15 * time.Second
	if s := os.Getenv("SOAK_DURATION"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		length = d
	}
	done := make(chan struct{})
	samples := make(chan []sample)
	go func() {
		var list []sample
		every := time.NewTicker(max(length/90, 300*time.Millisecond))
		defer every.Stop()
		for {
			select {
			case <-every.C:
				list = append(list, take())
			case <-done:
				samples <- list
				return
			}
		}
	}()
	r := consistency.Run(t, consistency.Config{
		Instances: 4, Faults: true, Flood: true, Duration: length, Seed: uint64(time.Now().UnixNano()),
	})
	close(done)
	list := <-samples
	t.Log(r)
	if len(list) < 30 || r.Purges == 0 {
		t.Fatalf("%d samples, %d purges: too little happened to prove anything", len(list), r.Purges)
	}
	before, after := medians(list[len(list)/3:2*len(list)/3]), medians(list[2*len(list)/3:])
	const row = "soak"
	figures.Note(t, row, "reads", r.Reads)
	figures.Note(t, row, "purges", r.Purges)
	figures.Exactly(t, row, "violations", r.Violations(), 0)
	figures.Note(t, row, "MiB of heap in the second third", before.heap>>20)
	figures.AtMost(t, row, "MiB of heap in the last third", after.heap>>20, (before.heap+before.heap/10)>>20+4)
	figures.Note(t, row, "goroutines in the second third", before.goroutines)
	figures.AtMost(t, row, "goroutines in the last third", after.goroutines, before.goroutines+before.goroutines/10+20)
}
