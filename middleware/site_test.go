package middleware_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

// The second hit takes the way of the well known, in all tests of this package;
// those of others take the longer way more often.
func TestMain(m *testing.M) {
	reprise.SetWellKnown(1)
	goleak.VerifyTestMain(m)
}

// plain is a policy that ignores nothing and lives for a minute.
var plain = reprise.Policy{Name: "plain", TTL: time.Minute, Jitter: -1}

// A site is one handler behind the cache, and counts its runs.
type site struct {
	t     *testing.T
	cache *reprise.Cache
	http.Handler
	runs atomic.Int64
}

func newCache(t testing.TB, opts ...reprise.Option) *reprise.Cache {
	t.Helper()
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := reprise.New(st, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return cache
}

func newSite(t *testing.T, p reprise.Policy, handler http.HandlerFunc) *site {
	t.Helper()
	s := &site{t: t, cache: newCache(t)}
	s.Handler = s.cache.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		handler(w, r)
	}))
	return s
}

// An answer is what a client got.
type answer struct {
	*http.Response
	text string
}

// do sends a request with header fields given in pairs.
func (s *site) do(method, target string, fields ...string) answer {
	s.t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return answer{w.Result(), w.Body.String()}
}

func (s *site) get(target string, fields ...string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, target, fields...)
}

// want checks X-Cache and, if not "*", the body.
func (a answer) want(t *testing.T, xCache, text string) {
	t.Helper()
	if got := a.Header.Get("X-Cache"); got != xCache {
		t.Errorf("X-Cache = %q, want %q (Cache-Status: %q)", got, xCache, a.Header["Cache-Status"])
	}
	if text != "*" && a.text != text {
		t.Errorf("body = %q, want %q", a.text, text)
	}
}

func (s *site) wantRuns(n int64) {
	s.t.Helper()
	if got := s.runs.Load(); got != n {
		s.t.Errorf("the handler ran %d times, want %d", got, n)
	}
}

// say answers with text.
func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text)) }
}

// with sets header fields, given in pairs and spelt as given, before h.
func with(h http.HandlerFunc, fields ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(fields); i += 2 {
			w.Header()[fields[i]] = append(w.Header()[fields[i]], fields[i+1])
		}
		h(w, r)
	}
}

// inBubble tests a site in a synctest bubble.
func inBubble(t *testing.T, p reprise.Policy, h http.HandlerFunc, test func(s *site)) {
	synctest.Test(t, func(t *testing.T) { test(newSite(t, p, h)) })
}

// try is do, and tells what the handler's stack panicked with.
func (s *site) try(method, target string, fields ...string) (a answer, panicked any) {
	defer func() { panicked = recover() }()
	return s.do(method, target, fields...), nil
}
