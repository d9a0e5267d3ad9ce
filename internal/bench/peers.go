package main

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/stampede"
	"github.com/gofiber/fiber/v3"
	fibercache "github.com/gofiber/fiber/v3/middleware/cache"
	httpcache "github.com/victorspringer/http-cache"
	"github.com/victorspringer/http-cache/adapter/memory"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

// A subject is one way to put a cache in front of an origin, or none.
type subject struct {
	name   string
	open   func(o *origin, redis string) (*site, error)
	bare   bool // no cache
	fiber  bool // compared with the bare handler of fiber too
	shared bool // processes share what it stores
	afar   bool // its local tier is too small for what is asked
}

// Subjects that others are compared with, by name.
const (
	bareName      = "bare handler"
	bareFiberName = "bare handler of fiber"
)

// subjects are all that this program was built with. The bare ones come first.
var subjects = append([]subject{
	{name: bareName, open: bare, bare: true},
	{name: bareFiberName, open: bareFiber, bare: true, fiber: true},
	{name: "reprise, memstore", open: repriseMemory},
	{name: "reprise, redisstore, local", open: repriseRedis, shared: true},
	{name: "reprise, redisstore, from Redis", open: repriseAfar, afar: true},
	{name: "go-chi/stampede", open: goChiStampede},
	{name: "victorspringer/http-cache, memory", open: victorspringer},
	{name: "fiber cache, memory", open: fiberMemory, fiber: true},
}, heavy...)

const ttl = time.Hour

func bare(o *origin, _ string) (*site, error) {
	return httpSite(o, http.HandlerFunc(o.answer), func() {}), nil
}

func repriseMemory(o *origin, _ string) (*site, error) {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		return nil, err
	}
	return repriseSite(o, st, func() {})
}

func repriseRedis(o *origin, redis string) (*site, error) { return repriseFleet(o, redis, 0) }

// smallest is the smallest local tier that redisstore allows.
const smallest = 64 << 10

// repriseAfar keeps a sixteenth of what is asked for.
func repriseAfar(o *origin, redis string) (*site, error) { return repriseFleet(o, redis, smallest) }

func repriseFleet(o *origin, redis string, local int64) (*site, error) {
	st, err := redisstore.New(redisstore.Options{Addrs: []string{redis}, Namespace: "bench", LocalBytes: local})
	if err != nil {
		return nil, err
	}
	return repriseSite(o, st, func() { _ = st.Close() })
}

func repriseSite(o *origin, st store.Store, closing func()) (*site, error) {
	cache, err := reprise.New(st)
	if err != nil {
		closing()
		return nil, err
	}
	h := cache.Handler(reprise.Policy{Name: "bench"})(o)
	return httpSite(o, h, func() {
		_ = cache.Close(context.Background())
		closing()
	}), nil
}

// goChiStampede's keys are paths, without host and query.
func goChiStampede(o *origin, _ string) (*site, error) {
	return httpSite(o, stampede.Handler(512, ttl)(o), func() {}), nil
}

func victorspringer(o *origin, _ string) (*site, error) {
	adapter, err := memory.NewAdapter(memory.AdapterWithAlgorithm(memory.LRU), memory.AdapterWithCapacity(10_000))
	if err != nil {
		return nil, err
	}
	client, err := httpcache.NewClient(httpcache.ClientWithAdapter(adapter), httpcache.ClientWithTTL(ttl))
	if err != nil {
		return nil, err
	}
	return httpSite(o, client.Middleware(o), func() {}), nil
}

func bareFiber(o *origin, _ string) (*site, error) {
	app := fiber.New()
	app.Get("/*", o.answerFiber)
	return fiberSite(o, app, func() {}), nil
}

func fiberMemory(o *origin, _ string) (*site, error) {
	return fiberSite(o, fiberCached(o, nil), func() {}), nil
}

// fiberCached stores header fields too, as all the others do unasked.
func fiberCached(o *origin, st fiber.Storage) *fiber.App {
	app := fiber.New()
	app.Use(fibercache.New(fibercache.Config{Storage: st, Expiration: ttl, StoreResponseHeaders: true}))
	app.Get("/*", o.serveFiber)
	return app
}

// paths returns what to ask s for: one thing, or many more than fit into its
// local tier.
func (s subject) paths(size int) []string {
	n := 1
	if s.afar {
		n = 16 * smallest / size
	}
	paths := make([]string, n)
	for i := range paths {
		paths[i] = newPath()
	}
	return paths
}
