package main

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
)

// A target answers for a subject: a site in this process, or a child.
type target interface {
	get(path string) error // an error if the answer is not the origin's
	runs() (int64, error)  // of the origin, so far
}

// visits are enough for every cache to know what is asked for all the time.
const visits = 32

// prime has t store its answers to paths, and makes sure that it answers hits.
// bare targets need not.
func prime(t target, paths []string, bare bool) error {
	for range max(2, visits/len(paths)) {
		for _, path := range paths {
			if err := t.get(path); err != nil {
				return err
			}
		}
	}
	return onlyHits(t, bare, func() error {
		for _, path := range paths {
			if err := t.get(path); err != nil {
				return err
			}
		}
		return nil
	})
}

// onlyHits makes sure that the origin does not run while f does.
func onlyHits(t target, bare bool, f func() error) error {
	before, err := t.runs()
	if err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	after, err := t.runs()
	if err != nil {
		return err
	}
	// A cache that was never behind a run is not in use at all.
	if after != before || after == 0 && !bare {
		return fmt.Errorf("no hit: the handler ran %d times, and %d before", after-before, before)
	}
	return nil
}

var pathsMade atomic.Uint64

// newPath returns a path that nobody has asked for: some subjects' stores are one
// for a process, and Redis may have been there before.
func newPath() string {
	return "/things/" + strconv.Itoa(os.Getpid()) + "/" + strconv.FormatUint(pathsMade.Add(1), 10)
}
