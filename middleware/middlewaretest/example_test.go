package middlewaretest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/middlewaretest"
)

// routes are a program's own.
func routes(cache *middleware.Cache) http.Handler {
	mux := http.NewServeMux()
	products := middleware.Policy{Name: "products", TTL: time.Minute}
	mux.Handle("GET /products/{id}", cache.Handler(products)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "product %s", r.PathValue("id"))
	})))
	return mux
}

// A test of a route: it is cached, and it works without Redis.
func Example() {
	test := func(t testing.TB) {
		st := middlewaretest.NewStore(t)
		cache, err := middleware.New(st)
		if err != nil {
			t.Fatal(err)
		}
		h := routes(cache)

		middlewaretest.AssertMiss(t, middlewaretest.Get(t, h, "/products/42"))
		middlewaretest.AssertHit(t, middlewaretest.Get(t, h, "/products/42"))

		st.Break(errors.New("Redis is away"))
		res := middlewaretest.Get(t, h, "/products/42")
		middlewaretest.AssertMiss(t, res)
		fmt.Println(res.Status)
	}
	test(&testing.B{}) // where there is a *testing.T, that
	// Output: 200
}
