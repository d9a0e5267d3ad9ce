package middleware_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

// Beyond each limit the handler answers, nothing is stored, and header and
// recorder tell why.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name    string
		limit   func(p *reprise.Policy)
		within  http.HandlerFunc
		beyond  http.HandlerFunc // nil: within, asked by target
		target  string           // of what is beyond
		outcome string
		reason  reprise.Reason
	}{
		{name: "Body", limit: func(p *reprise.Policy) { p.Limits.Body = 10 }, within: say("0123456789"), beyond: say("0123456789a"), reason: reprise.ReasonSize},
		{name: "Body, promised", limit: func(p *reprise.Policy) { p.Limits.Body = 10 }, within: with(say("0123456789"), "Content-Length", "10"), beyond: with(say("0123456789a"), "Content-Length", "11"), reason: reprise.ReasonSize},
		{name: "Header", limit: func(p *reprise.Policy) { p.Limits.Header = 100 }, within: with(say("x"), "X-A", strings.Repeat("a", 93)), beyond: with(say("x"), "X-A", strings.Repeat("a", 94)), reason: reprise.ReasonSize},
		{name: "VaryOn", limit: func(p *reprise.Policy) { p.Limits.VaryOn = 2 }, within: with(say("x"), "Vary", "A, B"), beyond: with(say("x"), "Vary", "A, B, C"), reason: reprise.ReasonVaryOn},
		{name: "Tags", limit: func(p *reprise.Policy) { p.Limits.Tags = 2 }, within: withTags("a", "b", "a"), beyond: withTags("a", "b", "c"), reason: reprise.ReasonTags},
		{name: "a tag", within: withTags(strings.Repeat("t", 256)), beyond: withTags(strings.Repeat("t", 257)), reason: reprise.ReasonTags},
		{name: "Key", limit: func(p *reprise.Policy) {
			p.Limits.Key = 5
			p.Key = func(dst []byte, r *http.Request) ([]byte, error) { return append(dst, r.URL.Path...), nil }
		}, within: say("x"), target: "/12345", outcome: "bypass", reason: reprise.ReasonKey},
		{name: "Key, by default", limit: func(p *reprise.Policy) { p.Limits.Key = 60 }, within: say("x"), target: "/" + strings.Repeat("1", 60), outcome: "bypass", reason: reprise.ReasonKey},
		{name: "memory", within: say("x"), beyond: say(strings.Repeat("x", 8<<10)), reason: reprise.ReasonSize},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plain
			if tt.limit != nil {
				tt.limit(&p)
			}
			var notes notebook
			s := limited(t, p, &notes, memstore.Options{Bytes: 64 << 10}, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/beyond" {
					tt.beyond(w, r)
					return
				}
				tt.within(w, r)
			})
			s.get("/in")
			s.get("/in").want(t, "HIT", "*")
			if tt.target == "" {
				tt.target, tt.outcome = "/beyond", "miss"
			}
			for range 2 {
				a := s.get(tt.target)
				a.want(t, strings.ToUpper(tt.outcome), "*")
				a.because(t, tt.reason)
			}
			if n := notes.count(tt.outcome + " " + tt.reason.String()); n != 2 {
				t.Errorf("recorded %q", notes.lines)
			}
		})
	}
}

// limited is a site with a recorder, on a store with options of its own.
func limited(t *testing.T, p reprise.Policy, notes *notebook, o memstore.Options, h http.HandlerFunc, opts ...reprise.Option) *site {
	t.Helper()
	st, err := memstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t}
	if s.cache, err = reprise.New(st, append(opts, reprise.WithRecorder(notes))...); err != nil {
		t.Fatal(err)
	}
	s.Handler = s.cache.Handler(p)(h)
	return s
}

func withTags(tags ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reprise.Tag(r.Context(), tags...)
		fmt.Fprint(w, "x")
	}
}

// because checks the detail of Cache-Status.
func (a answer) because(t *testing.T, why reprise.Reason) {
	t.Helper()
	if got := a.Header.Get("Cache-Status"); !strings.HasSuffix(got, "; detail="+why.String()) {
		t.Errorf("Cache-Status = %q, want the detail %s", got, why)
	}
}

func (n *notebook) count(line string) (times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lines {
		if l == line {
			times++
		}
	}
	return times
}

func TestLimitsOfVariants(t *testing.T) {
	p := plain
	p.Limits.Variants, p.Limits.Selected = 2, 20
	var notes notebook
	s := limited(t, p, &notes, memstore.Options{}, with(say("x"), "Vary", "X-A"))
	for _, by := range []string{"a", "b"} {
		s.get("/", "X-A", by)
		s.get("/", "X-A", by).want(t, "HIT", "x")
	}
	for _, by := range []string{"c", strings.Repeat("long", 10)} {
		for range 2 {
			a := s.get("/", "X-A", by)
			a.want(t, "MISS", "x")
			a.because(t, reprise.ReasonVaryOn)
		}
	}
	if n := notes.count("miss vary"); n != 4 {
		t.Errorf("recorded %q", notes.lines)
	}
}

func TestLimitOfWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.Limits.Waiters = 3
		var notes notebook
		s := limited(t, p, &notes, memstore.Options{}, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			fmt.Fprint(w, "x")
		})
		var alone sync.Map
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				if a := s.get("/"); strings.HasSuffix(a.Header.Get("Cache-Status"), "; detail=waiters") {
					alone.Store(i, a)
				}
			})
		}
		all.Wait()
		n := 0
		alone.Range(func(_, a any) bool {
			a.(answer).want(t, "MISS", "x")
			n++
			return true
		})
		if n != 6 || notes.count("miss waiters") != 6 || notes.count("collapsed uri-miss") != 3 {
			t.Errorf("%d are one too many to wait; recorded %q", n, notes.lines)
		}
		s.get("/").want(t, "HIT", "x")
	})
}

func TestLimitOfRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.StaleWhileRevalidate = time.Hour
		var notes notebook
		s := limited(t, p, &notes, memstore.Options{}, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			fmt.Fprint(w, "x")
		}, reprise.WithRefreshWorkers(2))
		pages := []string{"/a", "/b", "/c"}
		for _, page := range pages {
			s.get(page)
		}
		time.Sleep(2 * p.TTL)
		for i, page := range slices.Concat(pages, pages) {
			a := s.get(page)
			a.want(t, "STALE", "x")
			if page == "/c" {
				a.because(t, reprise.ReasonRefreshes)
			} else if got := a.Header.Get("Cache-Status"); strings.Contains(got, "detail") {
				t.Errorf("request %d: Cache-Status = %q", i, got)
			}
		}
		if notes.count("stale refreshes") != 2 || notes.count("stale stale") != 4 {
			t.Errorf("recorded %q", notes.lines)
		}
		time.Sleep(2 * time.Second)
		s.get("/a").want(t, "HIT", "x")
		s.get("/c").want(t, "STALE", "x")
		time.Sleep(2 * time.Second)
		s.get("/c").want(t, "HIT", "x")
	})
}

// A policy's limit counts where another policy has made the response well known.
func TestTheLimitOfKeysIsThePolicysOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, say("x"))
		short := plain
		short.Name, short.Limits.Key = "short", 40
		b := &site{t: t, cache: s.cache, Handler: s.cache.Handler(short)(say("b"))}
		long := "/" + strings.Repeat("p", 80)
		for _, of := range []*site{b, s, s, s, b, b, b, b} {
			time.Sleep(time.Nanosecond)
			a := of.get(long)
			if of == b {
				a.want(t, "BYPASS", "b")
			}
		}
	})
}
