package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/reprise-go/reprise/metrics"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

// shutdownTime is how long requests and refreshes under way have to end.
const shutdownTime = 5 * time.Second

type config struct {
	addr      string
	redis     string // URL; "": what is cached stays in this process
	namespace string // of the keys in Redis
	db        string // file; "": a temporary one
	products  int    // to generate where there is no file
	log       *slog.Logger
}

// serve runs one instance until ctx is done. It calls ready with the URL it
// listens at.
func serve(ctx context.Context, cfg config, ready func(url string)) (err error) {
	if cfg.db == "" {
		dir, err := os.MkdirTemp("", "reprise-catalog-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		cfg.db = filepath.Join(dir, "catalog.db")
	}
	db, err := OpenDB(ctx, cfg.db, cfg.products)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	registry := prometheus.NewRegistry()
	cache, closeCache, err := newCache(cfg, registry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeCache()) }()
	registry.MustRegister(countQueries(db))

	a := &api{db: db, cache: cache, log: cfg.log}
	return listen(ctx, cfg, a.routes(promhttp.HandlerFor(registry, promhttp.HandlerOpts{})), ready)
}

func countQueries(db *DB) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: queriesMetric,
		Help: "SQL statements run against the catalogue's database.",
	}, func() float64 { return float64(db.Queries()) })
}

// newCache returns the cache over the store that cfg asks for, and what closes both.
func newCache(cfg config, registry prometheus.Registerer) (*reprise.Cache, func() error, error) {
	collector, err := metrics.New(metrics.Options{})
	if err != nil {
		return nil, nil, err
	}
	st, closeStore, err := newStore(cfg, collector)
	if err != nil {
		return nil, nil, err
	}
	cache, err := reprise.New(st, reprise.WithRecorder(collector), reprise.WithLogger(cfg.log))
	if err != nil {
		closeStore()
		return nil, nil, err
	}
	if sized, ok := st.(store.Sizer); ok {
		collector.Watch("catalog", sized)
	}
	registry.MustRegister(collector)
	return cache, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		err := cache.Close(ctx) // waits for the refreshes under way, which use the store
		closeStore()
		return err
	}, nil
}

func newStore(cfg config, recorder store.Recorder) (store.Store, func(), error) {
	if cfg.redis == "" {
		st, err := memstore.New(memstore.Options{Recorder: recorder})
		return st, func() {}, err
	}
	st, err := redisstore.New(redisstore.Options{URL: cfg.redis, Namespace: cfg.namespace, Recorder: recorder, Logger: cfg.log})
	if err != nil {
		return nil, nil, err
	}
	return st, func() { st.Close() }, nil
}

// listen serves h until ctx is done, then lets requests under way end.
func listen(ctx context.Context, cfg config, h http.Handler, ready func(url string)) error {
	l, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(cfg.log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	ready("http://" + reachable(l.Addr()))

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// ctx is over; what is under way gets a time of its own.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return srv.Shutdown(ctx)
}

// reachable turns the address of a listener on all interfaces, as :8080 makes
// one, into an address that a client can use.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err == nil && net.ParseIP(host).IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return addr.String()
}
