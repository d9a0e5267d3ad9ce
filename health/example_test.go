package health_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/reprise-go/reprise/health"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// The store is looked at and makes no difference; the database does.
func ExampleReady() {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	cache, err := middleware.New(st)
	if err != nil {
		log.Fatal(err)
	}
	ping := func(context.Context) error { return sql.ErrConnDone } // (*sql.DB).PingContext

	mux := http.NewServeMux()
	mux.Handle("GET /livez", health.Live())
	mux.Handle("GET /readyz", health.Ready(health.Probe{
		Stores: map[string]store.Pinger{"pages": cache},
		Checks: map[string]func(context.Context) error{"database": ping},
	}))
	for _, path := range []string{"/livez", "/readyz"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 503
}
