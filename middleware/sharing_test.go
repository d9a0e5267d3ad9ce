package middleware_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

// Two policies of one Cache on one request's way: r.Use for the group, r.With
// for the route.
func TestNestedPoliciesDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		r := chi.NewRouter()
		r.Use(cache.Handler(named("outer")))
		r.With(cache.Handler(named("inner"))).Get("/x", say("x"))
		began := time.Now()
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		if took := time.Since(began); took > 0 || w.Body.String() != "x" {
			t.Errorf("%q after %v", w.Body.String(), took)
		}
	})
}

func TestNestedPoliciesRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		h, _ := counting()
		outer, inner := staleWindows(), staleWindows()
		outer.Name, inner.Name = "outer", "inner"
		r := chi.NewRouter()
		r.Use(cache.Handler(outer))
		r.With(cache.Handler(inner)).Get("/x", h)
		get := func() string {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
			return w.Body.String()
		}
		get()
		time.Sleep(12 * time.Second)
		get()
		time.Sleep(7 * time.Second)
		if got := get(); got != "2" {
			t.Errorf("got %q 7 s after the refresh began, want 2", got)
		}
		synctest.Wait()
	})
}

func TestTagsReachEveryCacheAround(t *testing.T) {
	outer, inner := newCache(t), newCache(t)
	n := 0
	h := outer.Handler(named("outer"))(inner.Handler(named("inner"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		reprise.Tag(r.Context(), "t")
		fmt.Fprint(w, n)
	})))
	get := func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Body.String()
	}
	get()
	for _, c := range []*reprise.Cache{inner, outer} {
		if _, err := c.PurgeTags(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
	}
	if got := get(); got != "2" {
		t.Errorf("got %q after the purge, want 2", got)
	}
}

// The leader's pooled exchange must not be another client's when a handler's
// leftover goroutine writes.
func TestALateWriteDoesNotReachAnotherClient(t *testing.T) {
	var late http.ResponseWriter
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private")
		if r.URL.Path == "/first" {
			late = w
			fmt.Fprint(w, "mine")
			return
		}
		fmt.Fprint(w, "yours")
		_, _ = late.Write([]byte("SECRET"))
	})
	for range 50 { // the race detector makes sync.Pool forget some
		s.get("/first")
		if a := s.get("/second"); strings.Contains(a.text, "SECRET") {
			t.Fatalf("the second client got %q", a.text)
		}
	}
}

// A handler that ends early because its time was over has not made a whole
// answer (G6).
func TestWhatEndsWithTheFillTimeoutIsNotStored(t *testing.T) {
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := plain
			p.Limits.Fill = time.Second
			n := 0
			s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
				n++
				if n > 1 {
					fmt.Fprint(w, "whole")
					return
				}
				if !silent {
					fmt.Fprint(w, "ha")
				}
				<-r.Context().Done() // as database/sql does
			})
			s.get("/")
			s.get("/").want(t, "MISS", "whole")
		})
	}
}

// What a handler does to its request's fields must not choose whose stored
// response stands in for its failure.
func TestARescueAfterAHandlerThatChangesItsRequestIsTheCallersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := staleWindows()
		p.Vary = []string{"X-Tenant"}
		mode := "ok"
		s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
			tenant := r.Header.Get("X-Tenant")
			switch mode {
			case "unshared": // from here on the next two seconds' requests fill alone
				w.Header().Set("Set-Cookie", "a=b")
			case "failing":
				r.Header.Set("X-Tenant", "b") // as a proxy that impersonates would
				http.Error(w, "broken", 503)
				return
			}
			fmt.Fprint(w, tenant)
		})
		s.get("/", "X-Tenant", "a").want(t, "MISS", "a")
		s.get("/", "X-Tenant", "b").want(t, "MISS", "b")
		time.Sleep(40 * time.Second)
		mode = "unshared"
		s.get("/", "X-Tenant", "a").want(t, "MISS", "a")
		mode = "failing"
		s.get("/", "X-Tenant", "a").want(t, "STALE", "a")
	})
}

// A cookie that net/http's parser refuses still reaches the handler, and the
// program behind a ReverseProxy.
func TestACookieThatGoRefusesCounts(t *testing.T) {
	personal := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "for ", r.Header.Get("Cookie")) }
	for _, cookie := range []string{`session=caf` + "\xc3\xa9", `session=a"b`, `session=a\b`} {
		bypass, vary := plain, plain
		bypass.Cookies.Bypass = []string{"session"}
		vary.Cookies.Vary = []string{"session"}
		for name, p := range map[string]reprise.Policy{"Bypass": bypass, "Vary": vary} {
			s := newSite(t, p, personal)
			s.get("/", "Cookie", cookie)
			if a := s.get("/"); a.text != "for " {
				t.Errorf("%s: a client without cookies got %q", name, a.text)
			}
		}
	}
}

// PurgeURL finds what a key function has put under one key for many URLs.
func TestPurgeURLFindsAnEntryThatAnotherURLFilled(t *testing.T) {
	for name, c := range map[string]struct {
		parts               keyfunc.Parts
		filled, purged, ask string
	}{
		"IgnoreQuery":             {keyfunc.Parts{IgnoreQuery: true}, "/p?utm=1", "http://example.com/p?utm=2", "/p?utm=2"},
		"IgnoreQuery and a text":  {keyfunc.Parts{IgnoreQuery: true, Text: "v2"}, "/p?utm=1", "http://example.com/p", "/p"},
		"OnlyQuery and a cookie":  {keyfunc.Parts{OnlyQuery: []string{"id"}, Cookies: []string{"lang"}}, "/p?id=1&utm=1", "http://example.com/p?id=1", "/p?id=1"},
		"IgnoreQuery and forward": {keyfunc.Parts{IgnoreQuery: true, Headers: []string{"X-Country"}}, "/p?utm=1", "http://example.com/p", "/p"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plain
			p.Key = keyfunc.Must(keyfunc.New(c.parts))
			p.Cookies.Ignore = true
			s := newSite(t, p, say("x"))
			fields := []string{"Cookie", "lang=de", "X-Country", "de"}
			s.get(c.filled, fields...).want(t, "MISS", "x")
			s.get(c.ask, fields...).want(t, "HIT", "x")
			if _, err := s.cache.PurgeURL(t.Context(), c.purged); err != nil {
				t.Fatal(err)
			}
			s.get(c.ask, fields...).want(t, "MISS", "x")
		})
	}
}

func TestPurgeURLFindsAnEntryThatAnotherHostFilled(t *testing.T) {
	p := plain
	p.Key = keyfunc.Must(keyfunc.New(keyfunc.Parts{IgnoreHost: true}))
	s := newSite(t, p, say("x"))
	get := func(host string) string {
		r := httptest.NewRequest("GET", "/p", nil)
		r.Host = host
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Header().Get("X-Cache")
	}
	get("www.example.com")
	if _, err := s.cache.PurgeURL(t.Context(), "http://example.com/p"); err != nil {
		t.Fatal(err)
	}
	if got := get("example.com"); got != "MISS" {
		t.Errorf("%s after the purge of this very URL", got)
	}
}

func TestASecureLocationIsInvalidated(t *testing.T) {
	for _, secure := range []bool{true, false} { // false: behind a proxy that ends TLS
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				w.Header().Set("Location", "https://example.com/b")
				w.WriteHeader(http.StatusCreated)
				return
			}
			fmt.Fprint(w, "x")
		})
		do := func(method, path string) string {
			r := httptest.NewRequest(method, path, nil)
			if secure {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Header().Get("X-Cache")
		}
		do("GET", "/b")
		do("POST", "/a")
		if got := do("GET", "/b"); got != "MISS" {
			t.Errorf("secure %v: %s", secure, got)
		}
	}
}

// A handler for HEAD alone, wrapped by the same policy: its answer is not the GET's.
func TestAStaleHEADDoesNotStoreTheHEADHandlersAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		policy := cache.Handler(staleWindows())
		mux := chi.NewRouter()
		mux.Method("GET", "/x", policy(say("whole")))
		mux.Method("HEAD", "/x", policy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) })))
		get := func(method string) string {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(method, "/x", nil))
			return w.Body.String()
		}
		get("GET")
		time.Sleep(12 * time.Second)
		get("HEAD")
		synctest.Wait()
		if got := get("GET"); got != "whole" {
			t.Errorf("the GET got %q", got)
		}
	})
}

// HEAD answers 405 where chi knows only the GET; that says nothing about the GET.
func TestAHEADThatIsNotAllowedDoesNotDropTheGET(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		r := chi.NewRouter()
		r.Use(cache.Handler(plain))
		r.Get("/x", say("x"))
		do := func(method string, fields ...string) answer {
			q := httptest.NewRequest(method, "/x", nil)
			if len(fields) > 0 {
				q.Header.Set(fields[0], fields[1])
			}
			w := httptest.NewRecorder()
			r.ServeHTTP(w, q)
			return answer{w.Result(), w.Body.String()}
		}
		do("GET").want(t, "MISS", "x")
		time.Sleep(time.Second)
		if a := do("HEAD", "Cache-Control", "no-cache"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Fatalf("HEAD got %d", a.StatusCode)
		}
		do("GET").want(t, "HIT", "x")
	})
}

// One client's bad or too frequent request is no reason to drop what all others use.
func TestAClientsOwnErrorDoesNotDropTheEntry(t *testing.T) {
	for _, status := range []int{400, 406, 408, 413, 414, 417, 421, 429, 431} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Bad") != "" {
					http.Error(w, "bad", status)
					return
				}
				fmt.Fprint(w, "x")
			})
			s.get("/")
			time.Sleep(time.Second)
			s.get("/", "Cache-Control", "no-cache", "X-Bad", "1")
			if got := s.get("/").Header.Get("X-Cache"); got != "HIT" {
				t.Errorf("after a %d: %s", status, got)
			}
		})
	}
}

// A policy that has come to name what selects must not serve what was stored
// before it did, by another version of the program.
func TestAPolicysVaryHoldsForWhatIsStoredAlready(t *testing.T) {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tenant := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("X-Tenant")) }
	before, after := plain, plain
	after.Vary = []string{"X-Tenant"}
	for _, p := range []reprise.Policy{before, after} {
		c, err := reprise.New(st)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		want := "a"
		if len(p.Vary) > 0 {
			want = "b"
		}
		r.Header.Set("X-Tenant", want)
		w := httptest.NewRecorder()
		c.Handler(p)(http.HandlerFunc(tenant)).ServeHTTP(w, r)
		if w.Body.String() != want {
			t.Errorf("tenant %s got %q", want, w.Body.String())
		}
	}
}

func TestAStrippedSetCookieDoesNotKeepAResponseOut(t *testing.T) {
	p := plain
	p.Advanced.StripHeaders = []string{"Set-Cookie"}
	s := newSite(t, p, with(say("x"), "Set-Cookie", "a=b"))
	s.get("/").want(t, "MISS", "x")
	a := s.get("/")
	a.want(t, "HIT", "x")
	if a.Header.Get("Set-Cookie") != "" {
		t.Error("Set-Cookie was stored")
	}
}

// Policy.Tags is given the request as it came, whatever the handler did to it.
func TestTagsAreOfTheRequestThatCame(t *testing.T) {
	p := plain
	p.Tags = func(r *http.Request) []string { return []string{"path:" + r.URL.Path} }
	s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/elsewhere" // as path-rewriting middleware does
		fmt.Fprint(w, "x")
	})
	s.get("/p").want(t, "MISS", "x")
	if _, err := s.cache.PurgeTags(t.Context(), "path:/p"); err != nil {
		t.Fatal(err)
	}
	s.get("/p").want(t, "MISS", "x")
}

// no-store of outer middleware is on the answer, and so is what it says.
func TestAnOuterNoStoreCounts(t *testing.T) {
	s := newSite(t, plain, say("x"))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		s.ServeHTTP(w, r)
	})
	for range 2 {
		w := httptest.NewRecorder()
		outer.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Header().Get("X-Cache") != "MISS" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v", w.Header())
		}
	}
}

// A key function may return a slice of its own (its contract asks for dst): then
// that slice must not become the buffer of other requests' keys.
func TestAKeyFunctionsOwnSliceIsNotWrittenTo(t *testing.T) {
	constant := make([]byte, 0, 64)
	constant = append(constant, "one-key"...)
	own := named("own")
	own.Key = func([]byte, *http.Request) ([]byte, error) { return constant, nil }
	other := named("other")
	other.Key = func(dst []byte, r *http.Request) ([]byte, error) { return append(dst, r.URL.Path...), nil }
	cache := newCache(t)
	a, b := cache.Handler(own)(say("a")), cache.Handler(other)(say("b"))
	for range 20 {
		a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		b.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/spoilt", nil))
	}
	if string(constant) != "one-key" {
		t.Errorf("the key function's slice is %q now", constant)
	}
}

// A client that says no-store does not want its request to be what is stored.
func TestANoStoreRequestStartsNoRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, n := counting()
		s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
			if n.Load() > 0 && r.Header.Get("Cache-Control") != "" {
				t.Errorf("a refresh came with the client's %q", r.Header.Get("Cache-Control"))
			}
			h(w, r)
		})
		s.get("/")
		time.Sleep(12 * time.Second)
		s.get("/", "Cache-Control", "no-store").want(t, "STALE", "1")
		synctest.Wait()
		s.get("/").want(t, "STALE", "1")
		synctest.Wait()
	})
}
