package attacks

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/metrics"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

const (
	crowd  = 50 // clients in parallel
	budget = 1 << 20
)

// An attack is a site and what is done to it: either requests, each of which must
// be answered as without a cache, or a flow that judges for itself.
type attack struct {
	name    string
	policy  reprise.Policy
	handler http.HandlerFunc
	mounts  func(m mounter, h http.Handler)                         // nil: h answers everything
	front   func(next http.Handler) http.Handler                    // outside of the cache
	build   func(wrap func(http.Handler) http.Handler) http.Handler // the whole site, instead of handler

	requests []request
	stored   bool // all requests are answered from the cache in the end
	unstored bool // none ever is

	// flow is called with id 0, 1 and 2 one after another, or with 50 ids at the
	// same time.
	flow func(t *testing.T, s *site, id int)
	// once is called once, with the number of clients at the same time.
	once func(t *testing.T, s *site, clients int)
}

// A mounter is what http.ServeMux and chi have in common.
type mounter interface {
	http.Handler
	Handle(pattern string, h http.Handler)
}

// A setting is where an attack takes place.
type setting struct {
	store, router string
	parallel      bool
}

func (g setting) mode() string {
	if g.parallel {
		return "50 in parallel"
	}
	return "one after another"
}

func settings() (all []setting) {
	for _, st := range []string{"memory", "redis"} {
		for _, router := range []string{"mux", "chi"} {
			all = append(all, setting{st, router, false}, setting{st, router, true})
		}
	}
	return all
}

// A site is a server with a cache in it, under attack.
type site struct {
	setting
	addr      string
	store     store.Store
	cache     *reprise.Cache
	collector *metrics.Collector
	seen      sync.Map // state of handlers, by their own keys
}

func (a *attack) open(t *testing.T, g setting) *site {
	t.Helper()
	c, err := metrics.New(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{setting: g, collector: c, store: openStore(t, g.store)}
	s.cache, err = reprise.New(s.store, reprise.WithRecorder(c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Close(context.Background()) })
	p := a.policy
	p.Name = "page"
	s.addr = serve(t, a.site(g.router, s.cache.Handler(p), s))
	return s
}

// bare is the same site without a cache.
func (a *attack) bare(t *testing.T, g setting) string {
	t.Helper()
	return serve(t, a.site(g.router, func(h http.Handler) http.Handler { return h }, &site{setting: g}))
}

type siteKey struct{}

// siteOf is for handlers with a state.
func siteOf(r *http.Request) *site { return r.Context().Value(siteKey{}).(*site) }

// site is a router with the middleware in its usual place: around a ServeMux,
// and in chi's own chain.
func (a *attack) site(router string, cached func(http.Handler) http.Handler, s *site) http.Handler {
	var h http.Handler
	switch {
	case a.build != nil:
		h = a.build(cached)
	case router == "mux":
		m := http.NewServeMux()
		a.mount(m, "/")
		h = cached(m)
	default:
		m := chi.NewRouter()
		m.Use(cached)
		a.mount(m, "/*")
		h = m
	}
	if a.front != nil {
		h = a.front(h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), siteKey{}, s)))
	})
}

func (a *attack) mount(m mounter, all string) {
	if a.mounts != nil {
		a.mounts(m, a.handler)
		return
	}
	m.Handle(all, a.handler)
}

func serve(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func openStore(t *testing.T, kind string) store.Store {
	t.Helper()
	if kind == "memory" {
		st, err := memstore.New(memstore.Options{Bytes: budget})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	// A busy machine is no attack: Redis has time to answer.
	st, err := redisstore.New(redisstore.Options{
		Addrs: []string{redistest.Addr(t)}, Namespace: "attacks-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		Timeout: 2 * time.Second, LocalBytes: budget,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	redistest.Eventually(t, time.Minute, "the store is connected", func() bool {
		l, err := st.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "connected"}, Hold: time.Second})
		if l != nil {
			_ = l.Release(t.Context())
		}
		return err == nil
	})
	return st
}

// ask sends r, and fails the test where there is no answer.
func (s *site) ask(t *testing.T, r request) *answer {
	t.Helper()
	got, err := send(s.addr, r)
	if err != nil {
		t.Errorf("%s: %v", r.name(), err)
		return &answer{header: make(http.Header)}
	}
	return got
}

// play runs the attack in one setting.
func (a *attack) play(t *testing.T, g setting) {
	switch {
	case a.once != nil:
		clients := 1
		if g.parallel {
			clients = crowd
		}
		a.once(t, a.open(t, g), clients)
	case a.flow != nil && g.parallel:
		s := a.open(t, g)
		atOnce(crowd, func(id int) { a.flow(t, s, id) })
	case a.flow != nil:
		s := a.open(t, g)
		for id := range 3 {
			a.flow(t, s, id)
		}
	default:
		a.compare(t, g)
	}
}

// atOnce calls f n times at the same time.
func atOnce(n int, f func(id int)) {
	var ready, done sync.WaitGroup
	ready.Add(1)
	for id := range n {
		done.Go(func() {
			ready.Wait()
			f(id)
		})
	}
	ready.Done()
	done.Wait()
}

// compare sends the requests to the site with a cache, in several orders, and
// compares each answer with the one from the site without.
func (a *attack) compare(t *testing.T, g setting) {
	want := make([]*answer, len(a.requests))
	bare := a.bare(t, g)
	for i, r := range a.requests {
		got, err := send(bare, r)
		if err != nil {
			t.Fatalf("without a cache: %s: %v", r.name(), err)
		}
		want[i] = got
	}
	orders := [][]int{nil}
	for i := range a.requests {
		orders[0] = append(orders[0], i)
	}
	if !g.parallel { // the victims come first, too
		back := slices.Clone(orders[0])
		slices.Reverse(back)
		orders = append(orders, back)
	}
	for _, order := range orders {
		s := a.open(t, g)
		if g.parallel {
			atOnce(crowd, func(id int) { // each begins with another request
				n := len(order)
				for i := range min(n, 3) {
					a.check(t, s, order[(id+i)%n], want)
				}
			})
		}
		for _, i := range order {
			a.check(t, s, i, want)
		}
		for _, i := range order {
			if got := a.check(t, s, i, want); a.stored && !a.requests[i].free && got.xCache() != "HIT" {
				t.Errorf("not stored, which makes the attack an empty one: %s\n%v", a.requests[i].name(), got)
			}
		}
	}
}

func (a *attack) check(t *testing.T, s *site, i int, want []*answer) *answer {
	r := a.requests[i]
	got := s.ask(t, r)
	switch {
	case r.free:
	case !got.same(want[i]):
		t.Errorf("%s\ngot  %v\nwant %v", r.name(), got, want[i])
	case a.unstored && (got.xCache() == "HIT" || got.xCache() == "STALE"):
		t.Errorf("answered from the cache: %s\n%v", r.name(), got)
	}
	return got
}

// attacks are all of them, by theme.
func attacks() []attack {
	return slices.Concat(keyAttacks(), sharingAttacks(), poisonAttacks(), floodAttacks(), purgeAttacks())
}

func TestAttacks(t *testing.T) {
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			for _, g := range settings() {
				t.Run(fmt.Sprintf("%s/%s/%s", g.store, g.router, g.mode()), func(t *testing.T) { a.play(t, g) })
			}
		})
	}
}
