package middleware_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

func TestASecondRequestIsAHit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, with(say("hello"), "X-Mine", "a", "X-Mine", "b"))
		first := s.get("/p")
		first.want(t, "MISS", "hello")
		if got := first.Header.Get("Cache-Status"); got != "reprise; fwd=uri-miss; fwd-status=200; stored" {
			t.Errorf("Cache-Status of a miss = %q", got)
		}
		time.Sleep(7 * time.Second)
		second := s.get("/p")
		second.want(t, "HIT", "hello")
		s.wantRuns(1)
		for name, want := range map[string]string{
			"Age": "7", "Cache-Status": "reprise; hit; ttl=53", "Content-Length": "5",
			"Content-Type": "text/plain; charset=utf-8",
			"ETag":         first.Header.Get("ETag"),
			"Date":         time.Now().Add(-7 * time.Second).UTC().Format(http.TimeFormat),
		} {
			if got := second.Header.Get(name); got != want || want == "" {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		if got := second.Header.Values("X-Mine"); len(got) != 2 || got[0] != "a" || got[1] != "b" {
			t.Errorf("X-Mine = %q", got)
		}
	})
}

func TestAHitEndsWithItsFreshness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) { n++; fmt.Fprint(w, n) })
		s.get("/").want(t, "MISS", "1")
		time.Sleep(time.Minute - time.Nanosecond)
		s.get("/").want(t, "HIT", "1")
		time.Sleep(time.Nanosecond)
		s.get("/").want(t, "MISS", "2")
	})
}

func TestHEADIsAnsweredFromGET(t *testing.T) {
	s := newSite(t, plain, say("hello"))
	s.do("HEAD", "/").want(t, "MISS", "*")
	s.get("/").want(t, "MISS", "hello") // a HEAD is not stored
	a := s.do("HEAD", "/")
	a.want(t, "HIT", "")
	if a.Header.Get("Content-Length") != "5" {
		t.Errorf("Content-Length = %q", a.Header.Get("Content-Length"))
	}
	s.wantRuns(2)
}

func TestConditionsAndRangesOnAHit(t *testing.T) {
	const modified = "Mon, 02 Jan 2006 15:04:05 GMT"
	s := newSite(t, plain, with(say("0123456789"), "ETag", `"v1"`, "Last-Modified", modified))
	s.get("/").want(t, "MISS", "0123456789")
	for _, c := range []struct {
		name, field, value string
		status             int
		text               string
	}{
		{"ETag matches", "If-None-Match", `"v0", W/"v1"`, 304, ""},
		{"ETag differs", "If-None-Match", `"v0"`, 200, "0123456789"},
		{"not modified since", "If-Modified-Since", modified, 304, ""},
		{"one range", "Range", "bytes=2-4", 206, "234"},
		{"suffix range", "Range", "bytes=-3", 206, "789"},
		{"no such range", "Range", "bytes=90-", 416, "*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &site{t: t, cache: s.cache, Handler: s.Handler}
			a := s.get("/", c.field, c.value)
			a.want(t, "HIT", c.text)
			if a.StatusCode != c.status {
				t.Errorf("status = %d, want %d", a.StatusCode, c.status)
			}
			if c.status == 304 && (a.Header.Get("ETag") == "" || a.Header.Get("Date") == "") {
				t.Errorf("a 304 without ETag or Date: %v", a.Header)
			}
		})
	}
	s.wantRuns(1)
}

func TestAConditionalMissFillsTheWhole(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			t.Error("the client's condition reached the handler")
		}
		with(say("body"), "ETag", `"v1"`)(w, r)
	})
	if a := s.get("/", "If-None-Match", `"v1"`); a.StatusCode != 304 || a.Header.Get("X-Cache") != "MISS" {
		t.Errorf("got %d %s, want 304 MISS", a.StatusCode, a.Header.Get("X-Cache"))
	}
	s.get("/").want(t, "HIT", "body")
}

func TestARangeOnAColdKeyIsNotStoredAsTheWhole(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader("0123456789"))
	})
	if a := s.get("/", "Range", "bytes=0-1"); a.StatusCode != 206 || a.text != "01" {
		t.Errorf("got %d %q", a.StatusCode, a.text)
	}
	s.get("/").want(t, "MISS", "0123456789")
	s.get("/").want(t, "HIT", "0123456789")
}

func TestWhatOthersWriteToAHeaderDoesNotReachTheEntry(t *testing.T) {
	s := newSite(t, plain, with(say("x"), "X-A", "1"))
	s.get("/")
	for range 2 {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		for name, values := range w.Header() {
			if values[0] == "spoilt" {
				t.Fatalf("%s was spoilt by an earlier answer's reader", name)
			}
			values[0] = "spoilt"
			w.Header()[name] = append(values, "more")
		}
	}
}

func TestOuterFieldsGiveWayAndVaryAddsUp(t *testing.T) {
	s := newSite(t, plain, with(say("x"), "X-A", "inner", "Vary", "Accept"))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-A", "outer")
		w.Header().Set("X-B", "outer")
		w.Header().Set("Vary", "Origin")
		s.ServeHTTP(w, r)
	})
	for _, want := range []string{"MISS", "HIT"} {
		w := httptest.NewRecorder()
		outer.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		h := w.Result().Header
		if h.Get("X-Cache") != want || fmt.Sprint(h["X-A"], h["X-B"], h["Vary"]) != "[inner] [outer] [Origin Accept]" {
			t.Errorf("%s: %v", want, h)
		}
	}
}

func TestWhatBypasses(t *testing.T) {
	policy := plain
	policy.Cookies.Bypass = []string{"session"}
	policy.Condition = func(r *http.Request) bool { return r.URL.Path != "/not" }
	for _, c := range []struct {
		name   string
		build  func(*http.Request)
		status string
	}{
		{"POST", func(r *http.Request) { r.Method = "POST" }, "reprise; fwd=method"},
		{"lower case get", func(r *http.Request) { r.Method = "get" }, "reprise; fwd=method"},
		{"a GET with a body", func(r *http.Request) { r.ContentLength = 3 }, "reprise; fwd=bypass; detail=body"},
		{"a chunked GET", func(r *http.Request) { r.ContentLength = -1 }, "reprise; fwd=bypass; detail=body"},
		{"method override", func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "POST") }, "reprise; fwd=bypass; detail=override"},
		{"upgrade", func(r *http.Request) { r.Header.Set("Upgrade", "websocket") }, "reprise; fwd=bypass; detail=upgrade"},
		{"events", func(r *http.Request) { r.Header.Set("Accept", "Text/Event-Stream") }, "reprise; fwd=bypass; detail=event-stream"},
		{"cookie", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "session", Value: "1"}) }, "reprise; fwd=bypass; detail=cookie"},
		{"condition", func(r *http.Request) { r.URL.Path = "/not" }, "reprise; fwd=bypass; detail=condition"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, policy, say("x"))
			for range 2 {
				r := httptest.NewRequest("GET", "/", nil)
				c.build(r)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if h := w.Header(); h.Get("X-Cache") != "BYPASS" || h.Get("Cache-Status") != c.status {
					t.Errorf("X-Cache %q, Cache-Status %q", h.Get("X-Cache"), h.Get("Cache-Status"))
				}
			}
			s.wantRuns(2)
		})
	}
}

func TestAKeyThatFailsIsABypass(t *testing.T) {
	policy := plain
	policy.Key = func(dst []byte, r *http.Request) ([]byte, error) { return dst, http.ErrNoLocation }
	s := newSite(t, policy, say("x"))
	s.get("/").want(t, "BYPASS", "x")
	s.get("/").want(t, "BYPASS", "x")
	s.wantRuns(2)
}

func TestOnlyIfCached(t *testing.T) {
	s := newSite(t, plain, say("x"))
	if a := s.get("/", "Cache-Control", "only-if-cached"); a.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status = %d, want 504", a.StatusCode)
	}
	s.wantRuns(0)
	s.get("/")
	s.get("/", "Cache-Control", "only-if-cached").want(t, "HIT", "x")
}

func TestTheBodyLimit(t *testing.T) {
	policy := plain
	policy.Limits.Body = 10
	for _, size := range []int{10, 11} {
		for _, announced := range []bool{false, true} {
			body := bytes.Repeat([]byte("x"), size)
			s := newSite(t, policy, func(w http.ResponseWriter, r *http.Request) {
				if announced {
					w.Header().Set("Content-Length", fmt.Sprint(size))
				}
				for _, b := range body {
					w.Write([]byte{b})
				}
			})
			s.get("/").want(t, "MISS", string(body))
			if size > 10 {
				s.get("/").want(t, "MISS", string(body))
			} else {
				s.get("/").want(t, "HIT", string(body))
			}
		}
	}
}

func TestNewAndPoliciesReportAllThatIsWrong(t *testing.T) {
	_, err := reprise.New(nil, reprise.WithName("two words"), reprise.WithRefreshWorkers(0), reprise.WithRecorder(nil), reprise.WithLogger(nil))
	for _, option := range []string{"store", "WithName", "WithRefreshWorkers", "WithRecorder", "WithLogger"} {
		if err == nil || !strings.Contains(err.Error(), option+" =") {
			t.Errorf("%s is not reported: %v", option, err)
		}
	}
	p := reprise.Policy{
		TTL: -1, StaleWhileRevalidate: -1, StaleIfError: -1, Jitter: 2,
		Statuses: map[int]time.Duration{99: 1, 503: -1}, Vary: []string{"a b"},
		Cookies:  reprise.Cookies{Ignore: true, Vary: []string{"x"}},
		Limits:   reprise.Limits{Body: -1, Header: -1, Fill: -1, Wait: -1, Tags: -1},
		Advanced: reprise.Advanced{ClientDirectives: 9},
	}
	err = p.Validate()
	for _, field := range []string{
		"Name", "TTL", "StaleWhileRevalidate", "StaleIfError", "Jitter", "Statuses[99]", "Statuses[503]", "Vary",
		"Cookies", "Limits.Body", "Limits.Header", "Limits.Fill", "Limits.Wait", "Limits.Tags", "Advanced.ClientDirectives",
	} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not reported: %v", field, err)
		}
	}
	cache := newCache(t)
	mustPanic(t, "an invalid policy", func() { cache.Handler(p) })
	cache.Handler(plain)
	mustPanic(t, "a name taken twice", func() { cache.Handler(plain) })
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s does not panic", what)
		}
	}()
	f()
}
