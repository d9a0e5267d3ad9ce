//go:build peers

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	rediscache "github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"
)

var heavyValues = []*valueCache{
	{name: "go-redis/cache, TinyLFU, JSON", keys: 1, open: goRedisValues(true)},
	{name: "go-redis/cache, from Redis, JSON", keys: 1000, open: goRedisValues(false)},
}

// goRedisValues is go-redis/cache with the codec of swr.Cache; its own is
// msgpack.
func goRedisValues(local bool) func(string) (func(string, func() value) (value, error), func(), error) {
	return func(addr string) (func(string, func() value) (value, error), func(), error) {
		client := redis.NewClient(&redis.Options{Addr: addr})
		o := &rediscache.Options{
			Redis:     client,
			Marshal:   func(v any) ([]byte, error) { return json.Marshal(v) },
			Unmarshal: func(data []byte, v any) error { return json.Unmarshal(data, v) },
		}
		if local {
			o.LocalCache = rediscache.NewTinyLFU(10_000, ttl)
		}
		c, prefix := rediscache.New(o), fmt.Sprint("values-", time.Now().UnixNano(), ":")
		get := func(key string, load func() value) (v value, err error) {
			err = c.Once(&rediscache.Item{
				Ctx: context.Background(), Key: prefix + key, Value: &v, TTL: ttl,
				Do: func(*rediscache.Item) (any, error) { return load(), nil },
			})
			return v, err
		}
		return get, func() { _ = client.Close() }, nil
	}
}
