package middleware_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// A keeping handler writes later what it is given, as those do that log in the
// background.
type keeping struct {
	mu      *sync.Mutex
	records *[]slog.Record
}

func (keeping) Enabled(context.Context, slog.Level) bool { return true }
func (k keeping) WithAttrs([]slog.Attr) slog.Handler     { return k }
func (k keeping) WithGroup(string) slog.Handler          { return k }
func (k keeping) Handle(_ context.Context, r slog.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	*k.records = append(*k.records, r)
	return nil
}

func (k keeping) keys() (keys []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range *k.records {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "key" {
				keys = append(keys, a.Value.String())
			}
			return true
		})
	}
	return keys
}

// A key that is logged stays the request's own, whatever is asked for until a handler
// of the log gets to it.
func TestALoggedKeyStaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keeping{new(sync.Mutex), new([]slog.Record)}
		own := func(dst []byte, r *http.Request) ([]byte, error) { return append(dst, r.URL.Path...), nil }
		h := newCache(t, reprise.WithLogger(slog.New(k))).Handler(reprise.Policy{Name: "own", TTL: time.Second, StaleWhileRevalidate: time.Hour, Key: own})(
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") }))
		ask := func() {
			for i := range 20 {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprint("/page/", i), nil))
			}
			synctest.Wait()
		}
		ask()
		time.Sleep(2 * time.Second)
		ask() // stale: the buffers that the keys were made in are used again
		var want []string
		for range 2 {
			for i := range 20 {
				want = append(want, fmt.Sprint("/page/", i))
			}
		}
		if got := k.keys(); !slices.Equal(got, want) {
			t.Errorf("logged were %q", got)
		}
	})
}
