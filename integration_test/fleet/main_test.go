// Package fleet tests several instances of a program that share one Redis: real
// processes, real sockets, a real Redis.
package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/child"
	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/redisstore"
)

// An instance of the program under test is this test binary, started with the
// address of Redis and a namespace in its environment.
const (
	envRedis     = "FLEET_REDIS"
	envNamespace = "FLEET_NAMESPACE"
	envTimeout   = "FLEET_TIMEOUT" // of calls to Redis; "": the default
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(envRedis); addr != "" {
		if err := serve(addr, os.Getenv(envNamespace)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	redistest.Main(m)
}

// serve runs one instance until its standard input ends, which it does with the
// test. Its handler takes 200 ms, or what the request says, and answers with the
// version last set.
func serve(addr, namespace string) error {
	timeout, _ := time.ParseDuration(os.Getenv(envTimeout))
	st, err := redisstore.New(redisstore.Options{Addrs: []string{addr}, Namespace: namespace, Timeout: timeout})
	if err != nil {
		return err
	}
	defer st.Close()
	cache, err := reprise.New(st)
	if err != nil {
		return err
	}
	defer cache.Close(context.Background())

	var runs, version atomic.Int64
	var answers lags
	policy := reprise.Policy{Name: "page", TTL: time.Minute, StaleWhileRevalidate: time.Minute}
	mux := http.NewServeMux()
	mux.Handle("GET /page/{id}", answers.record(cache.Handler(policy)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := version.Load()
		runs.Add(1)
		reprise.Tag(r.Context(), "page:"+r.PathValue("id"))
		work, err := time.ParseDuration(r.URL.Query().Get("work"))
		if err != nil {
			work = 200 * time.Millisecond
		}
		select {
		case <-time.After(work):
		case <-r.Context().Done():
			return
		}
		// It is stored with the page, so that all who get it can tell how late they are.
		w.Header().Set(ended, strconv.FormatInt(time.Now().UnixNano(), 10))
		fmt.Fprintf(w, "page %s version %d", r.PathValue("id"), v)
	}))))
	mux.HandleFunc("GET /lags", func(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode(answers.take()) })
	mux.HandleFunc("GET /runs", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, runs.Load()) })
	mux.HandleFunc("POST /version/{v}", func(w http.ResponseWriter, r *http.Request) {
		v, _ := strconv.ParseInt(r.PathValue("v"), 10, 64)
		version.Store(v)
	})
	mux.HandleFunc("POST /purge", func(w http.ResponseWriter, r *http.Request) {
		var err error
		if tag := r.URL.Query().Get("tag"); tag != "" {
			_, err = cache.PurgeTags(r.Context(), tag)
		} else {
			_, err = cache.PurgeURL(r.Context(), r.URL.Query().Get("url"))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: mux}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
		server.Close()
	}()
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// ended is the response field with the time at which the handler ended, in
// nanoseconds of the wall clock, which all processes of a machine share.
const ended = "X-Handler-Ended"

// lags are how long after the handler's end requests that came before it had
// their answers.
type lags struct {
	mu sync.Mutex
	of []time.Duration
}

// record measures in the instance: that the client's process is busy, or the
// kernel, is not part of it.
func (l *lags) record(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came := time.Now()
		h.ServeHTTP(w, r)
		lag, waited := lagOf(w.Header(), came)
		if waited {
			l.mu.Lock()
			l.of = append(l.of, lag)
			l.mu.Unlock()
		}
	})
}

// take returns the lags since the last take.
func (l *lags) take() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.of
	l.of = nil
	return of
}

// lagOf is how long ago the handler ended, for who came while it ran.
func lagOf(h http.Header, came time.Time) (lag time.Duration, waited bool) {
	nanos, err := strconv.ParseInt(h.Get(ended), 10, 64)
	end := time.Unix(0, nanos)
	return time.Since(end), err == nil && came.Before(end)
}

// An instance is one process of the fleet.
type instance struct {
	t      *testing.T
	url    string
	client *http.Client
}

// start starts an instance, which ends with the test.
func start(t *testing.T, redis, namespace string, env ...string) *instance {
	t.Helper()
	return startBinary(t, os.Args[0], redis, namespace, env...)
}

// startBinary is start for another version of the program.
func startBinary(t *testing.T, binary, redis, namespace string, env ...string) *instance {
	t.Helper()
	_, addr := child.Start(t, binary, append([]string{envRedis + "=" + redis, envNamespace + "=" + namespace}, env...)...)
	transport := &http.Transport{MaxIdleConnsPerHost: 500}
	t.Cleanup(transport.CloseIdleConnections)
	return &instance{t: t, url: "http://" + addr, client: &http.Client{Transport: transport}}
}

// A reply is what an instance answered.
type reply struct {
	status int
	xCache string
	text   string
	lag    time.Duration // where it came while the handler ran
	waited bool
}

// do sends a request. The Host is the same at all instances, as behind a load
// balancer.
func (i *instance) do(method, path string) (reply, error) {
	r, err := http.NewRequest(method, i.url+path, nil)
	if err != nil {
		return reply{}, err
	}
	r.Host = "shop.example"
	came := time.Now()
	res, err := i.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	lag, waited := lagOf(res.Header, came)
	return reply{res.StatusCode, res.Header.Get("X-Cache"), string(body), lag, waited}, err
}

// must is do where anything but a 200 ends the test.
func (i *instance) must(method, path string) reply {
	i.t.Helper()
	a, err := i.do(method, path)
	if err != nil || a.status != http.StatusOK {
		i.t.Fatalf("%s %s: %v %v", method, path, a, err)
	}
	return a
}

func (i *instance) runs() (n int) {
	i.t.Helper()
	n, err := strconv.Atoi(i.must("GET", "/runs").text)
	if err != nil {
		i.t.Fatal(err)
	}
	return n
}
