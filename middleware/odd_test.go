package middleware_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oddHandlers do what handlers may do to a ResponseWriter, right or wrong.
var oddHandlers = map[string]http.HandlerFunc{
	"nothing": func(http.ResponseWriter, *http.Request) {},
	"204 with a body": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(204)
		w.Write([]byte("x"))
	},
	"304 with a body": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(304)
		w.Write([]byte("x"))
	},
	"two statuses": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(404)
		w.WriteHeader(200)
		fmt.Fprint(w, "x")
	},
	"status after a write": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "x")
		w.WriteHeader(404)
	},
	"field after a write": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "x")
		w.Header().Set("X-Late", "1")
	},
	"too much":    with(say("four"), "Content-Length", "3"),
	"too little":  with(say("four"), "Content-Length", "5"),
	"no type":     func(w http.ResponseWriter, r *http.Request) { w.Header()["Content-Type"] = nil; fmt.Fprint(w, "x") },
	"no date":     func(w http.ResponseWriter, r *http.Request) { w.Header()["Date"] = nil; fmt.Fprint(w, "x") },
	"odd names":   with(say("x"), "", "empty", "x-lower", "1", "bad name", "1"),
	"line breaks": with(say("x"), "X-A", "a\r\nSet-Cookie: b=c"),
	"long":        say(strings.Repeat("x", 5000)),
	"in pieces": func(w http.ResponseWriter, r *http.Request) {
		for range 500 {
			fmt.Fprint(w, "piece")
		}
	},
	"flushes": func(w http.ResponseWriter, r *http.Request) {
		for range 5 {
			fmt.Fprint(w, "z")
			w.(http.Flusher).Flush()
			w.(http.Flusher).Flush()
		}
	},
	"flushes nothing": func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() },
	"redirect":        func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", 301) },
	"error":           func(w http.ResponseWriter, r *http.Request) { http.Error(w, "bad", 500) },
	"abort": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "x")
		panic(http.ErrAbortHandler)
	},
	"file": func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", time.Unix(1e9, 0), strings.NewReader("0123456789"))
	},
	"TimeoutHandler":   http.TimeoutHandler(say("x"), time.Minute, "late").ServeHTTP,
	"connection close": with(say("x"), "Connection", "close"),
	"status 999":       func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(999); fmt.Fprint(w, "x") },
	"status 0":         func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(0) },
	"empty ETag":       with(say("x"), "Etag", ""),
}

// What a client gets from an odd handler, at the first request and at the
// second, is what it gets without the cache.
func TestAnOddHandlerAnswersAsWithoutTheCache(t *testing.T) {
	for name, handler := range oddHandlers {
		bare := quiet(handler)
		defer bare.Close()
		for _, version := range []string{"1.0", "1.1"} {
			for _, method := range []string{"GET", "HEAD"} {
				for _, field := range []string{"", "Range: bytes=0-1\r\n", "Expect: 100-continue\r\n"} {
					want := raw(t, bare, method, version, field)
					cached := quiet(newSite(t, plain, handler))
					for _, turn := range []string{"first", "second"} {
						got := raw(t, cached, method, version, field)
						if got.status == http.StatusPartialContent {
							want = want.firstTwo()
						}
						if got.String() != want.String() {
							t.Errorf("%s, %s, HTTP/%s %s %q:\n without %s\n with    %s", name, turn, version, method, field, want, got)
						}
					}
					cached.Close()
				}
			}
		}
	}
}

// quiet is a server that does not log what odd handlers do wrong.
func quiet(h http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	return server
}

// raw returns what a client sees of an answer, but for what the cache adds and
// for the framing.
func raw(t *testing.T, server *httptest.Server, method, version, field string) seen {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s / HTTP/%s\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, version, field)
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return seen{}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	h := maps.Clone(res.Header)
	for _, name := range []string{"X-Cache", "Cache-Status", "Age", "Etag", "Date", "Content-Length", "Accept-Ranges", "Connection"} {
		delete(h, name)
	}
	return seen{res.StatusCode, h, body, err != nil}
}

// seen is what a client saw.
type seen struct {
	status int
	header http.Header
	body   []byte
	short  bool
}

func (s seen) String() string {
	return fmt.Sprintf("%d %v, %d bytes %.9q, cut short: %v", s.status, s.header, len(s.body), s.body, s.short)
}

// firstTwo is the answer to bytes=0-1 where s is the whole: the cache knows
// ranges even if the handler does not.
func (s seen) firstTwo() seen {
	if s.status != http.StatusOK {
		return s
	}
	n := min(2, len(s.body))
	s.header = maps.Clone(s.header)
	s.header.Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", n-1, len(s.body)))
	s.status, s.body = http.StatusPartialContent, s.body[:n]
	return s
}

func TestOddRequestsAreAnswered(t *testing.T) {
	s := newSite(t, plain, say("x"))
	for name, build := range map[string]func(*http.Request){
		"no URL":               func(r *http.Request) { r.URL = nil },
		"no request line":      func(r *http.Request) { r.RequestURI = "" },
		"OPTIONS *":            func(r *http.Request) { r.Method, r.RequestURI, r.URL.Path = "OPTIONS", "*", "*" },
		"unknown method *":     func(r *http.Request) { r.Method, r.RequestURI, r.URL.Path = "FOO", "*", "*" },
		"CONNECT":              func(r *http.Request) { r.Method, r.RequestURI = "CONNECT", "example.com:443" },
		"absolute form":        func(r *http.Request) { r.RequestURI = "http://example.com/p" },
		"nil header":           func(r *http.Request) { r.Header = nil },
		"empty field name":     func(r *http.Request) { r.Header[""] = []string{"x"} },
		"fields without lines": func(r *http.Request) { r.Header["Cookie"], r.Header["Cache-Control"] = nil, nil },
		"no host":              func(r *http.Request) { r.Host = "" },
		"garbage request line": func(r *http.Request) { r.Method, r.RequestURI = "POST", "%zz\x00" },
	} {
		for range 2 {
			r := httptest.NewRequest("GET", "/", nil)
			build(r)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusOK || w.Body.String() != "x" {
				t.Errorf("%s: got %d %q", name, w.Code, w.Body)
			}
		}
	}
}

// The record of what selects was made for the shortest-lived variant.
func TestAVariantLivesAsLongAsItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Accept")
			w.Header().Set("Cache-Control", "max-age="+r.Header.Get("Accept"))
			fmt.Fprint(w, "x")
		})
		s.get("/", "Accept", "1").want(t, "MISS", "x")
		s.get("/", "Accept", "3600").want(t, "MISS", "x")
		time.Sleep(10 * time.Second)
		s.get("/", "Accept", "3600").want(t, "HIT", "x")
	})
}
