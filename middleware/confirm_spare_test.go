package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// A commitCounter is a Recorder of stores that counts what is stored.
type commitCounter struct{ n atomic.Int64 }

func (c *commitCounter) StoreOp(op, result string, _ time.Duration) {
	if op == "commit" && result == "ok" {
		c.n.Add(1)
	}
}
func (c *commitCounter) Purged(string, bool, error) {}

var _ store.Recorder = (*commitCounter)(nil)

// A response that is confirmed at each request is stored once, and again when
// something in it changes or half of its time is over.
func TestAConfirmationThatChangesNothingStoresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		commits := &commitCounter{}
		st, err := memstore.New(memstore.Options{Recorder: commits})
		if err != nil {
			t.Fatal(err)
		}
		cache, err := reprise.New(st)
		if err != nil {
			t.Fatal(err)
		}
		defer cache.Close(context.Background())
		color := "red"
		h := cache.Handler(reprise.Policy{Name: "asked", Advanced: reprise.Advanced{Keep: time.Hour}})(
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "no-cache")
				w.Header().Set("Etag", `"v1"`)
				w.Header().Set("X-Color", color)
				if r.Header.Get("If-None-Match") == `"v1"` {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				fmt.Fprint(w, "text")
			}))
		get := func(want string) {
			t.Helper()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			answer{w.Result(), w.Body.String()}.want(t, want, "text")
			if got := w.Header().Get("X-Color"); got != color {
				t.Errorf("X-Color = %q, want %q", got, color)
			}
		}
		stored := func(want int64) {
			t.Helper()
			if got := commits.n.Load(); got != want {
				t.Errorf("stored %d times, want %d", got, want)
			}
		}
		get("MISS")
		for range 5 {
			time.Sleep(time.Minute)
			get("REVALIDATED")
		}
		stored(1)
		color = "blue"
		get("REVALIDATED")
		get("REVALIDATED")
		stored(2)
		time.Sleep(31 * time.Minute)
		get("REVALIDATED")
		stored(3)
		time.Sleep(31 * time.Minute)
		get("REVALIDATED") // which it would not be without the last one
	})
}
