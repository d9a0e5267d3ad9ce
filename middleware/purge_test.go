package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

func TestPurges(t *testing.T) {
	tagged := func(w http.ResponseWriter, r *http.Request) {
		reprise.Tag(r.Context(), "product:"+r.URL.Query().Get("id"), "all-products")
		w.Header().Set("Vary", "Accept")
		fmt.Fprint(w, "x")
	}
	for _, c := range []struct {
		name  string
		purge func(*site) (store.Purged, error)
		gone  string // of ids 1 and 2
	}{
		{"a URL, with its variants", func(s *site) (store.Purged, error) { return s.cache.PurgeURL(t.Context(), "http://example.com/p?id=1") }, "1"},
		{"a URL by https", func(s *site) (store.Purged, error) {
			return s.cache.PurgeURL(t.Context(), "https://example.com/p?id=1")
		}, "1"},
		{"another URL", func(s *site) (store.Purged, error) { return s.cache.PurgeURL(t.Context(), "http://example.com/p") }, ""},
		{"a tag", func(s *site) (store.Purged, error) { return s.cache.PurgeTags(t.Context(), "product:2", "product:3") }, "2"},
		{"a common tag", func(s *site) (store.Purged, error) { return s.cache.PurgeTags(t.Context(), "all-products") }, "12"},
		{"all", func(s *site) (store.Purged, error) { return s.cache.PurgeAll(t.Context()) }, "12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, plain, tagged)
			for _, id := range []string{"1", "2"} {
				for _, accept := range []string{"a", "b"} {
					s.get("/p?id="+id, "Accept", accept).want(t, "MISS", "x")
					s.get("/p?id="+id, "Accept", accept).want(t, "HIT", "x")
				}
			}
			if _, err := c.purge(s); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"1", "2"} {
				want := "HIT"
				if strings.Contains(c.gone, id) {
					want = "MISS"
				}
				s.get("/p?id="+id, "Accept", "a").want(t, want, "x")
				s.get("/p?id="+id, "Accept", "b").want(t, want, "x")
			}
		})
	}
}

func TestPurgeURLFindsWhatAnotherKeyMade(t *testing.T) {
	byID := plain
	byID.Key = func(dst []byte, r *http.Request) ([]byte, error) { return append(dst, "one for all"...), nil }
	for name, c := range map[string]struct {
		policy reprise.Policy
		wrap   func(http.Handler) http.Handler
		fields []string
	}{
		"a key function of one's own": {policy: byID},
		"behind StripPrefix":          {policy: plain, wrap: func(h http.Handler) http.Handler { return http.StripPrefix("/p", h) }},
		"behind an ingress":           {policy: plain, fields: []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.policy, say("x"))
			if c.wrap != nil {
				s.Handler = c.wrap(s.Handler)
			}
			s.get("/p/1", c.fields...).want(t, "MISS", "x")
			s.get("/p/1", c.fields...).want(t, "HIT", "x")
			if _, err := s.cache.PurgeURL(t.Context(), "https://example.com/p/1"); err != nil {
				t.Fatal(err)
			}
			s.get("/p/1", c.fields...).want(t, "MISS", "x")
		})
	}
}

func TestPurgeURLRejectsWhatIsNoURL(t *testing.T) {
	for _, u := range []string{"/relative", "::", ""} {
		if _, err := newCache(t).PurgeURL(t.Context(), u); err == nil {
			t.Errorf("PurgeURL(%q) gave no error", u)
		}
	}
}

func TestASoftPurgeMakesStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := counting()
		s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
			reprise.Tag(r.Context(), "t")
			h(w, r)
		})
		s.get("/").want(t, "MISS", "1")
		if _, err := s.cache.Purge(t.Context(), store.Purge{Tags: []string{"t"}, Soft: true}); err != nil {
			t.Fatal(err)
		}
		s.get("/").want(t, "STALE", "1")
		synctest.Wait()
		s.get("/").want(t, "HIT", "2")
	})
}

func TestAPurgeDuringTheHandlerIsNotOvertaken(t *testing.T) {
	for name, purge := range map[string]store.Purge{
		"tag": {Tags: []string{"t"}}, "all": {All: true}, "soft": {Tags: []string{"t"}, Soft: true},
	} {
		t.Run(name, func(t *testing.T) {
			h, n := counting()
			var s *site
			s = newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
				reprise.Tag(r.Context(), "t")
				h(w, r)
				if n.Load() == 1 { // the data changes, and is purged, while the old is on its way
					if _, err := s.cache.Purge(t.Context(), purge); err != nil {
						t.Error(err)
					}
				}
			})
			a := s.get("/")
			a.want(t, "MISS", "1")
			if got := a.Header.Get("Cache-Status"); got != "reprise; fwd=uri-miss; fwd-status=200; detail=overtaken" {
				t.Errorf("Cache-Status = %q", got)
			}
			s.get("/").want(t, "MISS", "2")
			s.get("/").want(t, "HIT", "2")
		})
	}
}

func TestUnsafeMethodsInvalidate(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		fields []string
		gone   string // of /a /b
	}{
		{"POST", 200, nil, "a"},
		{"PUT", 204, nil, "a"},
		{"DELETE", 302, nil, "a"},
		{"WHATEVER", 200, nil, "a"},
		{"POST", 404, nil, ""},
		{"POST", 500, nil, ""},
		{"OPTIONS", 200, nil, ""},
		{"POST", 201, []string{"Location", "/b"}, "ab"},
		{"POST", 200, []string{"Content-Location", "http://example.com/b"}, "ab"},
		{"POST", 201, []string{"Location", "http://elsewhere.example/b"}, "a"},
	} {
		t.Run(fmt.Sprint(c.method, c.status, c.fields), func(t *testing.T) {
			s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" {
					with(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(c.status) }, c.fields...)(w, r)
					return
				}
				fmt.Fprint(w, "x")
			})
			s.get("/a")
			s.get("/b")
			s.do(c.method, "/a").want(t, "BYPASS", "*")
			for _, p := range []string{"a", "b"} {
				want := "HIT"
				if strings.Contains(c.gone, p) {
					want = "MISS"
				}
				s.get("/"+p).want(t, want, "x")
			}
		})
	}
}

// Ten clients read as fast as they can while the data change and are purged:
// what they get is never older than the last purge that had returned when they
// asked.
func TestG1APurgeIsRightUnderLoad(t *testing.T) {
	var mu sync.Mutex
	version, purged := 0, 0
	read := func() (int, int) {
		mu.Lock()
		defer mu.Unlock()
		return version, purged
	}
	s := newSite(t, staleWindows(), func(w http.ResponseWriter, r *http.Request) {
		v, _ := read()
		reprise.Tag(r.Context(), "data")
		time.Sleep(time.Millisecond) // the handler's work: the window in which it can be overtaken
		fmt.Fprint(w, v)
	})
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 10 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				_, least := read()
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
				var got int
				if _, err := fmt.Sscan(w.Body.String(), &got); err != nil {
					t.Errorf("%q: %v", w.Body.String(), err)
					return
				}
				if got < least {
					t.Errorf("got version %d after the purge for %d had returned (%s)", got, least, w.Header().Get("Cache-Status"))
					return
				}
			}
		})
	}
	for i := 1; i <= 400; i++ {
		mu.Lock()
		version = i
		mu.Unlock()
		var err error
		if i%2 == 0 {
			_, err = s.cache.PurgeTags(t.Context(), "data")
		} else {
			_, err = s.cache.PurgeURL(t.Context(), "http://example.com/")
		}
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		purged = i
		mu.Unlock()
		time.Sleep(time.Millisecond) // the pace of the writer
	}
	close(done)
	clients.Wait()
}

// A stuckStore purges as one does whose Redis is away: it tries until its time
// is up.
type stuckStore struct{ store.Store }

func (stuckStore) Purge(ctx context.Context, _ store.Purge) (store.Purged, error) {
	<-ctx.Done()
	return store.Purged{}, ctx.Err()
}

func TestAnUnsafeRequestDoesNotWaitForAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, err := memstore.New(memstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cache, err := reprise.New(stuckStore{st})
		if err != nil {
			t.Fatal(err)
		}
		h := cache.Handler(plain)(say("done"))
		began := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
		if took := time.Since(began); w.Body.String() != "done" || took > 100*time.Millisecond {
			t.Errorf("%q after %v", w.Body.String(), took)
		}
	})
}

// The last purges are told of, whatever they were, and those that failed.
func TestTheLastPurgesAreTold(t *testing.T) {
	s := newSite(t, plain, say("x"))
	ctx := t.Context()
	s.get("/a")
	s.do("DELETE", "/a")
	if _, err := s.cache.PurgeURL(ctx, "http://example.com/a"); err != nil {
		t.Fatal(err)
	}
	purge := func(p store.Purge) {
		t.Helper()
		if _, err := s.cache.Purge(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	purge(store.Purge{Tags: []string{"a", "b", "c", "d", strings.Repeat("e", 300)}})
	purge(store.Purge{All: true})
	purge(store.Purge{Match: "*", Soft: true, DryRun: true})
	list := s.cache.Purges()
	if len(list) != 4 {
		t.Fatalf("%+v", list)
	}
	for i, want := range []func(e reprise.PurgeEvent) bool{
		func(e reprise.PurgeEvent) bool { return e.Match == "*" && e.Soft && e.DryRun && e.Count == 0 },
		func(e reprise.PurgeEvent) bool { return e.All && !e.Soft && e.Count == -1 },
		func(e reprise.PurgeEvent) bool {
			return slices.Equal(e.Tags, []string{"a", "b", "c", "d"}) && e.Keys == nil
		},
		func(e reprise.PurgeEvent) bool { return e.Keys[0] == "GET|http|example.com|/a" && len(e.Tags) == 0 },
	} {
		if e := list[i]; !want(e) || e.Err != "" || e.At.IsZero() {
			t.Errorf("%d: %+v", i, e)
		}
	}
	for range 100 {
		purge(store.Purge{All: true})
	}
	if n := len(s.cache.Purges()); n != 64 {
		t.Errorf("%d", n)
	}
}
