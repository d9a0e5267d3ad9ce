package faults

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

// handlerLimit is for what must come and whose time is no figure: a loaded
// machine is slow, and only one that never gets there fails.
const handlerLimit = time.Minute

// A handlerBackend is a store that a row of the table runs on.
type handlerBackend struct {
	name      string
	redis     string // its address; "": none
	namespace string
	memory    store.Store // where there is no Redis
}

// handlerBackends runs a row on each store, named for it.
func handlerBackends(t *testing.T, row func(t *testing.T, b *handlerBackend)) {
	for _, b := range []*handlerBackend{{name: "memory"}, {name: "redis"}} {
		t.Run(b.name, func(t *testing.T) {
			b.fresh(t)
			row(t, b)
		})
	}
}

// fresh lets b begin with nothing stored.
func (b *handlerBackend) fresh(t *testing.T) {
	t.Helper()
	if b.name == "redis" {
		if b.redis == "" {
			b.redis = redistest.Addr(t)
		}
		b.namespace = fmt.Sprintf("handler-%d", time.Now().UnixNano())
		return
	}
	st, err := memstore.New(memstore.Options{Bytes: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	b.memory = st
}

// store returns the store of one instance. Those of one backend have the same
// data. It is closed with the test.
func (b *handlerBackend) store(t *testing.T) store.Store {
	t.Helper()
	if b.redis == "" {
		return b.memory
	}
	st := b.open(t)
	t.Cleanup(func() { st.Close() })
	return st
}

// open is store for tests that close the store themselves, on Redis.
func (b *handlerBackend) open(t *testing.T) *redisstore.Store {
	t.Helper()
	// A busy machine is no fault of this table's rows: that Redis answers too late
	// is what the rows of Redis are about.
	st, err := redisstore.New(redisstore.Options{Addrs: []string{b.redis}, Namespace: b.namespace, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	// It connects behind New's back where the machine is slow.
	redistest.Eventually(t, handlerLimit, "the store is connected", func() bool {
		l, err := st.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "connected" + strconv.FormatInt(time.Now().UnixNano(), 36)}, Hold: time.Second})
		if l != nil {
			_ = l.Release(t.Context())
		}
		return err == nil
	})
	return st
}

// leases counts the leases that are held in Redis.
func (b *handlerBackend) leases(t *testing.T) (n int) {
	t.Helper()
	keys, err := redistest.Command(b.redis, "KEYS", b.namespace+":*:c").AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		fields, err := redistest.Command(b.redis, "HVALS", key).AsStrSlice()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			deadline, err := strconv.ParseInt(f[16:], 10, 64)
			if err != nil || deadline > time.Now().UnixMilli() {
				n++
			}
		}
	}
	return n
}

// handlerPathKey lets a test know the key.
func handlerPathKey(dst []byte, r *http.Request) ([]byte, error) {
	return append(dst, r.URL.Path...), nil
}

// handlerAcquires tells whether an instance with store st can have the lease of
// key, and gives it back.
func handlerAcquires(t *testing.T, st store.Store, key string) bool {
	t.Helper()
	base, err := st.Get(t.Context(), key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	l, err := st.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: key}, Base: base, Hold: time.Second})
	if l != nil {
		_ = l.Release(t.Context())
	}
	return err == nil
}

// handlerCache returns a cache of one instance, which is closed with the test.
func handlerCache(t *testing.T, st store.Store, opts ...reprise.Option) *reprise.Cache {
	t.Helper()
	c, err := reprise.New(st, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// handlerServer serves h on a socket. What handlers panic with is not logged.
func handlerServer(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// handlerClient returns a client that asks once: on a connection that it has
// used before, it would repeat a request that was cut off.
func handlerClient(t *testing.T) *http.Client {
	tr := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// A handlerReply is what a client got. err tells that it was cut off, or nothing.
type handlerReply struct {
	status int
	xCache string
	body   []byte
	at     time.Time
	err    error
}

// handlerGet asks for path. The Host is the same at all instances, as behind a
// load balancer.
func handlerGet(c *http.Client, s *httptest.Server, path string) handlerReply {
	r, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
	if err != nil {
		return handlerReply{err: err}
	}
	return handlerDo(c, r)
}

func handlerDo(c *http.Client, r *http.Request) handlerReply {
	r.Host = "shop.example"
	res, err := c.Do(r)
	if err != nil {
		return handlerReply{err: err, at: time.Now()}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return handlerReply{res.StatusCode, res.Header.Get("X-Cache"), body, time.Now(), err}
}

// handlerDial connects to s and asks for path, without reading anything. The
// connection has little room for what nobody reads.
func handlerDial(t *testing.T, s *httptest.Server, path string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tcp := c.(*net.TCPConn)
	t.Cleanup(func() { tcp.Close() })
	if err := tcp.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(tcp, "GET %s HTTP/1.1\r\nHost: shop.example\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	return tcp
}

// handlerFollower is the function in which a request waits for another one's
// handler in the same process.
var handlerFollower = regexp.MustCompile(`swr\.\(\*Group\[\.\.\.\]\)\.follow\b`)

// handlerWaiting counts the requests of this process that wait for another
// one's handler. Nothing else tells that a request does so already.
func handlerWaiting() (n int) {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes everything
	count := 0
	for lines := bufio.NewScanner(&profile); lines.Scan(); {
		if before, _, ok := strings.Cut(lines.Text(), " @ "); ok {
			count, _ = strconv.Atoi(before)
		} else if count > 0 && handlerFollower.MatchString(lines.Text()) {
			n += count
			count = 0
		}
	}
	return n
}

// handlerAwait waits until n requests of this process wait for another one's
// handler.
func handlerAwait(t *testing.T, n int) {
	t.Helper()
	redistest.Eventually(t, handlerLimit, fmt.Sprintf("%d requests wait", n), func() bool { return handlerWaiting() >= n })
}

// A handlerSink is the ResponseWriter of a client that costs next to nothing,
// for rows about numbers that sockets would only slow down.
type handlerSink struct {
	header http.Header
	status int
	whole  bool // the body is handlerPage, in one piece
}

func (w *handlerSink) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

func (w *handlerSink) WriteHeader(status int) { w.status = status }

func (w *handlerSink) Write(p []byte) (int, error) {
	w.whole = string(p) == handlerPage
	return len(p), nil
}

// handlerAsk asks h for path, without a socket, and returns X-Cache.
func handlerAsk(t *testing.T, h http.Handler, path string, fields http.Header) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://shop.example"+path, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	maps.Copy(r.Header, fields)
	w := &handlerSink{}
	h.ServeHTTP(w, r)
	runtime.Gosched() // as reading from a socket does: else timers run each 10 ms only
	if !w.whole || w.status != http.StatusOK && w.status != 0 {
		t.Errorf("%s: got %d, whole: %v", path, w.status, w.whole)
	}
	return w.Header().Get("X-Cache")
}

// handlerPercentile returns the pth percentile of ds.
func handlerPercentile(ds []time.Duration, p int) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(ds))
	return s[min(len(s)*p/100, len(s)-1)]
}

// handlerInTime records the least of up to five measurements of a time, beside
// its bar. Another process that has the machine for a moment spoils a round;
// only what is slow misses a bar each time.
func handlerInTime(t *testing.T, row, what string, bar time.Duration, measure func(round int) time.Duration) {
	t.Helper()
	bar *= handlerSlow
	best := measure(0)
	for round := 1; round < 5 && best > bar; round++ {
		best = min(best, measure(round))
	}
	figures.AtMost(t, row, what, best.Round(10*time.Microsecond), bar)
}
