package keyfunc_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

// serveKey answers with the key of each request.
var serveKey = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	key, err := keyfunc.Default(nil, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write(key)
})

// send writes head as it is to a real server and returns the body of the answer.
func send(t *testing.T, srv *httptest.Server, head string) string {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s\r\nConnection: close\r\n\r\n", head); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%q: %d %q, %v", head, resp.StatusCode, body, err)
	}
	return string(body)
}

func TestDefaultOnTheWire(t *testing.T) {
	srv := httptest.NewServer(serveKey)
	defer srv.Close()
	for head, want := range map[string]string{
		"GET /a?b=1&a=2 HTTP/1.1\r\nHost: h":                 "GET|http|h|/a|a=2&b=1",
		"GET /a HTTP/1.1\r\nHost: H:80":                      "GET|http|H:80|/a",
		"GET /a HTTP/1.0":                                    "GET|http||/a",
		"GET http://h/a?b HTTP/1.1\r\nHost: other":           "GET|http|h|http://h/a|b",
		"GET https://h/a HTTP/1.1\r\nHost: h":                "GET|http|h|https://h/a",
		"GET http://H/a%2fb HTTP/1.1\r\nHost: h":             "GET|http|H|http://H/a%2fb",
		"GET //a/../b HTTP/1.1\r\nHost: h":                   "GET|http|h|//a/../b",
		"GET /a%2fb HTTP/1.1\r\nHost: h":                     "GET|http|h|/a%2fb",
		"GET /a%2fb/caf%c3%a9 HTTP/1.1\r\nHost: h":           "GET|http|h|/a%2fb/caf%c3%a9",
		"GET /?x=1;y=2 HTTP/1.1\r\nHost: h":                  "GET|http|h|/|x=1;y=2",
		"GET /?x=%zz HTTP/1.1\r\nHost: h":                    "GET|http|h|/|x=%x25zz",
		"GET /? HTTP/1.1\r\nHost: h":                         "GET|http|h|/|",
		"GET /#a HTTP/1.1\r\nHost: h":                        "GET|http|h|/#a",
		"GET /?a#b?c HTTP/1.1\r\nHost: h":                    "GET|http|h|/|a#b%x3Fc",
		"GET / HTTP/1.1\r\nHost: h\r\nx-forwarded-host: a":   "GET|http|h|/|X-Forwarded-Host<a>",
		"GET / HTTP/1.1\r\nHost: h\r\nX-HOST: a\r\nx-host:b": "GET|http|h|/|X-Host<a><b>",
	} {
		if got := send(t, srv, head); got != want {
			t.Errorf("%q:\n got %s\nwant %s", head, got, want)
		}
	}
}

func TestDefaultOverTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(serveKey)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	resp, err := srv.Client().Get(srv.URL + "/p?b=1&a=%2f")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	want := "GET|https|" + srv.Listener.Addr().String() + "|/p|a=%2f&b=1"
	if err != nil || resp.ProtoMajor != 2 || string(body) != want {
		t.Errorf("HTTP/%d: got %s, %v, want %s", resp.ProtoMajor, body, err, want)
	}
}

// Three mounts of one handler, inside which all paths look alike.
func TestDefaultUnderMounts(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/a/", http.StripPrefix("/a", serveKey))
	mux.Handle("/b/", http.StripPrefix("/b", serveKey))
	mux.Handle("/", serveKey)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for uri, want := range map[string]string{
		"/x":         "GET|http|h|/x",
		"/a/x":       "GET|http|h|/a/x|path</x>",
		"/b/x":       "GET|http|h|/b/x|path</x>",
		"/a/x%2fy":   "GET|http|h|/a/x%2fy|path</x/y></x%2fy>",
		"/a/x/y?q":   "GET|http|h|/a/x/y|q|path</x/y>",
		"/a/x%20y?q": "GET|http|h|/a/x%20y|q|path</x%x20y>",
	} {
		if got := send(t, srv, "GET "+uri+" HTTP/1.1\r\nHost: h"); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
	}
}

// A semicolon that a handler sees as an ampersand.
func TestDefaultBehindAllowQuerySemicolons(t *testing.T) {
	srv := httptest.NewServer(http.AllowQuerySemicolons(serveKey))
	defer srv.Close()
	cloaked := send(t, srv, "GET /?b=1;a=2 HTTP/1.1\r\nHost: h")
	open := send(t, srv, "GET /?b=1&a=2 HTTP/1.1\r\nHost: h")
	if !strings.HasSuffix(cloaked, "|b=1;a=2|query<a=2&b=1>") || open != "GET|http|h|/|a=2&b=1" {
		t.Errorf("got %s and %s", cloaked, open)
	}
}
