package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	reprise "github.com/reprise-go/reprise/middleware"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A chain is a client, the proxy and an origin that counts its runs, with real
// sockets between them.
type chain struct {
	t      *testing.T
	url    string // of the proxy
	origin *httptest.Server
	client *http.Client
	runs   atomic.Int64
}

func newChain(t *testing.T, origin http.HandlerFunc) *chain {
	t.Helper()
	return newChainBy(t, config{store: "memory", heuristic: true}, origin)
}

func newChainBy(t *testing.T, cfg config, origin http.HandlerFunc) *chain {
	t.Helper()
	c := &chain{t: t}
	c.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.runs.Add(1)
		origin(w, r)
	}))
	t.Cleanup(c.origin.Close)
	target, err := url.Parse(c.origin.URL)
	if err != nil {
		t.Fatal(err)
	}

	st, closeStore, err := openStore(cfg, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeStore)
	cache, err := reprise.New(st)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httptest.NewServer(cache.Handler(newPolicy(cfg))(newProxy(target, transport)))
	t.Cleanup(proxy.Close)
	c.url = proxy.URL

	own := &http.Transport{DisableCompression: true} // sends what it is told
	t.Cleanup(own.CloseIdleConnections)
	c.client = &http.Client{
		Transport:     own,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// An answer is what the client got, and what went wrong while it did.
type answer struct {
	*http.Response
	text string
	err  error
}

// do sends a request with header fields given in pairs.
func (c *chain) do(method, path, body string, fields ...string) answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp, string(text), err}
}

// get is do for a whole answer to a GET.
func (c *chain) get(path string, fields ...string) answer {
	c.t.Helper()
	a := c.do(http.MethodGet, path, "", fields...)
	if a.err != nil {
		c.t.Fatal(a.err)
	}
	return a
}

// want checks X-Cache, unless it is "*", and the body.
func (a answer) want(t *testing.T, status int, xCache, text string) {
	t.Helper()
	if got := a.Header.Get("X-Cache"); xCache != "*" && got != xCache {
		t.Errorf("X-Cache = %q, want %q (Cache-Status: %q)", got, xCache, a.Header["Cache-Status"])
	}
	if a.StatusCode != status || a.text != text {
		t.Errorf("answer = %d %q, want %d %q", a.StatusCode, a.text, status, text)
	}
}

func TestWhatTheFlagsSay(t *testing.T) {
	old := time.Now().Add(-24 * time.Hour).UTC().Format(http.TimeFormat)
	for name, test := range map[string]struct {
		change func(*config)
		fields []string // of the origin's answer
		second string   // X-Cache
	}{
		"heuristic":                    {func(*config) {}, []string{"Last-Modified", old}, "HIT"},
		"no heuristic":                 {func(c *config) { c.heuristic = false }, []string{"Last-Modified", old}, "MISS"},
		"Set-Cookie":                   {func(*config) {}, []string{"Cache-Control", "max-age=60", "Set-Cookie", "a=b"}, "MISS"},
		"dangerously-store-set-cookie": {func(c *config) { c.setCookie = true }, []string{"Cache-Control", "max-age=60", "Set-Cookie", "a=b"}, "HIT"},
		"languages":                    {func(c *config) { c.languages = "en, de" }, []string{"Cache-Control", "max-age=60", "Vary", "Accept-Language"}, "HIT"},
		"no languages":                 {func(*config) {}, []string{"Cache-Control", "max-age=60", "Vary", "Accept-Language"}, "MISS"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config{store: "memory", heuristic: true}
			test.change(&cfg)
			c := newChainBy(t, cfg, func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i+1 < len(test.fields); i += 2 {
					w.Header().Set(test.fields[i], test.fields[i+1])
				}
				w.Write([]byte("body"))
			})
			c.get("/", "Accept-Language", "de, en;q=0.5").want(t, http.StatusOK, "MISS", "body")
			c.get("/", "Accept-Language", "fr, de;q=0.9").want(t, http.StatusOK, test.second, "body")
		})
	}
}

func TestAPOSTThatSaysSoIsStored(t *testing.T) {
	c := newChain(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Location", r.URL.Path)
		w.Write([]byte(r.Method))
	})
	c.do(http.MethodPost, "/form", "a=1").want(t, http.StatusOK, "BYPASS", "POST")
	c.get("/form").want(t, http.StatusOK, "HIT", "POST")
}

func TestWhatIsStoredStandsInForAnOriginThatIsDown(t *testing.T) {
	c := newChainBy(t, config{store: "memory", stale: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Age", "90") // stale on arrival
		w.Write([]byte("body"))
	})
	c.get("/").want(t, http.StatusOK, "MISS", "body")
	c.origin.Close()
	c.get("/").want(t, http.StatusOK, "STALE", "body")
}

func TestTheOriginDecidesWhatIsStored(t *testing.T) {
	const cookie = "Cookie"
	tests := []struct {
		name   string
		origin []string // fields of its responses, in pairs
		client []string
		second string // X-Cache of the second answer
	}{
		{"max-age", []string{"Cache-Control", "max-age=60"}, nil, "HIT"},
		{"no-store", []string{"Cache-Control", "no-store"}, nil, "MISS"},
		{"private", []string{"Cache-Control", "private, max-age=60"}, nil, "MISS"},
		{"nothing", nil, nil, "MISS"},
		{"max-age, and the client has a cookie", []string{"Cache-Control", "max-age=60"}, []string{cookie, "a=1"}, "HIT"},
		{"a date, and the client has a cookie", []string{"Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT"}, []string{cookie, "a=1"}, "MISS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newChain(t, func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i+1 < len(tt.origin); i += 2 {
					w.Header().Add(tt.origin[i], tt.origin[i+1])
				}
				w.Write([]byte("body"))
			})
			c.get("/", tt.client...).want(t, http.StatusOK, "MISS", "body")
			c.get("/", tt.client...).want(t, http.StatusOK, tt.second, "body")
			want := int64(2)
			if tt.second == "HIT" {
				want = 1
			}
			if got := c.runs.Load(); got != want {
				t.Errorf("the origin ran %d times, want %d", got, want)
			}
		})
	}
}

// The origin sees the client's request, with nothing that anyone could have
// written of who the client is.
func TestTheOriginSeesTheRequestAsItCame(t *testing.T) {
	c := newChain(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var names []string
		for name := range r.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(w, "%s %s %s %q %v", r.Method, r.Host, r.RequestURI, body, names)
	})
	const path = "/a%2fb//../%7Ec?b=1;a=%zz&&a"
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "REPORT"} {
		body, names := "text", "[Content-Length User-Agent]"
		if method == http.MethodGet {
			body, names = "", "[User-Agent]"
		}
		got := c.do(method, path, body, "Host", "shop.example", "User-Agent", "test",
			"X-Forwarded-For", "192.0.2.1", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "Forwarded", "for=192.0.2.1")
		if want := fmt.Sprintf("%s shop.example %s %q %s", method, path, body, names); got.text != want {
			t.Errorf("the origin saw\n\t%s, want\n\t%s", got.text, want)
		}
	}
}

func TestACodedBodyArrivesAndIsStoredAsItIs(t *testing.T) {
	var coded bytes.Buffer
	zw := gzip.NewWriter(&coded)
	if _, err := zw.Write([]byte(strings.Repeat("text ", 100))); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	c := newChain(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header["Accept-Encoding"]; len(got) > 0 && r.URL.Path == "/unasked" {
			t.Errorf("the proxy asked for %q", got)
		}
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(coded.Bytes())
	})
	for path, fields := range map[string][]string{"/asked": {"Accept-Encoding", "gzip"}, "/unasked": nil} {
		for _, xCache := range []string{"MISS", "HIT"} {
			a := c.get(path, fields...)
			a.want(t, http.StatusOK, xCache, coded.String())
			if got := a.Header.Get("Content-Encoding"); got != "gzip" {
				t.Errorf("Content-Encoding = %q, want gzip", got)
			}
		}
	}
}

func TestARedirectIsTheClientsToFollow(t *testing.T) {
	c := newChain(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	})
	a := c.get("/")
	a.want(t, http.StatusFound, "MISS", "")
	if got := a.Header.Get("Location"); got != "/elsewhere" {
		t.Errorf("Location = %q, want /elsewhere", got)
	}
}

func TestEarlyHintsAndTrailersPass(t *testing.T) {
	c := newChain(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Trailer", "Sum")
		w.Write([]byte("body"))
		w.Header().Set("Sum", "4")
	})
	var hints []string
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprint(code, header["Link"]))
			return nil
		},
	}), http.MethodGet, c.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || string(text) != "body" || resp.Header["Link"] != nil {
		t.Errorf("answer = %q, %v, Link %q, want the body alone", text, err, resp.Header["Link"])
	}
	if want := []string{"103 [</style.css>; rel=preload]"}; !slices.Equal(hints, want) {
		t.Errorf("hints = %q, want %q", hints, want)
	}
	if got := resp.Trailer.Get("Sum"); got != "4" {
		t.Errorf("trailer Sum = %q, want 4", got)
	}
}

func TestAStreamArrivesAsItIsWritten(t *testing.T) {
	for _, control := range []string{"no-store", "max-age=60"} {
		t.Run(control, func(t *testing.T) {
			read := make(chan struct{})
			c := newChain(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", control)
				w.Header().Set("Content-Length", "10") // or ReverseProxy flushes anyway
				w.Write([]byte("first"))
				w.(http.Flusher).Flush()
				<-read
				w.Write([]byte("later"))
			})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			first := make([]byte, 5)
			if _, err := io.ReadFull(resp.Body, first); err != nil {
				t.Fatal(err)
			}
			close(read)
			later, err := io.ReadAll(resp.Body)
			if err != nil || string(first)+string(later) != "firstlater" {
				t.Errorf("body = %q %q, %v", first, later, err)
			}
		})
	}
}

func TestWithoutAnOriginThereIsA502AndWhatIsStored(t *testing.T) {
	c := newChain(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Write([]byte("body"))
	})
	c.get("/stored").want(t, http.StatusOK, "MISS", "body")
	c.origin.Close()
	for range 2 {
		c.get("/").want(t, http.StatusBadGateway, "MISS", "")
		if a := c.do(http.MethodPost, "/", "text"); a.err != nil {
			t.Error(a.err)
		} else {
			a.want(t, http.StatusBadGateway, "*", "")
		}
		c.get("/stored").want(t, http.StatusOK, "HIT", "body")
	}
}

func TestABodyThatBreaksOffIsBrokenForTheClientAndNotStored(t *testing.T) {
	for _, length := range []string{"", "100"} { // chunked, and promised
		t.Run("Content-Length "+length, func(t *testing.T) {
			var whole atomic.Bool
			c := newChain(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				if whole.Load() {
					w.Write([]byte("whole"))
					return
				}
				if length != "" {
					w.Header().Set("Content-Length", length)
				}
				w.Write([]byte("beginning"))
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			})
			for range 2 {
				if a := c.do(http.MethodGet, "/", ""); a.err == nil {
					t.Errorf("the client took %q for the whole body (%v)", a.text, a.Header)
				}
			}
			whole.Store(true)
			c.get("/").want(t, http.StatusOK, "MISS", "whole")
			c.get("/").want(t, http.StatusOK, "HIT", "whole")
		})
	}
}

func TestRunRefusesWhatIsNoOrigin(t *testing.T) {
	for _, origin := range []string{"", "localhost:8000", "/path", "ftp://localhost", "http://", "http://user:password@localhost", "http://[::1"} {
		if err := run(config{listen: "localhost:0", origin: origin, store: "memory"}); err == nil || strings.Contains(err.Error(), "password") {
			t.Errorf("run with -origin %q: %v", origin, err)
		}
	}
}
