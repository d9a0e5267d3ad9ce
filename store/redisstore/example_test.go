package redisstore_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// A program takes its settings from the environment, and says at once what is
// wrong with them.
func ExampleOptionsFromEnv() {
	environ := []string{ // os.Environ(), as a rule
		"SHOP_REDIS_HOST=redis.internal",
		"SHOP_REDIS_PASSWORD=secret",
		"SHOP_REDIS_TIMEOUT=30ms",
	}
	o, err := redisstore.OptionsFromEnv("SHOP_REDIS", environ)
	fmt.Println(o.Addrs, o.Timeout, err)

	_, err = redisstore.OptionsFromEnv("SHOP_REDIS", append(environ, "SHOP_REDIS_DB=one", "SHOP_REDIS_PASWORD=secret"))
	fmt.Println(err)
	// Output:
	// [redis.internal:6379] 30ms <nil>
	// redisstore: SHOP_REDIS_DB: "one" is not a whole number
	// redisstore: SHOP_REDIS_PASWORD: is not known
}

// Without Redis the site is slower, not down: an instance is ready all the same,
// and says what it goes without.
func ExampleStore_Ping() {
	st, err := redisstore.New(redisstore.Options{Addrs: []string{"localhost:1"}, Lazy: true}) // nobody is there
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer st.Close()
	http.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		h, _ := st.Ping(r.Context())
		fmt.Fprintf(w, "cache: %q, %v, %d of %d bytes\n", h.Degraded, h.Latency.Round(time.Microsecond), h.Local.Bytes, h.Local.Budget)
	})
	h, err := st.Ping(context.Background())
	fmt.Println(h.Degraded, h.Has(store.NotConnected), err != nil)
	// Output: not connected true true
}
