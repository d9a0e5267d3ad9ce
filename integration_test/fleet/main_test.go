// Package fleet tests several instances of a program that share one Redis: real
// processes, real sockets, a real Redis.
package fleet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/redisstore"
)

// An instance of the program under test is this test binary, started with the
// address of Redis and a namespace in its environment.
const (
	envRedis     = "FLEET_REDIS"
	envNamespace = "FLEET_NAMESPACE"
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
// test. Its handler takes 200 ms and answers with the version last set.
func serve(addr, namespace string) error {
	st, err := redisstore.New(redisstore.Options{Addrs: []string{addr}, Namespace: namespace})
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
	policy := reprise.Policy{Name: "page", TTL: time.Minute, StaleWhileRevalidate: time.Minute}
	mux := http.NewServeMux()
	mux.Handle("GET /page/{id}", cache.Handler(policy)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := version.Load()
		runs.Add(1)
		reprise.Tag(r.Context(), "page:"+r.PathValue("id"))
		select {
		case <-time.After(200 * time.Millisecond): // the work
		case <-r.Context().Done():
			return
		}
		fmt.Fprintf(w, "page %s version %d", r.PathValue("id"), v)
	})))
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

// An instance is one process of the fleet.
type instance struct {
	t      *testing.T
	url    string
	client *http.Client
}

// start starts an instance, which ends with the test.
func start(t *testing.T, redis, namespace string) *instance {
	t.Helper()
	return startBinary(t, os.Args[0], redis, namespace)
}

// startBinary is start for another version of the program.
func startBinary(t *testing.T, binary, redis, namespace string) *instance {
	t.Helper()
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), envRedis+"="+redis, envNamespace+"="+namespace)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("instance: %v", err)
		}
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the instance did not say where it listens: %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 500}
	t.Cleanup(transport.CloseIdleConnections)
	return &instance{t: t, url: "http://" + strings.TrimSpace(addr), client: &http.Client{Transport: transport}}
}

// A reply is what an instance answered.
type reply struct {
	status int
	xCache string
	text   string
}

// do sends a request. The Host is the same at all instances, as behind a load
// balancer.
func (i *instance) do(method, path string) (reply, error) {
	r, err := http.NewRequest(method, i.url+path, nil)
	if err != nil {
		return reply{}, err
	}
	r.Host = "shop.example"
	res, err := i.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header.Get("X-Cache"), string(body)}, err
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
