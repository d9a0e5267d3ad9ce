package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
	"github.com/reprise-go/reprise/swr"
)

// A value is what the caches of values keep: a row of some columns.
type value struct {
	ID, Name, Text string
	Cents          int
	Tags           []string
}

func newValue(key string) value {
	return value{key, "chair", strings.Repeat("text ", 40), 4900, []string{"furniture", "wood"}}
}

// A valueCache is one way to keep values: get returns what is stored for keys[i],
// and loads what is not.
type valueCache struct {
	name string
	keys int // as many as do not fit into its local tier; 1: any number
	open func(redis string) (get func(key string, load func() value) (value, error), closing func(), err error)

	get   func(key string, load func() value) (value, error)
	names []string
	loads int
	ns    []float64
	last  testing.BenchmarkResult
}

var valueCaches = append([]*valueCache{
	{name: "swr.Cache, memstore, Immutable", keys: 1, open: repriseValues(true)},
	{name: "swr.Cache, memstore", keys: 1, open: repriseValues(false)},
	{name: "swr.Cache, redisstore, local, Immutable", keys: 1, open: repriseSharedValues(true, 0)},
	{name: "swr.Cache, redisstore, local", keys: 1, open: repriseSharedValues(false, 0)},
	{name: "swr.Cache, redisstore, from Redis", keys: 1000, open: repriseSharedValues(false, smallest)},
}, heavyValues...)

func repriseValues(immutable bool) func(string) (func(string, func() value) (value, error), func(), error) {
	return func(string) (func(string, func() value) (value, error), func(), error) {
		st, err := memstore.New(memstore.Options{})
		if err != nil {
			return nil, nil, err
		}
		return valuesOn(st, immutable, func() {})
	}
}

func repriseSharedValues(immutable bool, local int64) func(string) (func(string, func() value) (value, error), func(), error) {
	return func(redis string) (func(string, func() value) (value, error), func(), error) {
		st, err := redisstore.New(redisstore.Options{
			Addrs: []string{redis}, Namespace: fmt.Sprint("values-", time.Now().UnixNano()), LocalBytes: local,
			Timeout: time.Second, // a busy machine is not to look like a Redis that is away
		})
		if err != nil {
			return nil, nil, err
		}
		return valuesOn(st, immutable, func() { _ = st.Close() })
	}
}

func valuesOn(st store.Store, immutable bool, closing func()) (func(string, func() value) (value, error), func(), error) {
	var load func() value
	c, err := swr.NewCache(st, swr.Config[value]{
		Name: "value", Windows: swr.Windows{Fresh: ttl}, Immutable: immutable,
		Load: func(context.Context, string) (value, error) { return load(), nil },
	})
	get := func(key string, l func() value) (value, error) {
		load = l
		return c.Load(context.Background(), key)
	}
	return get, closing, err
}

// ofValues prints what it costs to get a value that is stored.
func (r run) ofValues() error {
	fmt.Println("A value of 300 bytes of JSON that is stored.")
	fmt.Println()
	header("what", "ns/op", "B/op", "allocs/op", "ratio")
	for _, c := range valueCaches {
		get, closing, err := c.open(r.redis)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		defer closing()
		c.get = get
		for i := range c.keys {
			c.names = append(c.names, fmt.Sprint("key-", i))
		}
		for range 2 {
			for _, key := range c.names {
				if err := c.ask(key); err != nil {
					return err
				}
			}
		}
		if c.loads != c.keys {
			return fmt.Errorf("%s: %d loads for %d keys", c.name, c.loads, c.keys)
		}
	}
	for range r.rounds {
		for _, c := range valueCaches {
			if err := c.measure(); err != nil {
				return err
			}
		}
	}
	for _, c := range valueCaches {
		row(c.name, fmt.Sprintf("%.0f", measure.Median(c.ns)), fmt.Sprint(c.last.AllocedBytesPerOp()), fmt.Sprint(c.last.AllocsPerOp()), ratio(c.ns, valueCaches[0].ns))
	}
	return nil
}

// ask gets the value of key and compares it.
func (c *valueCache) ask(key string) error {
	v, err := c.get(key, func() value {
		c.loads++
		return newValue(key)
	})
	if err == nil && (v.ID != key || len(v.Tags) != 2) {
		err = errors.New("another value")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

func (c *valueCache) measure() error {
	var failed error
	load := func() value { failed = errors.New("loaded"); return value{} }
	i := 0
	c.last = testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			i = (i + 1) % len(c.names)
			if v, err := c.get(c.names[i], load); err != nil || v.Cents != 4900 {
				failed = fmt.Errorf("got %+v, %w", v, err)
			}
		}
	})
	if failed != nil {
		return fmt.Errorf("%s: %w", c.name, failed)
	}
	c.ns = append(c.ns, float64(c.last.T.Nanoseconds())/float64(c.last.N))
	return nil
}
