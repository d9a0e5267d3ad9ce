package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/swr"
)

// A frail store fails when it is told to.
type frail struct {
	store.Store
	broken bool
}

func (f *frail) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	lease, err := f.Store.Acquire(ctx, c)
	if f.broken && err == nil {
		return brokenLease{lease}, nil
	}
	return lease, err
}

func (f *frail) Local(slot store.Slot) bool { return f.Store.(store.Locator).Local(slot) }

type brokenLease struct{ store.Lease }

func (f brokenLease) Commit(ctx context.Context, _ ...store.Entry) error {
	_ = f.Release(ctx)
	return errors.New("out of order")
}

// A bench is a site whose answers are looked at from all sides.
type bench struct {
	*site
	st      *frail
	notes   notebook
	log     bytes.Buffer
	failing atomic.Bool
}

func newBench(t *testing.T, p reprise.Policy, h http.HandlerFunc) *bench {
	t.Helper()
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{site: &site{t: t}, st: &frail{Store: st}}
	logger := slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.cache, err = reprise.New(b.st, reprise.WithRecorder(&b.notes), reprise.WithLogger(logger), reprise.WithRefreshWorkers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.cache.Close(context.Background()) })
	b.Handler = b.cache.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.runs.Add(1)
		h(w, r)
	}))
	return b
}

// asks returns a request with header fields given in pairs.
func asks(method, target string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// Every Reason comes about, and the answer's Cache-Status, what is recorded, what is
// logged and what is explained have it alike.
func TestReasonsAreTheSameEverywhere(t *testing.T) {
	fresh := func(h http.HandlerFunc, fields ...string) http.HandlerFunc {
		return with(h, append(fields, "Cache-Control", "max-age=60")...)
	}
	// A request of method, "" is GET, for /, with fields, that ends with the reason. What
	// comes before it, and around it, is do's.
	cases := map[reprise.Reason]struct {
		policy     func(p *reprise.Policy)
		handler    http.HandlerFunc
		method     string
		fields     []string
		length     int64 // of the request
		do         func(b *bench, last func())
		unforeseen bool // an event, which an explanation tells of afterwards alone
		logged     bool // not at Debug alone
	}{
		reprise.ReasonMethod:      {method: "POST"},
		reprise.ReasonBody:        {length: 3},
		reprise.ReasonOverride:    {fields: []string{"X-Http-Method-Override", "DELETE"}},
		reprise.ReasonUpgrade:     {fields: []string{"Upgrade", "websocket"}},
		reprise.ReasonEventStream: {fields: []string{"Accept", "text/event-stream"}},
		reprise.ReasonCondition:   {policy: func(p *reprise.Policy) { p.Condition = func(*http.Request) bool { return false } }},
		reprise.ReasonKey: {policy: func(p *reprise.Policy) {
			p.Key = func(dst []byte, _ *http.Request) ([]byte, error) { return dst, errors.New("no tenant") }
		}, logged: true},
		reprise.ReasonCookie: {policy: func(p *reprise.Policy) { p.Cookies.Bypass = []string{"sid"} }, fields: []string{"Cookie", "sid=1"}},

		reprise.ReasonURI: {},
		reprise.ReasonVary: {handler: with(say("x"), "Vary", "X-A"), fields: []string{"X-A", "2"}, do: func(b *bench, last func()) {
			b.get("/", "X-A", "1")
			last()
		}},
		reprise.ReasonStale: {policy: func(p *reprise.Policy) { p.StaleIfError = time.Hour }, do: func(b *bench, last func()) {
			b.get("/")
			time.Sleep(2 * time.Minute)
			last()
		}},
		reprise.ReasonRequest: {fields: []string{"Cache-Control", "no-cache"}, do: func(b *bench, last func()) {
			b.get("/")
			time.Sleep(time.Second)
			last()
		}},
		reprise.ReasonPartial: {
			handler: fresh(func(w http.ResponseWriter, r *http.Request) {
				http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader("0123456789"))
			}, "Etag", `"1"`),
			policy: func(p *reprise.Policy) { p.TTL = 0 }, fields: []string{"Range", "bytes=6-8"},
			do: func(b *bench, last func()) {
				b.get("/", "Range", "bytes=2-4")
				last()
			},
		},

		reprise.ReasonRequestNoStore: {fields: []string{"Cache-Control", "no-store"}},
		reprise.ReasonNoStore:        {handler: with(say("x"), "Cache-Control", "no-store")},
		reprise.ReasonNoCache:        {handler: with(say("x"), "Cache-Control", "no-cache")},
		reprise.ReasonPrivate:        {handler: with(say("x"), "Cache-Control", "private")},
		reprise.ReasonStatus:         {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) }},
		reprise.ReasonNoFreshness:    {policy: func(p *reprise.Policy) { p.TTL = 0 }},
		reprise.ReasonAuthorization:  {fields: []string{"Authorization", "Basic x"}},
		reprise.ReasonCookies:        {fields: []string{"Cookie", "sid=1"}},
		reprise.ReasonSetCookie:      {handler: with(say("x"), "Set-Cookie", "sid=1"), logged: true},
		reprise.ReasonVaryOn:         {handler: with(say("x"), "Vary", "*"), logged: true},
		reprise.ReasonSize:           {policy: func(p *reprise.Policy) { p.Limits.Body = 1 }, handler: say("xx"), logged: true},
		reprise.ReasonStream:         {handler: with(say("x"), "Content-Type", "text/event-stream")},
		reprise.ReasonTags:           {handler: withTags(""), logged: true},
		reprise.ReasonTruncated:      {handler: with(say("x"), "Content-Length", "2"), logged: true},
		reprise.ReasonOvertaken: {unforeseen: true, handler: func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			say("x")(w, r)
		}, do: func(b *bench, last func()) {
			go func() {
				time.Sleep(time.Second / 2)
				_, _ = b.cache.PurgeAll(context.Background())
			}()
			last()
		}},
		reprise.ReasonStore: {unforeseen: true, logged: true, do: func(b *bench, last func()) {
			b.st.broken = true
			last()
		}},
		reprise.ReasonWaiters: {unforeseen: true, logged: true, policy: func(p *reprise.Policy) { p.Limits.Waiters = 1 },
			handler: func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second)
				say("x")(w, r)
			},
			do: func(b *bench, last func()) {
				var others sync.WaitGroup
				for range 2 { // one makes it, one waits
					others.Go(func() { b.get("/") })
					synctest.Wait()
				}
				last()
				others.Wait()
			}},
		reprise.ReasonError: {logged: true, policy: func(p *reprise.Policy) { p.StaleIfError = time.Hour },
			handler: func(w http.ResponseWriter, r *http.Request) { say("x")(w, r) },
			do: func(b *bench, last func()) {
				b.get("/")
				time.Sleep(2 * time.Minute)
				b.st.broken = false
				b.failing.Store(true)
				last()
			}},
		reprise.ReasonRefreshes: {unforeseen: true, logged: true, policy: func(p *reprise.Policy) { p.StaleWhileRevalidate = time.Hour },
			handler: func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second)
				say("x")(w, r)
			},
			do: func(b *bench, last func()) {
				b.get("/")
				b.get("/other")
				time.Sleep(2 * time.Minute)
				b.get("/other")
				last()
				time.Sleep(2 * time.Second)
			}},
	}
	if len(cases) != int(reprise.NumReasons)-1 { // but for ReasonNone
		t.Errorf("%d cases of %d reasons", len(cases), reprise.NumReasons-1)
	}
	for why, c := range cases {
		t.Run(why.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := plain
				if c.policy != nil {
					c.policy(&p)
				}
				if c.handler == nil {
					c.handler = say("x")
				}
				if c.method == "" {
					c.method = "GET"
				}
				if c.do == nil {
					c.do = func(_ *bench, last func()) { last() }
				}
				var b *bench
				b = newBench(t, p, func(w http.ResponseWriter, r *http.Request) {
					if b.failing.Load() {
						w.WriteHeader(http.StatusServiceUnavailable)
						return
					}
					c.handler(w, r)
				})
				request := func() *http.Request {
					r := asks(c.method, "/", c.fields...)
					r.ContentLength = c.length
					return r
				}
				c.do(b, func() {
					before := b.cache.Explain(b, request(), !c.unforeseen)
					if !c.unforeseen && before.Reason != why {
						t.Errorf("explained beforehand: %+v", before)
					}
					b.notes.clear()
					b.log.Reset()
					w := httptest.NewRecorder()
					b.ServeHTTP(w, request())
					status := w.Header().Get("Cache-Status")
					if !strings.Contains(status, "fwd="+why.String()) && !strings.HasSuffix(status, "; detail="+why.String()) {
						t.Errorf("Cache-Status = %q", status)
					}
					if before.Tried != nil && before.Tried.Header.Get("Cache-Status") != status {
						t.Errorf("Cache-Status = %q, and foretold was %q", status, before.Tried.Header.Get("Cache-Status"))
					}
				})
				if !b.notes.has(why.String()) {
					t.Errorf("recorded %q", b.notes.lines)
				}
				if !strings.Contains(b.log.String(), "reason="+why.String()+" ") {
					t.Errorf("logged %q", b.log.String())
				}
				if warned := strings.Contains(b.log.String(), "level=WARN"); warned != c.logged {
					t.Errorf("logged %q", b.log.String())
				}
				after := b.cache.Explain(b, request(), false)
				told := after.Reason == why
				for _, e := range after.Recent {
					told = told || e.Reason == why
				}
				if !told {
					t.Errorf("explained afterwards: %+v", after)
				}
			})
		})
	}
}

func (n *notebook) clear() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = nil
}

// has tells whether a line ends with a word.
func (n *notebook) has(word string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lines {
		if strings.HasSuffix(l, " "+word) {
			return true
		}
	}
	return false
}

// What is explained is what is stored and what would be done, and nothing of it counts.
func TestExplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.StaleWhileRevalidate, p.StaleIfError = time.Minute, time.Hour
		b := newBench(t, p, func(w http.ResponseWriter, r *http.Request) {
			reprise.Tag(r.Context(), "b", "a")
			w.Header().Set("Vary", "Accept-Language")
			fmt.Fprint(w, "hello ", r.Header.Get("Accept-Language"))
		})
		explain := func(try bool, method, target string, fields ...string) *reprise.Explanation {
			t.Helper()
			e := b.cache.Explain(b, asks(method, target, fields...), try)
			if e.Policy != "plain" || e.Err != "" || e.Status != 0 {
				t.Errorf("%+v", e)
			}
			return e
		}

		e := explain(false, "GET", "/a?x=1", "Accept-Language", "de")
		if e.Outcome != swr.Miss || e.Reason != reprise.ReasonURI || !e.Together || e.Entry != nil || e.Tried != nil || b.runs.Load() != 0 {
			t.Errorf("%+v", e)
		}
		if e.Key != "GET|http|example.com|/a|x=1" || len(e.Parts) != 5 || e.Parts[4] != (keyfunc.Part{Name: "query", Value: "x=1"}) {
			t.Errorf("%q, %v", e.Key, e.Parts)
		}

		e = explain(true, "GET", "/a", "Accept-Language", "de")
		if tried := e.Tried; tried == nil || tried.Status != 200 || tried.Body != len("hello de") || !tried.Stored || tried.Fresh != time.Minute ||
			tried.Stale != time.Minute || tried.Error != time.Hour || !slices.Equal(tried.Tags, []string{"a", "b"}) || !slices.Equal(tried.Selects, []string{"Accept-Language"}) ||
			tried.Header.Get("X-Cache") != "MISS" || b.runs.Load() != 1 {
			t.Errorf("%+v, %+v", e, tried)
		}
		if a := b.get("/a", "Accept-Language", "de"); a.Header.Get("X-Cache") != "MISS" {
			t.Error("what was tried was stored")
		}

		time.Sleep(10 * time.Second)
		e = explain(true, "GET", "/a", "Accept-Language", "de")
		born := time.Now().Add(-10 * time.Second)
		if x := e.Entry; e.Outcome != swr.Hit || e.Reason != reprise.ReasonNone || e.Tried != nil || x == nil || x.Tier != "memory" || x.State != "fresh" || x.Status != 200 ||
			x.Age != 10*time.Second || !x.Born.Equal(born) || x.Fresh != time.Minute || x.Body != len("hello de") || !slices.Equal(x.Tags, []string{"a", "b"}) ||
			!slices.Equal(x.Markers, []string{"implicit freshness", "generated ETag"}) || x.Expires.Before(born.Add(time.Hour)) {
			t.Errorf("%+v, %+v", e, x)
		}
		if e.Variant == "" || !slices.Equal(e.Selects, []string{"Accept-Language"}) || e.Selected == "" {
			t.Errorf("%+v", e)
		}
		if len(e.Recent) != 1 || e.Recent[0].Outcome != swr.Miss || e.Recent[0].Reason != reprise.ReasonURI {
			t.Errorf("%+v", e.Recent)
		}
		if other := explain(false, "GET", "/a", "Accept-Language", "en"); other.Reason != reprise.ReasonVary || other.Entry != nil {
			t.Errorf("%+v", other)
		}
		if head := explain(true, "HEAD", "/a", "Accept-Language", "de"); head.Outcome != swr.Hit {
			t.Errorf("%+v", head)
		}

		time.Sleep(time.Minute)
		if e = explain(true, "GET", "/a", "Accept-Language", "de"); e.Outcome != swr.HitStale || e.Reason != reprise.ReasonStale || e.Entry.State != "stale" {
			t.Errorf("%+v", e)
		}
		synctest.Wait()
		if b.runs.Load() != 2 {
			t.Error("an explanation has refreshed")
		}
		if _, err := b.cache.Purge(t.Context(), store.Purge{Keys: []string{e.Key}, Soft: true}); err != nil {
			t.Fatal(err)
		}
		if e = explain(false, "GET", "/a", "Accept-Language", "de"); e.Entry == nil || !slices.Contains(e.Entry.Markers, "purged softly") {
			t.Errorf("%+v", e)
		}
		if b.notes.count("hit none") != 0 || b.notes.count("miss uri-miss") != 1 {
			t.Errorf("explanations were counted: %q", b.notes.lines)
		}
	})
}

// A POST is explained and not carried out, and no policy is looked for in vain.
func TestExplainChangesNothing(t *testing.T) {
	s := newSite(t, plain, say("x"))
	router := chi.NewRouter()
	var posts, others atomic.Int64
	router.With(s.cache.Handler(reprise.Policy{Name: "items", TTL: time.Minute})).Get("/items/{id}", say("item"))
	router.Post("/items/{id}", func(http.ResponseWriter, *http.Request) { posts.Add(1) })
	router.Get("/other", func(w http.ResponseWriter, _ *http.Request) { others.Add(1); w.WriteHeader(http.StatusTeapot) })
	router.With(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}, s.cache.Handler(reprise.Policy{Name: "guarded"})).Get("/guarded", say("secret"))

	for _, c := range []struct {
		method, path string
		fields       []string
		policy       string
		outcome      swr.Outcome
		reason       reprise.Reason
		status       int
	}{
		{"GET", "/items/1", nil, "items", swr.Miss, reprise.ReasonURI, 0},
		{"POST", "/items/1", nil, "items", swr.Bypass, reprise.ReasonMethod, 0},
		{"DELETE", "/items/1", nil, "items", swr.Bypass, reprise.ReasonMethod, 0},
		{"GET", "/other", nil, "", swr.Bypass, reprise.ReasonNone, http.StatusTeapot},
		{"GET", "/none", nil, "", swr.Bypass, reprise.ReasonNone, http.StatusNotFound},
		{"GET", "/guarded", nil, "", swr.Bypass, reprise.ReasonNone, http.StatusUnauthorized},
		{"GET", "/guarded", []string{"Authorization", "Basic x"}, "guarded", swr.Miss, reprise.ReasonURI, 0},
		{"GET", "/items/1", []string{"Cache-Control", "only-if-cached"}, "items", swr.Miss, reprise.ReasonURI, 0},
	} {
		e := s.cache.Explain(router, asks(c.method, c.path, c.fields...), c.method != "GET")
		if e.Policy != c.policy || e.Outcome != c.outcome || e.Reason != c.reason || e.Status != c.status {
			t.Errorf("%s %s: %+v", c.method, c.path, e)
		}
		if slices.Contains(c.fields, "only-if-cached") && e.Together {
			t.Errorf("%+v", e)
		}
	}
	if posts.Load() != 0 || others.Load() != 1 {
		t.Errorf("%d POSTs were carried out, a GET without a policy %d times", posts.Load(), others.Load())
	}
}

// An explanation spends none of the reloads that clients have.
func TestExplainForcesNoReload(t *testing.T) {
	p := plain
	p.Limits.Reloads = 1
	inBubble(t, p, say("x"), func(s *site) {
		s.get("/")
		time.Sleep(time.Second)
		for range 3 {
			if e := s.cache.Explain(s, asks("GET", "/", "Cache-Control", "no-cache"), false); e.Reason != reprise.ReasonRequest {
				t.Errorf("%+v", e)
			}
		}
		s.get("/", "Cache-Control", "no-cache").want(t, "MISS", "x")
		time.Sleep(time.Second)
		if e := s.cache.Explain(s, asks("GET", "/", "Cache-Control", "no-cache"), false); e.Outcome != swr.Hit {
			t.Errorf("%+v: it has none left", e)
		}
	})
}

// What is explained reads well as JSON.
func TestExplanationsAreJSON(t *testing.T) {
	s := newSite(t, plain, say("x"))
	s.get("/")
	text, err := json.Marshal(s.cache.Explain(s, asks("GET", "/"), false))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"policy":"plain"`, `"outcome":"hit"`, `"reason":"none"`, `"fresh_ns":60000000000`, `"reason":"uri-miss"`, `{"name":"host","value":"example.com"}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// A Reason is logged once a minute, with how many there were, and no key above Debug.
func TestNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, plain, with(say("x"), "Set-Cookie", "sid=secret"))
		for i := range 5 {
			b.get(fmt.Sprintf("/secret/%d", i))
		}
		time.Sleep(time.Minute)
		b.get("/secret")
		var warned []string
		for line := range strings.Lines(b.log.String()) {
			if strings.Contains(line, "level=WARN") {
				warned = append(warned, line)
			}
		}
		if len(warned) != 2 || !strings.Contains(warned[0], "policy=plain outcome=miss reason=set-cookie more=0") || !strings.Contains(warned[1], "more=4") {
			t.Errorf("logged %q", warned)
		}
		if strings.Contains(strings.Join(warned, ""), "secret") {
			t.Errorf("logged %q", warned)
		}
	})
}

// What was explained stays as it was, whatever is asked for before it is read.
func TestExplainedPartsStayTheSame(t *testing.T) {
	cache := newCache(t)
	h := cache.Handler(reprise.Policy{Name: "page", TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") }))
	ask := func() {
		for range 20 {
			h.ServeHTTP(httptest.NewRecorder(), asks("GET", "/zzzz", "X-Forwarded-Host", "evil"))
		}
	}
	ask()
	e := cache.Explain(h, asks("GET", "/aaaa", "X-Forwarded-Host", "good"), false)
	before := fmt.Sprint(e.Parts)
	ask()
	if after := fmt.Sprint(e.Parts); after != before || !strings.Contains(after, "good") {
		t.Errorf("%s has become %s", before, after)
	}
}
