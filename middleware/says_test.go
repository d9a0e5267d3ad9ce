package middleware_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	chimw "github.com/go-chi/chi/v5/middleware"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

func TestWhatAHandlerSaysThroughItsContext(t *testing.T) {
	minute := 59 * time.Second // between the lifetimes below
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		after  time.Duration
		want   string
	}{
		{"NoStore", func(w http.ResponseWriter, r *http.Request) { reprise.NoStore(r.Context()) }, 0, "MISS"},
		{"NoStore after the header", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			reprise.NoStore(r.Context())
		}, 0, "MISS"},
		{"SetTTL over the policy's, before its end", func(w http.ResponseWriter, r *http.Request) {
			reprise.SetTTL(r.Context(), time.Hour)
		}, 30 * minute, "HIT"},
		{"SetTTL over the header's, after its end", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=3600")
			reprise.SetTTL(r.Context(), time.Second)
		}, minute, "MISS"},
		{"SetTTL 0", func(w http.ResponseWriter, r *http.Request) { reprise.SetTTL(r.Context(), 0) }, 0, "MISS"},
		{"SetTTL and no-store", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			reprise.SetTTL(r.Context(), time.Hour)
		}, 0, "MISS"},
		{"SetTTL of a status that the policy does not name", func(w http.ResponseWriter, r *http.Request) {
			reprise.SetTTL(r.Context(), time.Hour)
			w.WriteHeader(http.StatusForbidden)
		}, minute, "HIT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, plain, c.answer)
				s.get("/").want(t, "MISS", "")
				time.Sleep(c.after)
				s.get("/").want(t, c.want, "")
			})
		})
	}
}

func TestWhatAPolicySays(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*reprise.Policy)
		answer http.HandlerFunc
		fields []string // of a second request
		want   string
	}{
		"Statuses names one": {
			func(p *reprise.Policy) { p.Statuses = map[int]time.Duration{403: time.Minute} },
			func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }, nil, "HIT",
		},
		"Statuses leaves one out": {
			func(p *reprise.Policy) { p.Statuses = map[int]time.Duration{200: 0} }, say("x"), nil, "MISS",
		},
		"Vary": {func(p *reprise.Policy) { p.Vary = []string{"x-tenant"} }, say("x"), []string{"X-Tenant", "b"}, "MISS"},
		"Vary names Cookie, which the response does too": {
			func(p *reprise.Policy) { p.Vary, p.Cookies.Ignore = []string{"cookie"}, true },
			with(say("x"), "Vary", "Cookie"), nil, "HIT",
		},
		"DangerouslyStoreSetCookie": {
			func(p *reprise.Policy) { p.Advanced.DangerouslyStoreSetCookie = true }, with(say("x"), "Set-Cookie", "a=b"), nil, "HIT",
		},
		"Limits.Header": {func(p *reprise.Policy) { p.Limits.Header = 10 }, with(say("x"), "X-Long", "0123456789"), nil, "MISS"},
		"Limits.VaryOn": {func(p *reprise.Policy) { p.Limits.VaryOn = 1 }, with(say("x"), "Vary", "A, B"), nil, "MISS"},
		"Limits.Selected": {
			func(p *reprise.Policy) { p.Limits.Selected = 1 }, with(say("x"), "Vary", "Accept"), nil, "MISS",
		},
		"Limits.Tags": {
			func(p *reprise.Policy) { p.Limits.Tags = 1 },
			func(w http.ResponseWriter, r *http.Request) { reprise.Tag(r.Context(), "a", "b", "a") }, nil, "MISS",
		},
		"a tag over 256 bytes": {
			func(p *reprise.Policy) {
				p.Tags = func(*http.Request) []string { return []string{strings.Repeat("x", 257)} }
			}, say("x"), nil, "MISS",
		},
		"an empty tag": {
			func(*reprise.Policy) {}, func(w http.ResponseWriter, r *http.Request) { reprise.Tag(r.Context(), "") }, nil, "MISS",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := plain
			c.change(&p)
			s := newSite(t, p, c.answer)
			s.get("/").want(t, "MISS", "*")
			s.get("/", c.fields...).want(t, c.want, "*")
		})
	}
}

func TestAPolicysTagsAddToTheHandlers(t *testing.T) {
	p := plain
	p.Tags = func(r *http.Request) []string { return []string{"shop:" + r.URL.Query().Get("shop")} }
	for _, tag := range []string{"shop:1", "product"} {
		s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
			reprise.Tag(r.Context(), "product")
			fmt.Fprint(w, "x")
		})
		s.get("/?shop=1").want(t, "MISS", "x")
		s.get("/?shop=1").want(t, "HIT", "x")
		if _, err := s.cache.PurgeTags(t.Context(), tag); err != nil {
			t.Fatal(err)
		}
		s.get("/?shop=1").want(t, "MISS", "x")
	}
}

func TestNoETagAddsNone(t *testing.T) {
	p := plain
	p.Advanced.NoETag = true
	s := newSite(t, p, say("x"))
	for _, want := range []string{"MISS", "HIT"} {
		a := s.get("/")
		a.want(t, want, "x")
		if e := a.Header.Get("Etag"); e != "" {
			t.Errorf("ETag = %s", e)
		}
	}
}

// A notebook is a Recorder that remembers.
type notebook struct {
	mu    sync.Mutex
	lines []string
}

func (n *notebook) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notebook) Policy(string) reprise.Requests { return n }
func (n *notebook) Request(o swr.Outcome, why reprise.Reason, _ time.Duration) {
	n.note("%v %v", o, why)
}
func (n *notebook) Filled(_ string, _ time.Duration, background bool, err error) {
	n.note("filled %v %v", background, err)
}
func (n *notebook) StoreFailed(op string, err error) { n.note("failed %s %v", op, err) }
func (n *notebook) Flying(int)                       {}

func TestTheRecorderLearnsOfEachRequestAndFill(t *testing.T) {
	var notes notebook
	s := &site{t: t, cache: newCache(t, reprise.WithRecorder(&notes), reprise.WithName("edge"))}
	s.Handler = s.cache.Handler(plain)(with(say("x"), "Vary", "Accept"))
	a := s.get("/")
	s.get("/")
	s.get("/", "Accept", "b")
	s.get("/", "Authorization", "Basic x")
	s.do("POST", "/")
	want := []string{
		"filled false <nil>", "miss uri-miss", "hit none", "filled false <nil>", "miss vary-miss",
		"filled false <nil>", "miss authorization", "bypass method",
	}
	if !slices.Equal(notes.lines, want) {
		t.Errorf("recorded %q, want %q", notes.lines, want)
	}
	if got := a.Header.Get("Cache-Status"); !strings.HasPrefix(got, "edge; ") {
		t.Errorf("Cache-Status = %q", got)
	}
}

func TestAPanicInAPolicysFunctionLocksNothing(t *testing.T) {
	for name, set := range map[string]func(*reprise.Policy, func()){
		"Condition": func(p *reprise.Policy, f func()) { p.Condition = func(*http.Request) bool { f(); return true } },
		"Tags":      func(p *reprise.Policy, f func()) { p.Tags = func(*http.Request) []string { f(); return nil } },
		"Key": func(p *reprise.Policy, f func()) {
			p.Key = func(dst []byte, _ *http.Request) ([]byte, error) { f(); return append(dst, 'k'), nil }
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, bad := plain, true
			set(&p, func() {
				if bad {
					panic(errors.New("bad policy"))
				}
			})
			s := newSite(t, p, say("x"))
			mustPanic(t, name, func() { s.get("/") })
			bad = false
			began := time.Now()
			s.get("/").want(t, "MISS", "x")
			s.get("/").want(t, "HIT", "x")
			if took := time.Since(began); took > 0 {
				t.Errorf("%s: the next requests took %v", name, took)
			}
		})
	}
}

func TestAPanicAfterAFlushIsNeitherStoredNorWhole(t *testing.T) {
	bad := true
	_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half")
		w.(http.Flusher).Flush()
		if bad {
			bad = false
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "-whole")
	})
	res, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("the client got %q as a whole answer", body)
	}
	res.Body.Close()
	fetch(t, server, "/").want(t, "MISS", "half-whole")
	fetch(t, server, "/").want(t, "HIT", "half-whole")
}

func TestAmongChisOwnMiddleware(t *testing.T) {
	cache := newCache(t)
	r := chi.NewRouter()
	r.Use(chimw.Timeout(time.Minute), chimw.GetHead, chimw.StripSlashes)
	r.Use(cache.Handler(named("root")), chimw.Compress(5), chimw.Timeout(time.Minute))
	r.NotFound(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "none such", 404) })
	r.Get("/x", with(say(strings.Repeat("x", 5000)), "Content-Type", "text/plain"))
	for _, c := range []struct {
		method, path, encoding string
		status                 int
		xCache                 string
	}{
		{"GET", "/x", "", 200, "MISS"},
		{"GET", "/x", "", 200, "HIT"},
		{"HEAD", "/x", "", 200, "HIT"},
		{"GET", "/x/", "gzip", 200, "MISS"},
		{"GET", "/x/", "gzip", 200, "HIT"},
		{"GET", "/x/", "", 200, "MISS"}, // not the compressed one
		{"GET", "/none", "", 404, "MISS"},
		{"GET", "/none", "", 404, "HIT"},
		{"POST", "/x", "", 405, "BYPASS"},
		{"GET", "/x", "", 200, "HIT"}, // a method that is not allowed invalidates nothing
	} {
		q := httptest.NewRequest(c.method, c.path, nil)
		if c.encoding != "" {
			q.Header.Set("Accept-Encoding", c.encoding)
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if w.Code != c.status || w.Header().Get("X-Cache") != c.xCache || w.Header().Get("Content-Encoding") != c.encoding {
			t.Errorf("%+v: got %d %v", c, w.Code, w.Header())
		}
		if c.status == 200 && c.method == "GET" && plainText(t, w) != strings.Repeat("x", 5000) {
			t.Errorf("%+v: another body", c)
		}
	}
}

// plainText returns w's body without its content coding.
func plainText(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Encoding") == "" {
		return w.Body.String()
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
