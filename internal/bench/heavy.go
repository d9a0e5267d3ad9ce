//go:build peers

package main

import (
	"context"
	"net"
	"net/http"
	"strconv"

	"github.com/darkweak/souin/configurationtypes"
	souincache "github.com/darkweak/souin/pkg/middleware"
	fiberredis "github.com/gofiber/storage/redis/v3"
	"github.com/redis/go-redis/v9"
)

// heavy are the subjects that take long to compile: they bring go-redis, and Souin
// all of Caddy. make test leaves them out.
var heavy = []subject{
	{name: "fiber cache, Redis", open: fiberRedis, fiber: true, shared: true},
	{name: "go-redis GET + JSON", open: naive, shared: true},
	{name: "Souin, built-in storage", open: souin},
}

func fiberRedis(o *origin, addr string) (*site, error) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(digits)
	if err != nil {
		return nil, err
	}
	st := fiberredis.New(fiberredis.Config{Host: host, Port: port})
	return fiberSite(o, fiberCached(o, st), func() { _ = st.Close() }), nil
}

func naive(o *origin, addr string) (*site, error) {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	return httpSite(o, cacheAside(rdb, ttl, o), func() { _ = rdb.Close() }), nil
}

// souin's storage is one for the process, whatever is opened.
func souin(o *origin, _ string) (*site, error) {
	cache := souincache.NewHTTPCacheHandler(&souincache.BaseConfiguration{
		DefaultCache: &configurationtypes.DefaultCache{TTL: configurationtypes.Duration{Duration: ttl}},
	})
	next := func(w http.ResponseWriter, r *http.Request) error {
		o.ServeHTTP(w, r)
		return nil
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// It keeps a goroutine until the request's context ends, as net/http ends it.
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if err := cache.ServeHTTP(w, r.WithContext(ctx), next); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return httpSite(o, h, func() {}), nil
}
