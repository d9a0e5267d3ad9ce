// Bench runs the same work through reprise and through what its users would
// pick instead, in one run, side by side, and prints Markdown:
//
//	make bench-peers                       # in the root of the repository: everything, eight minutes
//	go run -tags peers . -tables hit       # here: one of the tables hit, loopback, stampede and values
//	go run -tags peers . -rounds 1 -benchtime 20ms -loopback 200ms
//
// # What is compared
//
//   - bare handler: no cache; sets four header fields and writes a body that it
//     has. It stands behind each of the caches too, and is what ratios are to.
//   - reprise with memstore, with redisstore as its local tier answers, and with
//     redisstore where the local tier is too small and Redis answers.
//   - go-chi/stampede.
//   - victorspringer/http-cache with its memory adapter.
//   - fiber's cache, in memory. fiber is no net/http but fasthttp, so it is
//     compared with a bare handler of its own too, and in process it is handed a
//     fasthttp.RequestCtx.
//
// And with the build tag peers, since they take minutes to compile:
//
//   - fiber's cache with fiber's Redis storage.
//   - go-redis GET + JSON: not a library but what articles show, in naive.go.
//   - Souin 1.7.8 as net/http middleware with its built-in storage.
//
// Each is set up as its documentation shows, with an hour to live. Souin's other
// storages, Redis among them, are missing since the Go module proxy does not
// deliver them.
//
// Values, not responses, are compared with go-redis/cache. eko/gocache is missing:
// the proxy does not deliver it either.
//
// # How
//
// Each body is compared and each status, and the handler must not have run: who
// does not answer a hit so is reported and not measured. Rounds of all subjects
// are interleaved, and medians printed, since machines are noisy; a ratio is the
// median of the rounds' own.
//
//   - hit, hits in this process, with a ResponseWriter that does nothing.
//   - loopback, hits over 64 connections that stay open, from a client that does
//     little to a process of the subject's own.
//   - stampede, 500 requests at once for what nobody has asked for yet, of a
//     handler that takes 100 ms, over a connection each: to one process, and to
//     two on one Redis for those that share one.
//   - values, what it costs to get a value of Go's that is stored.
//
// It uses the Redis at REDIS_ADDR, or starts a redis-server of its own.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
)

// A run is how one run of this program measures.
type run struct {
	redis    string // address
	rounds   int
	loopback time.Duration // of one measurement
}

func main() {
	if order := os.Getenv(orderEnv); order != "" {
		if err := serve(order, os.Stdin, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	var r run
	tables := flag.String("tables", "hit,loopback,stampede,values", "the tables to print")
	flag.IntVar(&r.rounds, "rounds", 7, "interleaved rounds; the median counts")
	flag.DurationVar(&r.loopback, "loopback", 2*time.Second, "time of one measurement over loopback")
	benchtime := flag.String("benchtime", "200ms", "time of one measurement in process")
	testing.Init()
	flag.Parse()
	if err := flag.Set("test.benchtime", *benchtime); err != nil {
		log.Fatal(err)
	}
	if err := r.print(strings.Split(*tables, ",")); err != nil {
		log.Fatal(err)
	}
}

func (r run) print(tables []string) error {
	addr, stop, err := measure.Redis()
	if err != nil {
		return err
	}
	defer stop()
	r.redis = addr
	known := map[string]func() error{"hit": r.inProcess, "loopback": r.overLoopback, "stampede": r.stampedes, "values": r.ofValues}
	for _, name := range tables {
		table, ok := known[name]
		if !ok {
			return fmt.Errorf("no table is called %q", name)
		}
		fmt.Printf("%s, %d processors, load %s\n\n", runtime.Version(), runtime.NumCPU(), load())
		if err := table(); err != nil {
			return err
		}
		fmt.Println()
	}
	fmt.Println("load at the end:", load())
	return nil
}

// load is how busy the machine is with this and everything else.
func load() string {
	averages, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(averages))[:3], " ")
}
