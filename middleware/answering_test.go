package middleware_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// A handler's header map goes wrong in a hijack that fails (HTTP/2, recorders,
// wrappers): all its fields are lost.
func TestAFailedHijackLeavesTheResponseWhole(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
			t.Error("a recorder was hijacked")
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "{}")
	})
	a := s.get("/")
	if a.StatusCode != http.StatusTeapot || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v", a.StatusCode, a.Header)
	}
}

func TestAHijackAfterAWriteIsNotStored(t *testing.T) {
	for _, flush := range []bool{false, true} {
		s, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "12")
			fmt.Fprint(w, "held")
			if flush {
				w.(http.Flusher).Flush()
			}
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprint(rw, "-by-hand")
			rw.Flush()
		})
		for range 2 {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			got, _ := io.ReadAll(conn)
			conn.Close()
			// What was not flushed, net/http loses without the cache as well.
			if flush && !strings.HasSuffix(string(got), "\r\n\r\nheld-by-hand") {
				t.Errorf("flush %v: got %q", flush, got)
			}
		}
		s.wantRuns(2)
	}
}

// The same without Content-Length, so that the length check does not save us.
func TestAHijackAfterAWriteWithoutLengthIsNotStored(t *testing.T) {
	for _, flush := range []bool{false, true} {
		s, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "held")
			if flush {
				w.(http.Flusher).Flush()
			}
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		})
		for range 2 {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			_, _ = io.ReadAll(conn)
			conn.Close()
		}
		s.wantRuns(2)
	}
}

func TestAnUnsafeMethodCanHijack(t *testing.T) {
	_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		h, ok := w.(http.Hijacker)
		if !ok {
			t.Error("no http.Hijacker for a POST")
			return
		}
		conn, _, err := h.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	res, err := server.Client().Post(server.URL, "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}

func TestATruncatedBodyIsNotMadeWholeForAConditionalRequest(t *testing.T) {
	_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		fmt.Fprint(w, "sho")
	})
	r, _ := http.NewRequest("GET", server.URL, nil)
	r.Header.Set("If-None-Match", `"v1"`)
	res, err := server.Client().Do(r)
	if err != nil {
		return // refused is fine
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("a body cut short came as whole: %q, Content-Length %d", body, res.ContentLength)
	}
}

// A flushed or long 5xx is an error all the same (RFC 5861 §4). A ReverseProxy
// with FlushInterval -1 flushes each write.
func TestAFlushedOrLongErrorIsRescued(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"flushed": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "broken")
			w.(http.Flusher).Flush()
		},
		"long": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, strings.Repeat("broken", 1<<20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, n := counting()
				s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
					if n.Load() > 0 {
						fail(w, r)
						return
					}
					h(w, r)
				})
				s.get("/")
				time.Sleep(40 * time.Second)
				a := s.get("/")
				if a.StatusCode != 200 || a.Header.Get("X-Cache") != "STALE" {
					t.Errorf("got %d %s", a.StatusCode, a.Header.Get("X-Cache"))
				}
			})
		})
	}
}

func TestStaleIfErrorIsForEveryKindOfRequest(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		fields []string
	}{
		"HEAD": {"HEAD", nil}, "Range": {"GET", []string{"Range", "bytes=0-0"}},
		"If-Range": {"GET", []string{"If-Range", `"x"`}}, "no-store": {"GET", []string{"Cache-Control", "no-store"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, n := counting()
				s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
					if n.Load() > 0 {
						http.Error(w, "broken", 503)
						return
					}
					h(w, r)
				})
				s.get("/")
				time.Sleep(40 * time.Second)
				if a := s.do(c.method, "/", c.fields...); a.StatusCode >= 500 {
					t.Errorf("got %d %q", a.StatusCode, a.Header["Cache-Status"])
				}
			})
		})
	}
}

// A program that ends cancels the contexts of its requests, whose clients wait.
func TestAWaitThatIsCancelledIsNotAnEmpty200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(3 * time.Second)
			fmt.Fprint(w, "x")
		})
		go s.get("/")
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		if w.Code == http.StatusOK && w.Body.Len() == 0 {
			t.Error("an empty 200")
		}
		time.Sleep(5 * time.Second)
	})
}

func TestTrailersWithoutAFlushPass(t *testing.T) {
	_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "x")
		w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
	})
	if a := fetch(t, server, "/"); a.Trailer.Get("X-Sum") != "42" {
		t.Errorf("%s: trailer = %v", a.Header.Get("X-Cache"), a.Trailer)
	}
}

func TestCacheStatusOfABypassIsLast(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Cache-Status", "origin; hit")
		w.Header().Add("X-Cache", "hit-at-origin")
		w.WriteHeader(200)
	})
	a := s.do("POST", "/")
	if got := a.Header["Cache-Status"]; !slices.Equal(got, []string{"origin; hit", "reprise; fwd=method"}) {
		t.Errorf("Cache-Status = %q", got)
	}
	if got := a.Header["X-Cache"]; !slices.Equal(got, []string{"BYPASS"}) {
		t.Errorf("X-Cache = %q", got)
	}
}

func TestOnlyIfCachedSaysWhatItDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := counting()
		s := newSite(t, staleWindows(), h)
		a := s.get("/", "Cache-Control", "only-if-cached")
		if got := a.Header.Get("Cache-Status"); strings.Contains(got, "fwd=") || strings.Contains(got, "timeout") {
			t.Errorf("nothing was forwarded and nothing timed out: %q", got)
		}
		s.get("/")
		time.Sleep(12 * time.Second)
		s.get("/", "Cache-Control", "only-if-cached").want(t, "STALE", "1")
	})
}

func TestTheTTLOfASoftPurgedEntryIsNotPositive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := counting()
		s := newSite(t, staleWindows(), h)
		s.get("/")
		if _, err := s.cache.Purge(t.Context(), store.Purge{All: true, Soft: true}); err != nil {
			t.Fatal(err)
		}
		a := s.get("/")
		a.want(t, "STALE", "1")
		if got := a.Header.Get("Cache-Status"); got != "reprise; hit; ttl=0" {
			t.Errorf("Cache-Status = %q", got)
		}
		synctest.Wait()
	})
}

func TestTheNameIsAStructuredToken(t *testing.T) {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1cache", "-x", "'x"} { // RFC 9651 §3.3.4: begins with a letter or *
		if _, err := reprise.New(st, reprise.WithName(name)); err == nil {
			t.Errorf("WithName(%q) is taken", name)
		}
	}
	if _, err := reprise.New(st, reprise.WithName("cdn:a/b")); err != nil {
		t.Errorf("a good name: %v", err)
	}
}

func TestTwoCachesOnOneStoreHaveTheirOwnNames(t *testing.T) {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		c, err := reprise.New(st, reprise.WithName(name))
		if err != nil {
			t.Fatal(err)
		}
		h := c.Handler(plain)(say("x"))
		var got string
		for range 2 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			got = w.Header().Get("Cache-Status")
		}
		if !strings.HasPrefix(got, name+";") {
			t.Errorf("%s says %q", name, got)
		}
	}
}

func TestAVeryLongTTLIsAHit(t *testing.T) {
	for _, ttl := range []time.Duration{100 * 365 * 24 * time.Hour, 1<<63 - 1} {
		p := plain
		p.TTL, p.StaleIfError = ttl, time.Hour
		s := newSite(t, p, say("x"))
		s.get("/").want(t, "MISS", "x")
		s.get("/").want(t, "HIT", "x")
	}
}

// Without a URL, as a program may make one, the key function fails, which is a
// bypass for GET and a panic for POST.
func TestAnUnsafeRequestWithoutAURLDoesNotPanic(t *testing.T) {
	s := newSite(t, plain, say("x"))
	r := httptest.NewRequest("POST", "/", nil)
	r.URL, r.RequestURI = nil, ""
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v", p)
		}
	}()
	s.ServeHTTP(httptest.NewRecorder(), r)
}

// http.ServeContent makes up a Content-Type from bytes that are encoded.
func TestNoContentTypeIsMadeUp(t *testing.T) {
	s := newSite(t, plain, with(say("\x1f\x8b\x08rest of it"), "Content-Encoding", "gzip"))
	s.get("/").want(t, "MISS", "*")
	for _, fields := range [][]string{nil, {"If-None-Match", `"other"`}, {"Range", "bytes=0-3"}} {
		if a := s.get("/", fields...); len(a.Header["Content-Type"]) > 0 {
			t.Errorf("%v: Content-Type = %q", fields, a.Header["Content-Type"])
		}
	}
}

// RFC 9111 §4.3.2: a cache does not evaluate If-Match; and the origin has to see it.
func TestIfMatchIsTheOriginsToEvaluate(t *testing.T) {
	s := newSite(t, plain, say("x"))
	s.get("/").want(t, "MISS", "x")
	for _, field := range []string{"If-Match", "If-Unmodified-Since"} {
		value := map[string]string{"If-Match": `"other"`, "If-Unmodified-Since": "Mon, 02 Jan 2006 15:04:05 GMT"}[field]
		if a := s.get("/", field, value); a.StatusCode != 200 {
			t.Errorf("%s: got %d", field, a.StatusCode)
		}
	}
}
