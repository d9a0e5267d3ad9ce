package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

var storing = reprise.Policy{Name: "p", Advanced: reprise.Advanced{StorePOST: true}}

func posted(text func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Location", "/")
		fmt.Fprint(w, text(), " for ", r.Header.Get("Accept"), r.Header.Get("Cookie"))
	}
}

// RFC 9111 §4.4: the answer to a POST drops the target URI, all variants.
func TestAPOSTEndsAllVariants(t *testing.T) {
	version := "v1"
	h := posted(func() string { return version })
	s := newSite(t, storing, with(h, "Vary", "Accept"))
	s.get("/", "Accept", "a")
	s.get("/", "Accept", "b")
	version = "v2"
	s.do("POST", "/", "Accept", "a")
	s.get("/", "Accept", "a").want(t, "MISS", "v2 for a")
	s.get("/", "Accept", "b").want(t, "MISS", "v2 for b")
}

// A fill of another variant that began before the POST is not stored after it.
func TestAFillOfAVariantDoesNotOutliveAPOST(t *testing.T) {
	version := "v1"
	h := posted(func() string { return version })
	inBubble(t, storing, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		b := httptest.NewRecorder()
		h(b, r)
		if r.Header.Get("Accept") == "slow" {
			time.Sleep(time.Second) // it has read
		}
		for name, v := range b.Header() {
			w.Header()[name] = v
		}
		w.Header().Set("Vary", "Accept")
		w.Write(b.Body.Bytes())
	}, func(s *site) {
		s.get("/", "Accept", "a")
		done := make(chan struct{})
		go func() { defer close(done); s.get("/", "Accept", "slow") }()
		synctest.Wait()
		version = "v2"
		s.do("POST", "/", "Accept", "a")
		<-done
		if a := s.get("/", "Accept", "slow"); strings.HasPrefix(a.text, "v1") {
			t.Errorf("after the POST there is %q %q", a.text, a.Header["Cache-Status"])
		}
	})
}

// RFC 9110 §8.7: Content-Location says that of a 2xx only. And an error must
// not replace what is good.
func TestAnErrorToAPOSTIsNotStored(t *testing.T) {
	for _, status := range []int{400, 404, 422, 500, 303} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newSite(t, storing, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Content-Location", "/")
				w.Header().Set("Location", "/")
				if r.Method == "POST" {
					w.WriteHeader(status)
				}
				fmt.Fprint(w, r.Method)
			})
			s.get("/").want(t, "MISS", "GET")
			s.do("POST", "/")
			if a := s.get("/"); a.StatusCode != 200 {
				t.Errorf("a GET gets the POST's %d", a.StatusCode)
			}
		})
	}
}

// A slow POST or range does not hold up others, those without credentials neither.
func TestASlowFillApartHoldsUpNobody(t *testing.T) {
	for name, slow := range map[string][]string{
		"POST":       {"POST", "Cookie", "a=b"},
		"range":      {"GET", "Cookie", "a=b", "Range", "bytes=0-1"},
		"same group": {"GET", "Range", "bytes=0-1"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, storing, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" || r.Header.Get("Range") != "" {
					time.Sleep(20 * time.Second)
				}
				posted(func() string { return "page" })(w, r)
			}, func(s *site) {
				done := make(chan struct{})
				go func() { defer close(done); s.do(slow[0], "/", slow[1:]...) }()
				synctest.Wait()
				began := time.Now()
				s.get("/")
				if took := time.Since(began); took > time.Second {
					t.Errorf("a plain GET took %v", took)
				}
				<-done
			})
		})
	}
}

// A slow POST does not keep what is stale from being refreshed.
func TestASlowPOSTDoesNotHoldUpARefresh(t *testing.T) {
	p := storing
	p.StaleWhileRevalidate = time.Hour
	inBubble(t, p, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=10")
		if r.Method == "POST" {
			time.Sleep(20 * time.Second) // the client sends slowly
		}
		w.Write([]byte("x"))
	}, func(s *site) {
		s.get("/")
		time.Sleep(11 * time.Second)
		done := make(chan struct{})
		go func() { defer close(done); s.do("POST", "/") }()
		synctest.Wait()
		s.get("/").want(t, "STALE", "x")
		time.Sleep(time.Second)
		s.get("/").want(t, "HIT", "x")
		<-done
	})
}

func posting() reprise.Policy {
	p := explicit()
	p.Advanced.StorePOST = true
	return p
}

// RFC 9111 §4: a POST is written through, also where its client has sent it
// and gone: without StorePOST the handler runs.
func TestAPOSTWhoseClientHasGoneReachesTheHandler(t *testing.T) {
	for _, p := range []reprise.Policy{explicit(), posting()} {
		s := newSite(t, p, say("done"))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", "/", nil))
		if n := s.runs.Load(); n != 1 {
			t.Errorf("StorePOST %v: the handler ran %d times", p.Advanced.StorePOST, n)
		}
	}
}
