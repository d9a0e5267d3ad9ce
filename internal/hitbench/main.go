// Hitbench compares a hit with a bare handler that sets four header fields and
// writes the same body: ns and allocations per request and the ratio, for
// memstore and for the local tier of redisstore. Rounds of all of them are
// interleaved and the medians are printed, since machines are noisy.
//
// It uses the Redis at REDIS_ADDR, or starts a redis-server of its own.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

const (
	maxRatio  = 1.5
	maxAllocs = 3
)

func main() {
	rounds := flag.Int("rounds", 7, "interleaved rounds; the median counts")
	short := flag.String("benchtime", "200ms", "time of one measurement")
	testing.Init()
	flag.Parse()
	if err := flag.Set("test.benchtime", *short); err != nil {
		log.Fatal(err)
	}
	ok, err := run(*rounds)
	if err != nil {
		log.Fatal(err)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(rounds int) (ok bool, err error) {
	addr, stop, err := redis()
	if err != nil {
		return false, err
	}
	defer stop()
	memory, err := memstore.New(memstore.Options{})
	if err != nil {
		return false, err
	}
	fleet, err := redisstore.New(redisstore.Options{Addrs: []string{addr}, Namespace: "hitbench" + strconv.Itoa(os.Getpid())})
	if err != nil {
		return false, err
	}
	defer fleet.Close()

	fmt.Println("| body | run | what | ns/op | allocs/op | ratio | bar |")
	fmt.Println("|---|---|---|---|---|---|---|")
	ok = true
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		bare := answering(size, nil)
		subjects := []*subject{{name: "bare handler", handler: bare}}
		for name, st := range map[string]store.Store{"memstore hit": memory, "redisstore local hit": fleet} {
			s, err := hit(name, st, size)
			if err != nil {
				return false, err
			}
			subjects = append(subjects, s)
		}
		slices.SortFunc(subjects[1:], func(a, b *subject) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
		for _, parallel := range []bool{false, true} {
			ok = compare(subjects, size, parallel, rounds) && ok
		}
	}
	return ok, nil
}

// A subject is one thing to measure.
type subject struct {
	name    string
	handler http.Handler
	ns      []float64
	allocs  int64
}

// answering sets four header fields and writes size bytes. It counts its runs
// in n, unless that is nil.
func answering(size int, n *int) http.Handler {
	body := bytes.Repeat([]byte("x"), size)
	length := strconv.Itoa(size)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n != nil {
			*n++
		}
		h := w.Header()
		h.Set("Content-Type", "text/plain")
		h.Set("Content-Length", length)
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("Etag", `"one"`)
		w.Write(body)
	})
}

// hit returns a handler all of whose answers are hits, and makes sure of that.
func hit(name string, st store.Store, size int) (*subject, error) {
	cache, err := reprise.New(st)
	if err != nil {
		return nil, err
	}
	runs := 0
	h := cache.Handler(reprise.Policy{Name: name + " " + strconv.Itoa(size)})(answering(size, &runs))
	// The first fills; of a fleet's store, the next ones bring the entry to its
	// local tier.
	var w *httptest.ResponseRecorder
	for range 3 {
		w = httptest.NewRecorder()
		h.ServeHTTP(w, request(size))
	}
	if runs != 1 || w.Header().Get("X-Cache") != "HIT" || w.Body.Len() != size {
		return nil, fmt.Errorf("%s: not a hit: %d runs, %v", name, runs, w.Header())
	}
	return &subject{name: name, handler: h}, nil
}

func request(size int) *http.Request {
	r := httptest.NewRequest("GET", "/things/42?size="+strconv.Itoa(size), nil)
	r.Header.Set("User-Agent", "hitbench")
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Accept-Encoding", "gzip")
	return r
}

// compare measures subjects against the first of them.
func compare(subjects []*subject, size int, parallel bool, rounds int) (ok bool) {
	for _, s := range subjects {
		s.ns = nil
	}
	for range rounds {
		for _, s := range subjects {
			res := testing.Benchmark(func(b *testing.B) { measure(b, s.handler, size, parallel) })
			s.ns = append(s.ns, float64(res.T.Nanoseconds())/float64(res.N))
			s.allocs = res.AllocsPerOp()
		}
	}
	ok = true
	how := "serial"
	if parallel {
		how = "parallel"
	}
	for i, s := range subjects {
		ratio := median(s.ns) / median(subjects[0].ns)
		bar := ""
		if i > 0 {
			bar = fmt.Sprintf("≤ %.1f, ≤ %d allocs", maxRatio, maxAllocs)
			if ratio > maxRatio || s.allocs > maxAllocs {
				bar += ": missed"
				ok = false
			}
		}
		fmt.Printf("| %d KB | %s | %s | %.0f | %d | %.2f | %s |\n", size>>10, how, s.name, median(s.ns), s.allocs, ratio, bar)
	}
	return ok
}

func measure(b *testing.B, h http.Handler, size int, parallel bool) {
	b.ReportAllocs()
	if !parallel {
		w, r := new(dummy), request(size)
		for b.Loop() {
			w.reset()
			h.ServeHTTP(w, r)
		}
		return
	}
	b.RunParallel(func(pb *testing.PB) {
		w, r := new(dummy), request(size)
		for pb.Next() {
			w.reset()
			h.ServeHTTP(w, r)
		}
	})
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// dummy is a ResponseWriter that costs next to nothing but a header map for each
// request, as net/http's do.
type dummy struct{ header http.Header }

func (d *dummy) reset()                      { d.header = make(http.Header) }
func (d *dummy) Header() http.Header         { return d.header }
func (d *dummy) Write(p []byte) (int, error) { return len(p), nil }
func (d *dummy) WriteHeader(int)             {}

// redis returns the address of a Redis, and what to call when done with it.
func redis() (addr string, stop func(), err error) {
	if addr = os.Getenv("REDIS_ADDR"); addr != "" {
		return addr, func() {}, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("hitbench needs a Redis: set REDIS_ADDR, or install redis-server (%w)", err)
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
	if err := reachable(addr, 5*time.Second); err != nil {
		stop()
		return "", nil, err
	}
	return addr, stop, nil
}

func reachable(addr string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
