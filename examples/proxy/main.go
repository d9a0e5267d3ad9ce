// Proxy is a caching reverse proxy in front of one origin, whose header fields
// decide everything: what is stored, for how long, and for whom.
//
//	go run ./examples/proxy -origin http://localhost:8000
//	go run ./examples/proxy -origin https://example.org -store redis://localhost:6379
//	curl -i localhost:8080/
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

type config struct {
	listen, origin, store string
	bytes                 int64
	heuristic, setCookie  bool
	stale                 time.Duration
	languages             string
}

func main() {
	var cfg config
	flag.StringVar(&cfg.listen, "listen", "localhost:8080", "listen at this `address`")
	flag.StringVar(&cfg.origin, "origin", "http://localhost:8000", "`URL` of the server that answers")
	flag.StringVar(&cfg.store, "store", "memory", "memory, or the `URL` of a Redis that instances share, redis:// or rediss://")
	flag.Int64Var(&cfg.bytes, "bytes", 64<<20, "how much this process keeps in memory, beside Redis as well")
	flag.BoolVar(&cfg.heuristic, "heuristic", true, "store responses that have only a Last-Modified, for a tenth of their age")
	flag.DurationVar(&cfg.stale, "stale-if-error", time.Hour, "how long past its freshness a response may stand in for an origin that fails")
	flag.BoolVar(&cfg.setCookie, "dangerously-store-set-cookie", false, "store responses with Set-Cookie too, as RFC 9111 §7.3 allows, and give one client's cookies to all")
	flag.StringVar(&cfg.languages, "languages", "", "the languages that the origin chooses from by Accept-Language, as en,de; empty: not known")
	flag.Parse()
	if err := run(cfg); err != nil {
		slog.Error("proxy", "err", err)
		os.Exit(1)
	}
}

func run(cfg config) error {
	origin, err := url.Parse(cfg.origin)
	if err != nil || origin.Host == "" || origin.User != nil || origin.Scheme != "http" && origin.Scheme != "https" {
		return errors.New("-origin is not a URL as in http://host:port")
	}
	st, closeStore, err := openStore(cfg, origin)
	if err != nil {
		return err
	}
	defer closeStore()
	cache, err := reprise.New(st, reprise.WithLogger(slog.Default()))
	if err != nil {
		return err
	}
	transport := newTransport()
	defer transport.CloseIdleConnections()

	server := &http.Server{
		Addr:              cfg.listen,
		Handler:           cache.Handler(newPolicy(cfg))(newProxy(origin, transport)),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	drained := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(drained)
		stop() // a second signal ends the program at once
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), cache.Close(ctx)); err != nil {
			slog.Warn("not all requests ended in time", "err", err)
		}
	})
	slog.Info("listening", "addr", cfg.listen, "origin", cfg.origin)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-drained
	return nil
}

// openStore opens this process's store, or the fleet's. In Redis each origin
// has a namespace: the keys name the Host that clients ask for, not who answers.
func openStore(cfg config, origin *url.URL) (store.Store, func(), error) {
	if cfg.store == "memory" {
		st, err := memstore.New(memstore.Options{Bytes: cfg.bytes})
		return st, func() {}, err
	}
	st, err := redisstore.New(redisstore.Options{
		URL: cfg.store, Namespace: "proxy:" + origin.String(), LocalBytes: cfg.bytes, Logger: slog.Default(),
	})
	if err != nil {
		return nil, nil, err
	}
	return st, func() { st.Close() }, nil
}

// newPolicy leaves everything to the origin. Explicit freshness is the origin's
// word, which counts for requests with cookies as well. Heuristic freshness is
// only our guess, and the zero Cookies keep it from those requests: an origin
// that says nothing may well answer by them.
func newPolicy(cfg config) reprise.Policy {
	p := reprise.Policy{
		Name:         "proxy",
		StaleIfError: cfg.stale,
		Advanced:     reprise.Advanced{Heuristic: cfg.heuristic, StorePOST: true, DangerouslyStoreSetCookie: cfg.setCookie},
	}
	if languages := strings.ReplaceAll(cfg.languages, " ", ""); languages != "" {
		p.Advanced.Languages = strings.Split(languages, ",")
	}
	return p
}

// newProxy hands on what both sides say as they say it.
func newProxy(origin *url.URL, transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			// ReverseProxy has dropped the parameters that Go cannot parse, for
			// proxies that decide by parameters. The key has the query as it came.
			pr.Out.URL.RawQuery = pr.In.URL.RawQuery
			pr.SetURL(origin)
			// The key has the client's Host, so the origin must answer by that one.
			pr.Out.Host = pr.In.Host
			// No SetXForwarded: one client's address has no place in an answer for
			// all. What clients send of Forwarded and X-Forwarded-*, which anyone can
			// write, ReverseProxy drops: copy from pr.In what a trusted proxy sets.
		},
		Transport:     transport,
		FlushInterval: -1, // who streams wants each write to arrive
		ErrorLog:      slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
		ErrorHandler:  unreachable,
	}
}

// unreachable answers where the origin did not, and tells the log alone why. A
// body that breaks off later does not come here: ReverseProxy panics with
// http.ErrAbortHandler, the cache stores nothing, and net/http breaks off too.
func unreachable(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) { // the client left
		slog.Warn("no answer from the origin", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	w.WriteHeader(http.StatusBadGateway)
}

// newTransport returns a way to the origin that bounds how long an answer takes
// to begin, never how long it lasts.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true, // which a DialContext turns off
		TLSHandshakeTimeout:   5 * time.Second,
		ExpectContinueTimeout: time.Second,
		ResponseHeaderTimeout: time.Minute,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		// Or it would ask for gzip on its own and decode it, and what is stored
		// would not be what the origin sent.
		DisableCompression: true,
	}
}
