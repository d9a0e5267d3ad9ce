package middleware_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/swr"
)

// What answers a well-known response's requests must answer as the longer way
// does, header and all. Range makes a request that is not plain.
func TestTheWellKnownAreAnsweredLikeOthers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"plain":        say("x"),
		"many fields":  with(say("x"), "A", "1", "A", "2", "B", "3", "Content-Type", "text/html", "Cache-Control", "max-age=100", "Link", "</a>"),
		"Cache-Status": with(say("x"), "Cache-Status", "origin; hit"),
		"no body":      func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", "y") },
		"404":          func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) },
		"204":          with(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "Cache-Control", "max-age=60"),
		"301":          with(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMovedPermanently) }, "Location", "/y"),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, plain, h)
			outer := s.Handler
			s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Outer") != "" {
					w.Header().Set("Vary", "Origin")
					w.Header().Set("Cache-Status", "outer; hit")
					w.Header().Set("A", "outer")
					w.Header().Set("Content-Type", "text/outer")
				}
				outer.ServeHTTP(w, r)
			})
			s.get("/")
			for _, method := range []string{"GET", "HEAD"} {
				for _, fields := range [][]string{
					nil, {"Outer", "1"}, {"If-None-Match", "*"}, {"If-None-Match", `"another"`}, {"Outer", "1", "If-None-Match", "*"},
					{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, {"If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"}, {"If-Modified-Since", "soon"},
				} {
					time.Sleep(time.Second / 10)
					want := s.do(method, "/", append(fields, "If-Range", "none")...)
					for range 5 {
						time.Sleep(time.Nanosecond)
						got := s.do(method, "/", fields...)
						if matches := len(fields) > 1 && fields[len(fields)-1] == "*"; matches && want.StatusCode == http.StatusOK {
							t.Errorf("%s: %v: not a 304", name, fields)
						}
						if got.StatusCode != want.StatusCode || got.text != want.text || !reflect.DeepEqual(got.Header, want.Header) {
							t.Errorf("%s: %s %v: %d %q %v\nwant %d %q %v", name, method, fields, got.StatusCode, got.text, got.Header, want.StatusCode, want.text, want.Header)
						}
						if got.Header.Get("X-Cache") != "HIT" {
							t.Errorf("%s: %v", name, got.Header)
						}
					}
				}
			}
			s.wantRuns(1)
		})
	}
}

// All that ends the life of a response ends that of a well-known one.
func TestTheWellKnownEndLikeOthers(t *testing.T) {
	for name, end := range map[string]struct {
		by   func(s *site)
		want string
	}{
		"its freshness":        {func(*site) { time.Sleep(time.Minute) }, "STALE"},
		"its stale window":     {func(*site) { time.Sleep(3 * time.Minute) }, "MISS"},
		"a purge of its URL":   {func(s *site) { s.purge(s.cache.PurgeURL(context.Background(), "http://example.com/")) }, "MISS"},
		"a purge of its tag":   {func(s *site) { s.purge(s.cache.PurgeTags(context.Background(), "t")) }, "MISS"},
		"a purge of all":       {func(s *site) { s.purge(s.cache.PurgeAll(context.Background())) }, "MISS"},
		"a purge by a pattern": {func(s *site) { s.purge(s.cache.Purge(context.Background(), store.Purge{Match: "*"})) }, "MISS"},
		"a soft purge":         {func(s *site) { s.purge(s.cache.Purge(context.Background(), store.Purge{Match: "*", Soft: true})) }, "STALE"},
		"a soft purge of a tag": {func(s *site) {
			s.purge(s.cache.Purge(context.Background(), store.Purge{Tags: []string{"t"}, Soft: true}))
		}, "STALE"},
		"an unsafe method": {func(s *site) { s.do("POST", "/") }, "MISS"},
		"a reload":         {func(s *site) { s.get("/", "Cache-Control", "no-cache") }, "HIT"}, // of what is new
	} {
		synctest.Test(t, func(t *testing.T) {
			p := plain
			p.StaleWhileRevalidate = time.Minute
			p.Tags = func(*http.Request) []string { return []string{"t"} }
			var n atomic.Int64
			s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, n.Add(1)) })
			for _, want := range []string{"MISS", "HIT", "HIT", "HIT"} {
				s.get("/").want(t, want, "1")
				time.Sleep(time.Nanosecond) // which of them take the longer way depends on the time
			}
			end.by(s)
			a := s.get("/")
			a.want(t, end.want, "*")
			if (a.text == "1") != (end.want == "STALE") {
				t.Errorf("after %s: %q, %s", name, a.text, a.Header.Get("X-Cache"))
			}
		})
	}
}

func (s *site) purge(_ store.Purged, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

// What keys remember must not keep in memory what the store has dropped.
func TestTheWellKnownAreNotKeptBesideTheStore(t *testing.T) {
	s := limited(t, plain, new(notebook), memstore.Options{Bytes: 1 << 20}, say(strings.Repeat("x", 100<<10)))
	before := measure.Heap()
	for i := range 200 { // 20 MB
		for range 5 {
			s.get(fmt.Sprint("/", i))
		}
	}
	if took := measure.Heap() - before; took > 4<<20 {
		t.Errorf("%d bytes of heap with a budget of a MiB", took)
	}
	runtime.KeepAlive(s)
}

// A key is remembered of the request that it was made of. Who rewrites requests may
// give one its path back while it is answered.
func TestAKeyIsRememberedOfTheRequestAsItCame(t *testing.T) {
	h := newCache(t).Handler(reprise.Policy{Name: "page", TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path)
	}))
	beta := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		r.URL.Path = "/beta" + path
		h.ServeHTTP(writerOf(w, func(http.Header) { r.URL.Path = path }), r)
	})
	for range 3 {
		for want, h := range map[string]http.Handler{"/account": h, "/beta/account": beta} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/account", nil))
			if got := w.Body.String(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// A handler outside of the cache that writes into header values, where it should
// set fields, must not change what the next client gets.
func TestHeaderValuesWrittenToByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &site{t: t, cache: newCache(t, reprise.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))}
		s.Handler = s.cache.Handler(plain)(with(say("x"), "X-Nonce", "NONCE"))
		get := func(nonce string) http.Header {
			w := httptest.NewRecorder()
			h := writerOf(w, func(h http.Header) {
				for _, values := range h {
					for i := range values {
						values[i] = strings.ReplaceAll(values[i], "NONCE", nonce) + nonce
					}
				}
			})
			s.ServeHTTP(h, httptest.NewRequest("GET", "/", nil))
			return w.Result().Header
		}
		for range 3 {
			s.get("/")
		}
		if log.Len() > 0 {
			t.Errorf("logged %s", &log)
		}
		for _, nonce := range []string{"a", "b", "c"} {
			if got := get(nonce); got.Get("X-Nonce") != nonce+nonce || got.Get("X-Cache") != "HIT"+nonce {
				t.Errorf("%s got %v", nonce, got)
			}
			if got := s.get("/").Header; got.Get("X-Nonce") != "NONCE" || got.Get("X-Cache") != "HIT" || strings.HasSuffix(got.Get("Cache-Status"), nonce) {
				t.Errorf("after %s: %v", nonce, got)
			}
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), "copied for each answer"); n != 1 {
			t.Errorf("logged %d times: %s", n, &log)
		}
		// From then on even at the same time.
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				nonce := fmt.Sprint("<", i, ">")
				if got := get(nonce); got.Get("X-Nonce") != nonce+nonce {
					t.Errorf("%s got %v", nonce, got)
				}
			})
		}
		all.Wait()
	})
}

// writerOf is w with a WriteHeader that edits the header first.
func writerOf(w http.ResponseWriter, edit func(http.Header)) http.ResponseWriter {
	return &editing{w, edit}
}

type editing struct {
	http.ResponseWriter
	edit func(http.Header)
}

func (e *editing) WriteHeader(status int) {
	e.edit(e.Header())
	e.ResponseWriter.WriteHeader(status)
}

// An asked counts the look-ups that reach a store.
type asked struct {
	*memstore.Store
	gets atomic.Int64
}

func (a *asked) Get(ctx context.Context, key string) (*store.Item, error) {
	a.gets.Add(1)
	return a.Store.Get(ctx, key)
}

// timings count the requests that were timed.
type timings struct {
	notebook
	timed int
}

func (n *timings) Policy(string) reprise.Requests { return n }

func (n *timings) Request(_ swr.Outcome, _ reprise.Reason, took time.Duration) {
	if took > 0 {
		n.timed++
	}
}

// Of the hits of what is well known about one in 32 reaches the store, which drops
// what nobody asks for, and is timed.
func TestHitsOfTheWellKnownAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := memstore.New(memstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		st, record := &asked{Store: m}, new(timings)
		c, err := reprise.New(st, reprise.WithRecorder(record))
		if err != nil {
			t.Fatal(err)
		}
		h := c.Handler(plain)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
		}))
		const hits = 32 * 100
		r := httptest.NewRequest("GET", "/", nil)
		w := slow{httptest.NewRecorder()}
		for i := range hits + 10 {
			if i == 10 {
				st.gets.Store(0)
				record.timed = 0
			}
			h.ServeHTTP(w, r)
		}
		if n := st.gets.Load(); n < hits/32/2 || n > hits/32*2 || record.timed != int(n) {
			t.Errorf("of %d hits %d reached the store, and %d were timed", hits, n, record.timed)
		}
	})
}

// slow takes a microsecond for a response.
type slow struct{ http.ResponseWriter }

func (w slow) WriteHeader(status int) {
	time.Sleep(time.Microsecond)
	clear(w.Header())
}
