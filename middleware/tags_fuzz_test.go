package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

const (
	tagsAsked = 1 << iota // the handler is asked each time, and confirms
	tagsVary
	tagsSoft
	tagsFew // may be
)

// FuzzTags: whatever tags a handler and a policy add, and a confirmation adds to
// those, a purge of any of them drops the response, and so it does in a cache
// around the first; a purge of another tag drops nothing. With too many tags, or
// one that is none, nothing is stored.
func FuzzTags(f *testing.F) {
	for how := range uint8(16) {
		f.Add("a\nb", "c", "d", "a", how)
		f.Add("a\nb", "c", "d", "d", how)
		f.Add("a\na", "a", "a", "b", how)
		f.Add("a\nb", "b\nc", "", "c", how)
		f.Add("", "", "", "", how)
		f.Add("a\n\nb", "", "", "a", how)
		f.Add("", "", "a", "a", how)
		f.Add("", "", "a\nb\nc", "c", how)
		f.Add("a", "", "\n", "a", how)
		f.Add("\x00url http://example.com/", "", "", "\x00url http://example.com/", how)
		f.Add("\x00url x", "", "\x00", "\x00url x", how)
		f.Add(strings.Repeat("x", 256), "*", "é\xff", "*", how)
		f.Add(strings.Repeat("x", 257), "", "", "a", how)
		f.Add(strings.Repeat("t\n", 64)+"{a}", "1", "2", "{a}", how)
	}
	f.Fuzz(func(t *testing.T, said, by, confirming, purged string, how uint8) {
		s := newTaggedSite(t, list(said), list(by), list(confirming), how)
		tags := slices.Concat(list(said), list(by))
		s.get(s.inner)
		stored := s.limit.allows(tags)
		if stored && how&tagsAsked != 0 { // it is confirmed
			tags = slices.Concat(tags, list(confirming))
			s.get(s.inner)
			stored = s.limit.allows(tags)
		}
		s.wantStored(s.inner, &s.runs, stored, "stored")
		if !stored {
			return
		}
		s.get(s.outer)
		s.wantStored(s.outer, &s.asked, true, "stored around that")
		for _, c := range []struct {
			cache *reprise.Cache
			h     http.Handler
			below *[]bool
		}{{s.around, s.outer, &s.asked}, {s.within, s.inner, &s.runs}} {
			if _, err := c.cache.Purge(t.Context(), store.Purge{Tags: []string{purged}, Soft: how&tagsSoft != 0}); err != nil {
				t.Fatal(err)
			}
			if carried := slices.Contains(tags, purged); how&(tagsAsked|tagsSoft) != tagsAsked|tagsSoft || !carried {
				s.wantStored(c.h, c.below, !carried, "there after the purge")
			}
		}
	})
}

// list splits at line feeds; nothing is no list.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

type tagLimit int

// allows tells whether tags may be of one response.
func (n tagLimit) allows(tags []string) bool {
	set := map[string]bool{}
	for _, tag := range tags {
		if tag == "" || len(tag) > 256 || strings.HasPrefix(tag, "\x00url ") {
			return false
		}
		set[tag] = true
	}
	return len(set) <= int(n)
}

// A taggedSite is a handler that adds tags, behind two caches.
type taggedSite struct {
	t              *testing.T
	how            uint8
	limit          tagLimit
	within, around *reprise.Cache
	inner, outer   http.Handler
	runs, asked    []bool // what of the handler, of inner: each time whether with If-None-Match
}

func newTaggedSite(t *testing.T, said, by, confirming []string, how uint8) *taggedSite {
	s := &taggedSite{t: t, how: how, limit: 64, within: newCache(t), around: newCache(t)}
	if how&tagsFew != 0 {
		s.limit = 2
	}
	p := reprise.Policy{Name: "tags", TTL: time.Minute, Limits: reprise.Limits{Tags: int(s.limit)}}
	outer := p
	p.Tags = func(*http.Request) []string { return by }
	s.inner = s.within.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conditional := r.Header.Get("If-None-Match") != ""
		s.runs = append(s.runs, conditional)
		w.Header().Set("Etag", `"v"`)
		if how&tagsAsked != 0 {
			w.Header().Set("Cache-Control", "no-cache")
		}
		if how&tagsVary != 0 {
			w.Header().Set("Vary", "X-A")
		}
		if conditional {
			reprise.Tag(r.Context(), confirming...)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		reprise.Tag(r.Context(), said...)
		w.Write([]byte("body"))
	}))
	s.outer = s.around.Handler(outer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.Header.Get("If-None-Match") != "")
		s.inner.ServeHTTP(w, r)
	}))
	return s
}

func (s *taggedSite) get(h http.Handler) {
	s.t.Helper()
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil)); w.Code != http.StatusOK || w.Body.String() != "body" {
		s.t.Errorf("%d %q", w.Code, w.Body)
	}
}

// wantStored asks h, which keeps what it gets from what is below, and looks
// whether it had something stored: it did not ask below, or by a condition where
// that is always asked.
func (s *taggedSite) wantStored(h http.Handler, below *[]bool, want bool, what string) {
	s.t.Helper()
	before := len(*below)
	s.get(h)
	asked := (*below)[before:]
	stored := len(asked) == 0
	if s.how&tagsAsked != 0 {
		stored = len(asked) == 1 && asked[0]
	}
	if stored != want {
		s.t.Errorf("%s: %v, want %v (asked below, by a condition: %v)", what, stored, want, asked)
	}
}
