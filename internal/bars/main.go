// Bars measures what the cache costs, each figure beside the bar that it has to
// meet: hits beside a bare handler that sets four header fields and writes the same
// body, other ways through the cache, requests over loopback, reads from Redis,
// memory, and how all of it grows.
//
//	go run ./internal/bars            everything, some minutes
//	go run ./internal/bars -only hit  the groups whose name has "hit" in it
//
// What is compared runs in one process and in rounds that take turns, and medians
// count, since machines are noisy. Each answer is verified, and that the handler
// did not run. It uses the Redis at REDIS_ADDR, or starts a redis-server of its own.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
)

// A group is some bars that are measured together.
type group struct {
	name string
	run  func(b *bench) error
}

var groups = []group{
	{"hit", hits},
	{"other ways", otherWays},
	{"redis", remoteHits},
	{"loopback", overLoopback},
	{"memory", memory},
	{"scan", scan},
	{"growth", growth},
	{"early", early},
}

// A bench is one run of the program.
type bench struct {
	rounds int
	time   time.Duration // of one measurement
	redis  string        // address
	missed int
}

func main() {
	b := new(bench)
	flag.IntVar(&b.rounds, "rounds", 9, "how often each is measured; the median counts")
	flag.DurationVar(&b.time, "time", 30*time.Millisecond, "of one measurement")
	only := flag.String("only", "", "a regular expression: groups to measure")
	testing.Init()
	flag.Parse()
	if err := b.run(*only); err != nil {
		log.Fatal(err)
	}
	if b.missed > 0 {
		fmt.Printf("\n%d bars were missed\n", b.missed)
		os.Exit(1)
	}
}

func (b *bench) run(only string) error {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if err := flag.Set("test.benchtime", b.time.String()); err != nil {
		return err
	}
	addr, stop, err := measure.Redis()
	if err != nil {
		return err
	}
	defer stop()
	b.redis = addr
	fmt.Println("| what | measured | beside | ratio | allocs | bar | |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, g := range groups {
		if !chosen.MatchString(g.name) {
			continue
		}
		if err := g.run(b); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
	}
	return nil
}

// A row is one line of the table. Cells that do not apply are empty.
type row struct {
	what, measured, beside, ratio, allocs, bar string
	met                                        bool
}

func (b *bench) print(r row) {
	verdict := ""
	switch {
	case r.bar == "":
	case r.met:
		verdict = "met"
	default:
		verdict = "missed"
		b.missed++
	}
	fmt.Printf("| %s | %s | %s | %s | %s | %s | %s |\n", r.what, r.measured, r.beside, r.ratio, r.allocs, r.bar, verdict)
}
