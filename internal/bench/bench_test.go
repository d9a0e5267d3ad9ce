package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/internal/measure"
)

func TestMain(m *testing.M) {
	if order := os.Getenv(orderEnv); order != "" {
		if err := serve(order, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m,
		// The peers' own: what fiber's cache and Souin start has no end.
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v3/internal/memory.(*Storage).gc"),
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v3/middleware/cache.New.func4"),
		goleak.IgnoreAnyFunction("github.com/gofiber/utils/v2.StartTimeStampUpdater.func1.1"),
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v3/internal/memory.New.StartTimeStampUpdater.func1.1"), // inlined, with -race
		goleak.IgnoreAnyFunction("github.com/darkweak/souin/pkg/middleware.registerMappingKeysEviction.func1"),
	)
}

func startRedis(t *testing.T) string {
	t.Helper()
	addr, stop, err := measure.Redis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return addr
}

func open(t *testing.T, s subject, size int, redis string) *trial {
	t.Helper()
	site, err := s.open(newOrigin(size, 0), redis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(site.close)
	return &trial{subject: s, site: site, paths: s.paths(size)}
}

func TestHitsInProcess(t *testing.T) {
	addr := startRedis(t)
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			at := open(t, s, 16<<10, addr)
			if err := prime(at.site, at.paths, s.bare); err != nil {
				t.Fatal(err)
			}
			ask := at.asker()
			if err := onlyHits(at.site, s.bare, func() error {
				for range 2 * len(at.paths) {
					ask()
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHitsOverLoopback(t *testing.T) {
	addr := startRedis(t)
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c, err := startChild(s, 16<<10, 0, addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.stop()
			v := &served{subject: s, child: c, paths: s.paths(16 << 10)}
			if err := prime(c, v.paths, s.bare); err != nil {
				t.Fatal(err)
			}
			v.measure(20 * time.Millisecond)
			if v.err != nil || len(v.rate) != 1 || v.rate[0] <= 0 {
				t.Errorf("%v requests/s, %v", v.rate, v.err)
			}
		})
	}
}

func TestHerdOfTwoProcesses(t *testing.T) {
	h, err := startHerd(named(t, "reprise, redisstore, local"), 2, 50*time.Millisecond, startRedis(t))
	if err != nil {
		t.Fatal(err)
	}
	defer h.stop()
	for range 2 {
		if err := h.measure(20); err != nil {
			t.Fatal(err)
		}
	}
	for i := range h.runs {
		// Not how few: a busy machine is slower than the time a store gives Redis.
		if h.runs[i] < 1 || h.took[i] < 50*time.Millisecond || len(h.wrong) > 0 {
			t.Errorf("%d runs in %v, wrong: %v", h.runs[i], h.took[i], h.wrong)
		}
	}
}

// What has a name that says Redis answers must ask it.
func TestAfarAsksRedis(t *testing.T) {
	addr := startRedis(t)
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		at := open(t, named(t, "reprise, redisstore, from Redis"), size, addr)
		if err := prime(at.site, at.paths, false); err != nil {
			t.Fatal(err)
		}
		ask := at.asker()
		before := commands(t, addr)
		const asked = 1000
		for range asked {
			ask()
		}
		if n := commands(t, addr) - before; n < asked*9/10 {
			t.Errorf("%d KB: Redis had %d commands for %d requests", size>>10, n, asked)
		}
	}
}

// commands returns how many commands Redis has had.
func commands(t *testing.T, addr string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "INFO stats\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if digits, ok := strings.CutPrefix(lines.Text(), "total_commands_processed:"); ok {
			n, err := strconv.Atoi(digits)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("Redis does not say:", lines.Err())
	return 0
}

func named(t *testing.T, name string) subject {
	t.Helper()
	for _, s := range subjects {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no subject is called %q", name)
	return subject{}
}

// A subject that answers no hits, or wrongly, is told from one that does.
func TestWhatIsNoHit(t *testing.T) {
	o := newOrigin(1<<10, 0)
	var asked atomic.Int64
	for name, h := range map[string]http.Handler{
		"runs each time": o,
		"never runs":     http.HandlerFunc(o.answer),
		"cuts a hit": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 1 {
				o.ServeHTTP(w, r)
				return
			}
			w.Write(o.body[1:])
		}),
		"refuses a hit": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			w.Write(o.body)
		}),
	} {
		if err := prime(httpSite(o, h, func() {}), []string{newPath()}, false); err == nil {
			t.Errorf("%s: is taken for a hit", name)
		}
		o.runs.Store(0)
	}
}

// Each cache of values loads each key once, and then has it.
func TestValues(t *testing.T) {
	for _, c := range valueCaches {
		get, closing, err := c.open(startRedis(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(closing)
		c.get = get
		for range 2 {
			if err := c.ask("key"); err != nil {
				t.Error(err)
			}
		}
		if c.loads != 1 {
			t.Errorf("%s: %d loads", c.name, c.loads)
		}
		c.loads = 0
	}
}
