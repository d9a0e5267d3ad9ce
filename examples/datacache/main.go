// Datacache shows the typed data cache at work: cache-aside, locked and
// stale-while-revalidate, which are three values of one Config, over one slow
// source.
//
//	go run .                                          # in memory
//	REDIS_URL=redis://localhost:6379 go run .         # on Redis, where others may run it too
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-playground/validator/v10"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
	"github.com/reprise-go/reprise/swr"
)

// A Product is a row of the source. The tags are for the validator.
type Product struct {
	ID    string `json:"id" validate:"required"`
	Name  string `json:"name" validate:"required,max=100"`
	Cents int    `json:"cents" validate:"gt=0"`
}

func main() {
	if err := run(context.Background(), os.Stdout, os.Getenv("REDIS_URL")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, url string) error {
	st, done, err := open(url)
	if err != nil {
		return err
	}
	defer done()
	return show(ctx, out, st)
}

// open returns the store: of the Redis at url, or, without one, in memory.
func open(url string) (_ store.Store, done func(), _ error) {
	if url == "" {
		st, err := memstore.New(memstore.Options{Bytes: 16 << 20})
		return st, func() {}, err
	}
	st, err := redisstore.New(redisstore.Options{URL: url, Namespace: "datacache-example"})
	if err != nil {
		return nil, nil, err
	}
	return st, func() { st.Close() }, nil
}

// configs are the three recipes, each derived from the one before.
func configs() (aside, locked, revalidated swr.Config[Product]) {
	aside = swr.Config[Product]{
		Name:     "aside",
		Windows:  swr.Windows{Fresh: 200 * time.Millisecond},
		Missing:  time.Second,
		Waiting:  swr.NoWait, // whoever finds nothing loads
		Validate: validated[Product](validator.New(validator.WithRequiredStructEnabled())),
		Tags:     func(id string, _ Product) []string { return []string{"product:" + id} },
	}

	locked = aside
	locked.Name = "locked"
	locked.Waiting, locked.WaitTimeout = swr.WaitThenFail, 2*time.Second // one loads, the others wait

	revalidated = locked
	revalidated.Name = "revalidated"
	revalidated.Waiting = swr.WaitThenFill
	revalidated.Windows.Stale = time.Hour // and once there is a value, nobody waits
	revalidated.Windows.Error = time.Hour
	return aside, locked, revalidated
}

// validated checks the validate tags of a T.
func validated[T any](v *validator.Validate) func(T) error {
	return func(value T) error { return v.Struct(value) }
}

// show asks for one product by each recipe: 50 callers at once for what is not
// there, then 50 for what has just ended, then after a purge.
func show(ctx context.Context, out io.Writer, st store.Store) error {
	aside, locked, revalidated := configs()
	fmt.Fprintf(out, "%-12s %-22s %7s %9s %9s\n", "", "50 callers ask", "loads", "fastest", "slowest")
	for _, config := range []swr.Config[Product]{aside, locked, revalidated} {
		products, err := swr.NewCache(st, config)
		if err != nil {
			return err
		}
		if _, err := products.Delete(ctx, "42"); err != nil {
			return err
		}
		var src source
		for _, step := range []struct {
			what   string
			before func() error
		}{
			{"for what is not there", func() error { return nil }},
			{"when it has ended", func() error { time.Sleep(250 * time.Millisecond); return nil }},
			{"after a purge", func() error { return products.PurgeTags(ctx, "product:42") }},
		} {
			if err := step.before(); err != nil {
				return err
			}
			loads := src.loads.Load()
			fastest, slowest, err := crowd(ctx, products, &src)
			if err != nil {
				return err
			}
			if err := products.Close(ctx); err != nil { // waits for the refresh
				return err
			}
			fmt.Fprintf(out, "%-12s %-22s %7d %6d ms %6d ms\n", config.Name, step.what, src.loads.Load()-loads, fastest.Milliseconds(), slowest.Milliseconds())
			if products, err = swr.NewCache(st, config); err != nil {
				return err
			}
		}
	}
	return nil
}

// crowd has 50 callers ask for product 42 at once.
func crowd(ctx context.Context, products *swr.Cache[Product], src *source) (fastest, slowest time.Duration, failed error) {
	var mu sync.Mutex
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			began := time.Now()
			_, err := products.GetOrSet(ctx, "42", func(context.Context) (Product, error) { return src.product("42") })
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
			}
			if fastest == 0 || took < fastest {
				fastest = took
			}
			slowest = max(slowest, took)
		})
	}
	callers.Wait()
	return fastest, slowest, failed
}

// A source takes 100 ms for each product, and counts.
type source struct{ loads atomic.Int64 }

func (s *source) product(id string) (Product, error) {
	s.loads.Add(1)
	time.Sleep(100 * time.Millisecond)
	return Product{ID: id, Name: "chair", Cents: 4900}, nil
}
