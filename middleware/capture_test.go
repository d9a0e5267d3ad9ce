package middleware_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	reprise "github.com/reprise-go/reprise/middleware"
)

// serve puts a handler behind the cache on a real socket.
func serve(t *testing.T, p reprise.Policy, h http.HandlerFunc) (*site, *httptest.Server) {
	t.Helper()
	s := newSite(t, p, h)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server
}

// fetch gets a whole answer over the wire.
func fetch(t *testing.T, server *httptest.Server, path string) answer {
	t.Helper()
	res, err := server.Client().Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, string(body)}
}

func TestServerSentEventsFlow(t *testing.T) {
	seen := make(chan struct{})
	s, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-seen: // the client has this event before the next is made
			case <-r.Context().Done():
				return
			}
		}
	})
	for range 2 {
		res, err := server.Client().Get(server.URL) // without Accept: the handler decides
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(res.Body)
		for i := range 3 {
			lines.Scan()
			if want := fmt.Sprintf("data: %d", i); lines.Text() != want {
				t.Fatalf("got %q, want %q", lines.Text(), want)
			}
			lines.Scan()
			seen <- struct{}{}
		}
		res.Body.Close()
	}
	s.wantRuns(2)
}

func TestADisconnectEndsAStream(t *testing.T) {
	ended := make(chan struct{})
	_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 0\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done() // the client's cancellation is given back to the handler
		close(ended)
	})
	ctx, leave := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	leave()
	res.Body.Close()
	<-ended
}

func TestHijack(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		line, _ := rw.ReadString('\n')
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n%s", line)
		rw.Flush()
	}
	for name, fields := range map[string]string{
		"with Upgrade":    "Connection: Upgrade\r\nUpgrade: echo\r\n",
		"without warning": "", // captured until the handler hijacks
	} {
		t.Run(name, func(t *testing.T) {
			s, server := serve(t, plain, echo)
			for range 2 {
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\nping\n", fields)
				answer, _ := io.ReadAll(conn)
				if !strings.HasPrefix(string(answer), "HTTP/1.1 101 ") || !strings.HasSuffix(string(answer), "\r\n\r\nping\n") {
					t.Errorf("got %q", answer)
				}
			}
			s.wantRuns(2)
		})
	}
}

func TestAFlushingReverseProxyIsCached(t *testing.T) {
	more := make(chan struct{}, 1)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "one\n")
		w.(http.Flusher).Flush()
		<-more
		fmt.Fprint(w, "two\n")
	}))
	defer origin.Close()
	target, _ := url.Parse(origin.URL)
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
	}
	s, server := serve(t, plain, proxy.ServeHTTP)
	res, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(res.Body)
	if line, _ := lines.ReadString('\n'); line != "one\n" { // comes before the origin is done
		t.Fatalf("got %q", line)
	}
	more <- struct{}{}
	if rest, _ := io.ReadAll(lines); string(rest) != "two\n" {
		t.Fatalf("got %q", rest)
	}
	res.Body.Close()
	for range 2 {
		a := fetch(t, server, "/")
		a.want(t, "HIT", "one\ntwo\n")
	}
	s.wantRuns(1)
}

func TestAClientWhoLeavesATeedStreamDoesNotCutItForOthers(t *testing.T) {
	left := make(chan struct{})
	s, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "one\n")
		w.(http.Flusher).Flush()
		<-left
		for range 1000 { // enough that writing to a closed connection fails
			if _, err := fmt.Fprint(w, strings.Repeat("x", 100)); err != nil {
				t.Errorf("the handler saw %v", err)
			}
			w.(http.Flusher).Flush()
		}
	})
	res, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	close(left)
	if a := fetch(t, server, "/"); len(a.text) != 4+100*1000 {
		t.Errorf("got %d bytes (%s)", len(a.text), a.Header.Get("X-Cache"))
	}
	s.wantRuns(1)
}

func TestEarlyHintsPassAndAreNotStored(t *testing.T) {
	_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		fmt.Fprint(w, "x")
	})
	for _, want := range []int{1, 0} {
		hints := 0
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				if code == 103 && h.Get("Link") != "" {
					hints++
				}
				return nil
			},
		})
		r, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if hints != want || res.Header.Get("Link") != "" {
			t.Errorf("%s: %d hints, Link %q", res.Header.Get("X-Cache"), hints, res.Header.Get("Link"))
		}
	}
}

func TestTrailersPass(t *testing.T) {
	for _, name := range []string{"X-Sum", http.TrailerPrefix + "X-Sum"} {
		_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
			if name == "X-Sum" {
				w.Header().Set("Trailer", "X-Sum")
			}
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			w.Header().Set(name, "42")
		})
		if a := fetch(t, server, "/"); a.Trailer.Get("X-Sum") != "42" {
			t.Errorf("%s: trailer = %v", name, a.Trailer)
		}
	}
}

func TestReadFromGoesStraightThroughWhatIsPiped(t *testing.T) {
	p := plain
	p.Limits.Body = 4
	body := strings.Repeat("x", 100_000)
	for _, limit := range []int64{4, 1 << 20} {
		p.Limits.Body = limit
		_, server := serve(t, p, func(w http.ResponseWriter, r *http.Request) {
			n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(body))
			if n != int64(len(body)) || err != nil {
				t.Errorf("ReadFrom = %d, %v", n, err)
			}
		})
		for range 2 {
			if a := fetch(t, server, "/"); a.text != body {
				t.Errorf("limit %d: got %d bytes", limit, len(a.text))
			}
		}
	}
}

func TestWritingMoreThanPromisedFailsAsWithoutTheCache(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		if _, err := w.Write([]byte("four")); !errors.Is(err, http.ErrContentLength) {
			t.Errorf("Write = %v", err)
		}
	})
	s.get("/")
}
