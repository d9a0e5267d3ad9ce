package middleware_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

// FuzzServer writes raw bytes to the sockets of two servers, each twice: of one
// with the cache around FuzzDifferential's handler, and of one with that handler
// alone. Both must answer the same, and as often.
func FuzzServer(f *testing.F) {
	seedServer(f)
	bare, cached := listen(f), listen(f)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		st, err := memstore.New(memstore.Options{Bytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		cache, err := reprise.New(st)
		if err != nil {
			t.Fatal(err)
		}
		p := reprise.Policy{Name: "fuzz", TTL: time.Minute, StaleWhileRevalidate: time.Minute, StaleIfError: time.Minute}
		bare.serve(http.HandlerFunc(pure))
		cached.serve(cache.Handler(p)(http.HandlerFunc(pure)))
		for n, raw := range [][]byte{one, two, one, two} {
			if len(raw) == 0 {
				continue
			}
			want, requests := bare.answers(t, raw)
			got, again := cached.answers(t, raw)
			if len(again) != len(requests) && !ends(requests) || len(got) < len(want) {
				t.Errorf("%q: %d requests are %d to the cache, and %d answers %d", raw, len(requests), len(again), len(want), len(got))
				continue
			}
			for i := range want {
				a, b := got[i].Result(), want[i].Result()
				if ends(requests) {
					a.Header.Del("Connection")
					b.Header.Del("Connection")
				}
				for _, fault := range differences(requestOf(requests, i), a, b) {
					t.Errorf("answer %d.%d to %q (%s): %s", n+1, i+1, raw, got[i].Header().Get("Cache-Status"), fault)
				}
			}
		}
		if err := cache.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// requestOf is what the ith answer is to: one that the server itself gives is to
// nothing that net/http takes for a request.
func requestOf(requests []*http.Request, i int) *http.Request {
	if i < len(requests) {
		return requests[i]
	}
	return &http.Request{Method: http.MethodGet}
}

// ends tells whether one of requests may end its connection or not by how its
// answer is framed: an HTTP/1.0 client takes no chunks, but the cache knows a length.
func ends(requests []*http.Request) bool {
	for _, r := range requests {
		if !r.ProtoAtLeast(1, 1) {
			return true
		}
	}
	return false
}

func seedServer(f *testing.F) {
	request := func(line, rest string) string { return line + " HTTP/1.1\r\nHost: h\r\n" + rest }
	page := request("GET /p?cc=max-age%3D60&etag=%22v%22", "\r\n")
	for _, raw := range []string{
		page + page,
		strings.Replace(page, "Host: h", "Host: host1", 1) + strings.Replace(page, "Host: h", "Host: host2", 1),
		page + strings.Replace(page, "/p?", "//p?", 1),
		page + request("GET /p?cc=max-age%3D60&etag=%22v%22", "If-None-Match: \"v\"\r\n\r\n") + page,
		request("POST /p?cc=max-age%3D60&etag=%22v%22", "Content-Length: 3\r\n\r\nabc") + page,
		request("GET /p?cc=max-age%3D60&etag=%22v%22", "Content-Length: 3\r\n\r\nabc") + page,
		request("POST /p", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n") + page,
		request("GET /p", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n") + page,
		request("POST /p", "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc") + page,
		request("POST /p", "Content-Length: 300\r\n\r\nabc"),
		request("GET /p", "Connection: close\r\n\r\n") + page,
		request("get /p", "\r\n") + request("OPTIONS *", "\r\n") + request("CONNECT h:80", "\r\n"),
		request("GET /p?flush=1&size=5000", "\r\n") + request("HEAD /p?flush=1&size=5000", "\r\n"),
		request("GET /p?status=103", "\r\n") + request("GET /p?status=204&cc=max-age%3D9", "\r\n") + request("GET /p?status=304&cc=max-age%3D9", "\r\n") + page,
		request("GET /p", "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n") + page,
		"GET /p HTTP/1.0\r\n\r\n", "GET /p?flush=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + page, "GET /p HTTP/1.1\r\n\r\n", "GET /p HTTP/2.0\r\nHost: h\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET /p HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", "GET //h/../p?;&x=%zz HTTP/1.1\r\nHost: H:80\r\n\r\n",
		"GET http://i/p HTTP/1.1\r\nHost: h\r\n\r\n", "GET /p HTTP/1.1\nHost: h\n\n", "GET /p HTTP/1.1\r\nHost: h\r\n A: folded\r\n\r\n", "\r\n" + page, "GET /p", "\x00", "GET /p#f HTTP/1.1\r\nHost: h\r\nA:\x00\r\n\r\n",
	} {
		f.Add([]byte(raw), []byte(page))
		f.Add([]byte(page+raw), []byte(raw))
	}
}

// A server is one that listens at a Unix socket: there are enough of their
// connections, where ports would run out.
type server struct {
	path string

	mu       sync.Mutex
	handler  http.Handler
	requests []*http.Request
}

func listen(f *testing.F) *server {
	s := &server{path: filepath.Join(f.TempDir(), "s")}
	l, err := net.Listen("unix", s.path)
	if err != nil {
		f.Fatal(err)
	}
	srv := &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error)
	go func() { done <- srv.Serve(patient{l}) }()
	f.Cleanup(func() {
		if err := srv.Close(); err != nil {
			f.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			f.Error(err)
		}
	})
	return s
}

// patient listens for clients that send all they have, close their side, and wait.
// net/http takes a client who has closed it for one that has gone, if it finds out
// while a handler runs: it then reads ahead, one byte. So that byte does not come.
type patient struct{ net.Listener }

func (l patient) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &patientConn{Conn: c, hurry: make(chan struct{}, 1), closed: make(chan struct{})}, err
}

type patientConn struct {
	net.Conn
	hurry  chan struct{} // the handler has ended
	closed chan struct{}
	once   sync.Once
}

func (c *patientConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *patientConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if len(p) == 1 && errors.Is(err, io.EOF) {
		select {
		case <-c.hurry:
			return 0, os.ErrDeadlineExceeded
		case <-c.closed:
		}
	}
	return n, err
}

func (c *patientConn) SetReadDeadline(t time.Time) error {
	select {
	case <-c.hurry:
	default:
	}
	if !t.IsZero() { // it is in the past: these servers have no timeouts
		select {
		case c.hurry <- struct{}{}:
		default:
		}
	}
	return c.Conn.SetReadDeadline(t)
}

func (s *server) serve(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Clone(context.Background()))
	h := s.handler
	s.mu.Unlock()
	h.ServeHTTP(w, r)
}

// answers writes raw on a connection of its own, and returns what came back, and
// the requests that got to the handler.
func (s *server) answers(t *testing.T, raw []byte) (list []*httptest.ResponseRecorder, requests []*http.Request) {
	t.Helper()
	s.mu.Lock()
	s.requests = nil
	s.mu.Unlock()
	c, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write(raw) // a server that has had enough closes
	_ = c.(*net.UnixConn).CloseWrite()
	var all bytes.Buffer
	if _, err := all.ReadFrom(c); errors.Is(err, os.ErrDeadlineExceeded) || all.Len() == 0 && err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	s.mu.Lock()
	requests = s.requests
	s.mu.Unlock()
	in := bufio.NewReader(&all)
	for in.Buffered() > 0 || all.Len() > 0 {
		answer, err := http.ReadResponse(in, requestOf(requests, len(list)))
		if err != nil {
			t.Fatalf("answer %d to %q: %v", len(list)+1, raw, err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatalf("answer %d to %q: %v", len(list)+1, raw, err)
		}
		answer.Body.Close()
		w := httptest.NewRecorder()
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body)
		list = append(list, w)
	}
	return list, requests
}
