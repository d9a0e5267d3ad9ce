//go:build peers

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/redis/go-redis/v9"
)

// A stored is a response as cacheAside keeps it.
type stored struct {
	Status int
	Header http.Header
	Body   []byte
}

// cacheAside is the middleware that articles on caching with Go and Redis show:
// get a key made of the URL; if it is there decode the JSON and write it, else
// run the handler, encode what it wrote and set the key. It is no peer's code.
func cacheAside(rdb *redis.Client, ttl time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := "cache:" + r.URL.RequestURI()
		if data, err := rdb.Get(r.Context(), key).Bytes(); err == nil {
			var s stored
			if json.Unmarshal(data, &s) == nil {
				s.write(w)
				return
			}
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		s := stored{rec.Code, rec.Header(), rec.Body.Bytes()}
		if data, err := json.Marshal(s); err == nil {
			rdb.Set(r.Context(), key, data, ttl)
		}
		s.write(w)
	})
}

func (s stored) write(w http.ResponseWriter) {
	for name, values := range s.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(s.Status)
	w.Write(s.Body)
}
