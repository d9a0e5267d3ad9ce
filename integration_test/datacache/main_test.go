// Package datacache tests the typed data cache on both stores: in memory, and on
// a real Redis with several processes.
package datacache

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/child"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
	"github.com/reprise-go/reprise/swr"
)

// A process of the fleet is this test binary, started with the address of Redis
// and a namespace in its environment.
const (
	envRedis     = "DATACACHE_REDIS"
	envNamespace = "DATACACHE_NAMESPACE"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(envRedis); addr != "" {
		if err := work(addr, os.Getenv(envNamespace)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	redistest.Main(m)
}

type product struct {
	ID    string
	Name  string
	Price int
}

var products = swr.Config[product]{Name: "product", Windows: swr.Windows{Fresh: time.Hour}}

// work asks for the key on each line of its input, 250 times at once, and writes
// how often it loaded.
func work(addr, namespace string) error {
	// Redis is given the time that 250 callers at once need on a busy machine.
	st, err := redisstore.New(redisstore.Options{Addrs: []string{addr}, Namespace: namespace, Timeout: 2 * time.Second})
	if err != nil {
		return err
	}
	defer st.Close()
	c, err := swr.NewCache(st, products)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var loads, wrong atomic.Int64
		var callers sync.WaitGroup
		for range 250 {
			callers.Go(func() {
				p, err := c.GetOrSet(context.Background(), in.Text(), func(context.Context) (product, error) {
					loads.Add(1)
					time.Sleep(200 * time.Millisecond)
					return product{ID: in.Text()}, nil
				})
				if err != nil || p.ID != in.Text() {
					wrong.Add(1)
				}
			})
		}
		callers.Wait()
		fmt.Println(loads.Load(), wrong.Load())
	}
	return nil
}

// start starts another process of the fleet.
func start(t *testing.T, addr, namespace string) *child.Process {
	t.Helper()
	p, line := child.Start(t, os.Args[0], envRedis+"="+addr, envNamespace+"="+namespace)
	if line != "ready" {
		t.Fatalf("the process says %q", line)
	}
	return p
}

// open returns a store on the shared Redis.
func open(t *testing.T, namespace string, change ...func(*redisstore.Options)) *redisstore.Store {
	t.Helper()
	o := redisstore.Options{Addrs: []string{redistest.Addr(t)}, Namespace: namespace, Timeout: 2 * time.Second}
	for _, f := range change {
		f(&o)
	}
	st, err := redisstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// onBoth runs test on each store.
func onBoth(t *testing.T, test func(t *testing.T, st store.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		st, err := memstore.New(memstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(t, st)
	})
	t.Run("redis", func(t *testing.T) { test(t, open(t, namespace(t))) })
}

func namespace(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()) }

// cacheOf returns a cache of products, changed.
func cacheOf(t *testing.T, st store.Store, change ...func(*swr.Config[product])) *swr.Cache[product] {
	t.Helper()
	config := products
	for _, f := range change {
		f(&config)
	}
	c, err := swr.NewCache(st, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// A source loads products and counts how often.
type source struct {
	loads atomic.Int64
	err   atomic.Pointer[error]
}

// fails makes the loads from here on end with err; nil: they end well.
func (s *source) fails(err error) { s.err.Store(&err) }

func (s *source) of(id string) func(context.Context) (product, error) {
	return func(context.Context) (product, error) {
		n := s.loads.Add(1)
		if err := s.err.Load(); err != nil && *err != nil {
			return product{}, *err
		}
		return product{ID: id, Name: fmt.Sprint("load ", n)}, nil
	}
}

// must is GetOrSet of id where an error ends the test.
func must(t *testing.T, c *swr.Cache[product], s *source, id string) product {
	t.Helper()
	p, err := c.GetOrSet(t.Context(), id, s.of(id))
	if err != nil || p.ID != id {
		t.Fatalf("%s: %+v, %v", id, p, err)
	}
	return p
}

// wantLoads compares how often s was asked.
func (s *source) wantLoads(t *testing.T, n int64) {
	t.Helper()
	if got := s.loads.Load(); got != n {
		t.Errorf("%d loads, want %d", got, n)
	}
}
