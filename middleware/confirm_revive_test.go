package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// A lateStore lets something happen between a look-up and the fill that builds
// on what it found.
type lateStore struct {
	store.Store
	before func()
}

func (s *lateStore) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	if f := s.before; f != nil {
		s.before = nil
		f()
	}
	return s.Store.Acquire(ctx, c)
}

// Race R11: what a purge has dropped must not come back because the handler,
// who knows nothing of the purge, confirms or completes it.
func TestAConfirmationDoesNotReviveWhatWasPurged(t *testing.T) {
	purges := map[string]func(*reprise.Cache) (store.Purged, error){
		"URL": func(c *reprise.Cache) (store.Purged, error) {
			return c.PurgeURL(context.Background(), "http://example.com/")
		},
		"tag": func(c *reprise.Cache) (store.Purged, error) { return c.PurgeTags(context.Background(), "page") },
		"all": func(c *reprise.Cache) (store.Purged, error) { return c.PurgeAll(context.Background()) },
	}
	requests := map[string]struct {
		vary   string
		method string
		first  string // Range of the first request
	}{
		"confirmed":         {"", "GET", ""},
		"confirmed variant": {"Accept", "GET", ""},
		"completed":         {"", "GET", "bytes=0-1"},
		"described by HEAD": {"", "HEAD", ""},
	}
	for kind, purge := range purges {
		for name, c := range requests {
			t.Run(kind+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					inner, err := memstore.New(memstore.Options{})
					if err != nil {
						t.Fatal(err)
					}
					late := &lateStore{Store: inner}
					cache, err := reprise.New(late)
					if err != nil {
						t.Fatal(err)
					}
					defer cache.Close(context.Background())
					var asked []http.Header
					h := cache.Handler(reprise.Policy{Name: "page"})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						asked = append(asked, r.Header.Clone())
						reprise.Tag(r.Context(), "page")
						w.Header().Set("Cache-Control", "max-age=10")
						w.Header().Set("Vary", c.vary)
						w.Header().Set("Etag", `"same"`)
						switch {
						case r.Header.Get("If-None-Match") != "":
							w.WriteHeader(http.StatusNotModified)
						case r.Header.Get("Range") == "bytes=0-1":
							w.Header().Set("Content-Range", "bytes 0-1/3")
							w.WriteHeader(http.StatusPartialContent)
							fmt.Fprintf(w, "%d%d", len(asked), len(asked))
						case r.Header.Get("Range") != "":
							w.Header().Set("Content-Range", "bytes 2-2/3")
							w.WriteHeader(http.StatusPartialContent)
							fmt.Fprintf(w, "%d", len(asked))
						default:
							fmt.Fprintf(w, "%d%d%d", len(asked), len(asked), len(asked))
						}
					}))
					do := func(method, ranges string) answer {
						r := httptest.NewRequest(method, "http://example.com/", nil)
						if ranges != "" {
							r.Header.Set("Range", ranges)
						}
						w := httptest.NewRecorder()
						h.ServeHTTP(w, r)
						return answer{w.Result(), w.Body.String()}
					}
					do("GET", c.first)
					time.Sleep(11 * time.Second)
					late.before = func() {
						if _, err := purge(cache); err != nil {
							t.Error(err)
						}
					}
					do(c.method, "")
					if got := asked[len(asked)-1]; got.Get("If-None-Match")+got.Get("If-Range") != "" {
						t.Errorf("the handler was asked about what was purged: %v", got)
					}
					if a := do("GET", ""); a.text[0] == '1' || a.text != fmt.Sprintf("%[1]c%[1]c%[1]c", a.text[0]) {
						t.Errorf("after the purge there is %q", a.text)
					}
				})
			})
		}
	}
}
