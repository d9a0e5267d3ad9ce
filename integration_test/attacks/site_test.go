package attacks

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
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
	budget = 2 << 20
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

	over   protocol
	stores []string // where it is played; nil: on all
	alone  bool     // it takes times or sizes, so that no other attack runs beside it

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

// settings are all that a may take place in, with ATTACKS_LONG, and else every pair of
// a store, a router and a mode.
func (a *attack) settings() (all []setting) {
	stores, routers := a.stores, []string{"mux", "chi"}
	if stores == nil {
		stores = []string{"memory", "redis"}
	}
	if a.over == overHTTP2 { // which no router knows of
		routers = routers[:1]
	}
	for i, st := range stores {
		for j, router := range routers {
			for k, parallel := range []bool{false, true} {
				if long || len(routers)*len(stores) == 1 || (i+j+k)%2 == 0 {
					all = append(all, setting{st, router, parallel})
				}
			}
		}
	}
	return all
}

var long = os.Getenv("ATTACKS_LONG") != ""

// A site is a server with a cache in it, under attack.
type site struct {
	setting
	*server
	store     store.Store
	namespace string // of the store, in Redis
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
	s := &site{setting: g, collector: c, namespace: "attacks-" + rand.Text()}
	s.store = openStore(t, g.store, s.namespace)
	s.cache, err = reprise.New(s.store, reprise.WithRecorder(c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Close(context.Background()) })
	p := a.policy
	p.Name = "page"
	s.server = serve(t, a.site(g.router, s.cache.Handler(p), s), a.over)
	return s
}

// bare is the same site without a cache.
func (a *attack) bare(t *testing.T, g setting) *server {
	t.Helper()
	return serve(t, a.site(g.router, func(h http.Handler) http.Handler { return h }, &site{setting: g}), a.over)
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

func openStore(t *testing.T, kind, namespace string) store.Store {
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
		Addrs: []string{redistest.Addr(t)}, Namespace: namespace, Timeout: 5 * time.Second, LocalBytes: budget,
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
	got, err := s.send(r)
	if err != nil {
		t.Errorf("%s: %v", r.name(), err)
		return &answer{header: make(http.Header)}
	}
	return got
}

// byName orders attacks that come out of a map.
func byName(a, b attack) int { return strings.Compare(a.name, b.name) }

// attacks are all of them, by theme.
func attacks() []attack {
	return slices.Concat(keyAttacks(), sharingAttacks(), poisonAttacks(), floodAttacks(), uniqueAttacks(), turnedAttacks(), purgeAttacks(), overHTTP2Attacks(), frameAttacks())
}

func TestAttacks(t *testing.T) {
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			besides := func(t *testing.T) {
				if !a.alone {
					t.Parallel()
				}
			}
			besides(t)
			for _, g := range a.settings() {
				t.Run(fmt.Sprintf("%s/%s/%s", g.store, g.router, g.mode()), func(t *testing.T) {
					besides(t)
					a.play(t, g)
				})
			}
		})
	}
}
