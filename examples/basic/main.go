// Basic caches one route of a standard library mux in memory.
//
//	go run ./examples/basic
//	curl -i localhost:8080/time/Paris
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

func main() {
	st, err := memstore.New(memstore.Options{Bytes: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	cache, err := reprise.New(st)
	if err != nil {
		log.Fatal(err)
	}

	times := reprise.Policy{
		Name:                 "times",
		TTL:                  5 * time.Second,
		StaleWhileRevalidate: 30 * time.Second,
		Cookies:              reprise.Cookies{Ignore: true},
	}
	mux := http.NewServeMux()
	mux.Handle("GET /time/{city}", cache.Handler(times)(http.HandlerFunc(show)))
	mux.HandleFunc("POST /time/{city}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := cache.PurgeTags(r.Context(), "city:"+r.PathValue("city")); err != nil {
			http.Error(w, "not purged", http.StatusServiceUnavailable)
		}
	})

	server := &http.Server{Addr: "localhost:8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, func() { _ = server.Shutdown(context.Background()) })
	log.Println("try: curl -i http://localhost:8080/time/Paris")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := cache.Close(context.Background()); err != nil {
		log.Print(err)
	}
}

// show takes a second, and says when it ran.
func show(w http.ResponseWriter, r *http.Request) {
	city := r.PathValue("city")
	reprise.Tag(r.Context(), "city:"+city)
	time.Sleep(time.Second)
	fmt.Fprintf(w, "In %s it is %s.\n", city, time.Now().Format(time.TimeOnly))
}
