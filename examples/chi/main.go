// Chi caches a few routes of a chi router, each group by a policy of its own,
// and exports metrics. Its admin handler is on a listener of its own.
//
//	go run ./examples/chi -admin localhost:8082
//	go run ./examples/chi -redis redis://localhost:6379 -addr localhost:8081
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/reprise-go/reprise/metrics"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "listen here")
	redis := flag.String("redis", "", "share the cache through this Redis, as redis://host:port; empty: memory of this process")
	adminAddr := flag.String("admin", "", "serve the admin console here, without a password: a loopback address; empty: not at all")
	flag.Parse()
	if err := run(*addr, *adminAddr, *redis); err != nil {
		slog.Error("chi example", "err", err)
		os.Exit(1)
	}
}

func run(addr, adminAddr, redis string) error {
	collector, err := metrics.New(metrics.Options{})
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)

	st, closeStore, err := openStore(redis, collector)
	if err != nil {
		return err
	}
	defer closeStore()
	if sized, ok := st.(store.Sizer); ok {
		collector.Watch("catalog", sized)
	}
	cache, err := reprise.New(st, reprise.WithRecorder(collector), reprise.WithLogger(slog.Default()),
		reprise.WithTrace(chimiddleware.GetReqID)) // or a span's id, with tracing
	if err != nil {
		return err
	}

	shop := routes(cache, registry)
	if adminAddr != "" {
		closeAdmin, err := serveAdmin(adminAddr, admin.Options{Cache: cache, Routes: shop, Counts: collector, Logger: slog.Default(), Authorize: fromHere})
		if err != nil {
			return err
		}
		defer closeAdmin()
	}

	server := &http.Server{Addr: addr, Handler: shop, ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	drained := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(drained)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), cache.Close(ctx)); err != nil {
			slog.Warn("not all requests ended in time", "err", err)
		}
	})
	slog.Info("listening", "addr", addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-drained
	return nil
}

// openStore opens the fleet's store, or this process's own.
func openStore(redis string, collector *metrics.Collector) (store.Store, func(), error) {
	if redis == "" {
		st, err := memstore.New(memstore.Options{Recorder: collector})
		return st, func() {}, err
	}
	st, err := redisstore.New(redisstore.Options{URL: redis, Namespace: "chi-example", Recorder: collector})
	if err != nil {
		return nil, nil, err
	}
	return st, func() { st.Close() }, nil
}

// serveAdmin serves the admin handler at addr, which must be one that this machine
// alone can reach.
func serveAdmin(addr string, o admin.Options) (stop func(), err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("-admin %s is not a loopback address", addr), listener.Close())
	}
	console, err := admin.New(o)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: console, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("admin console", "err", err)
		}
	}()
	slog.Info("admin console", "url", "http://"+listener.Addr().String()+"/")
	return func() {
		server.Close()
		console.Close()
	}, nil
}

// fromHere lets in who is on this machine and calls it so: the name is asked for since
// another site may have the browser take its own name for this machine's (DNS
// rebinding). Where others have accounts, ask for a password.
func fromHere(r *http.Request) (string, bool) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		return "", false
	}
	ip := net.ParseIP(host)
	return "localhost", host == "localhost" || ip != nil && ip.IsLoopback()
}

func routes(cache *reprise.Cache, registry *prometheus.Registry) http.Handler {
	catalog := reprise.Policy{
		Name: "catalog", TTL: time.Minute, StaleWhileRevalidate: 5 * time.Minute, StaleIfError: time.Hour,
		Cookies: reprise.Cookies{Ignore: true},
	}
	search := catalog
	search.Name, search.TTL = "search", 10*time.Second
	stock := catalog
	stock.Name, stock.TTL, stock.StaleWhileRevalidate = "stock", time.Second, 2*time.Second

	shop := &shop{}
	r := chi.NewRouter()
	r.Use(chimiddleware.GetHead) // without it chi answers a HEAD with 405 before the cache sees it
	r.Use(chimiddleware.RequestID)
	r.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})) // which has exemplars
	r.Group(func(r chi.Router) {
		r.Use(cache.Handler(catalog))
		r.Get("/products/{id}", shop.product)
		r.Get("/categories/{id}", shop.product)
	})
	r.With(cache.Handler(search)).Get("/search", shop.search)
	r.With(cache.Handler(stock)).Get("/stock/{id}", shop.stock)
	r.Post("/products/{id}/purge", func(w http.ResponseWriter, r *http.Request) {
		if _, err := cache.PurgeTags(r.Context(), "product:"+chi.URLParam(r, "id")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return r
}

// shop stands for whatever is slow.
type shop struct{ computed, asked atomic.Int64 }

func (s *shop) product(w http.ResponseWriter, r *http.Request) {
	id := chi.URLParam(r, "id")
	reprise.Tag(r.Context(), "product:"+id)
	s.answer(w, map[string]string{"id": id})
}

func (s *shop) search(w http.ResponseWriter, r *http.Request) {
	s.answer(w, map[string]string{"query": r.URL.Query().Get("q")})
}

// stock asks a warehouse that does not answer each third time. What was stored stands
// in then, for an hour.
func (s *shop) stock(w http.ResponseWriter, r *http.Request) {
	if s.asked.Add(1)%3 == 0 {
		http.Error(w, "the warehouse does not answer", http.StatusServiceUnavailable)
		return
	}
	s.answer(w, map[string]string{"id": chi.URLParam(r, "id"), "left": "7"})
}

// answer takes 200 ms, and counts how often it was asked.
func (s *shop) answer(w http.ResponseWriter, of map[string]string) {
	time.Sleep(200 * time.Millisecond)
	of["computed"] = strconv.FormatInt(s.computed.Add(1), 10)
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(of); err != nil {
		slog.Debug("client left", "err", err)
	}
}
