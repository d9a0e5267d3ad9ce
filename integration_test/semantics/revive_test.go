package semantics

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

// A lateStore lets something happen between a look-up and the fill that builds
// on what it found.
type lateStore struct {
	store.Store
	before func()
}

func (s *lateStore) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	if s.before != nil {
		s.before()
	}
	return s.Store.Acquire(ctx, c)
}

// Race R11, between two instances: what one of them has purged must not come
// back because the other has it confirmed.
func TestAConfirmationDoesNotReviveWhatAnotherInstancePurged(t *testing.T) {
	addr := redistest.Addr(t)
	namespace := fmt.Sprintf("revive-%d", time.Now().UnixNano())
	late := &lateStore{Store: open(t, addr, namespace)}
	here, there := instance(t, late), instance(t, open(t, addr, namespace))

	var version atomic.Int64
	h := here.Handler(reprise.Policy{Name: "page"})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reprise.Tag(r.Context(), "page:"+r.URL.Path)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Etag", `"same"`)
		if r.Header.Get("If-None-Match") != "" {
			w.Header().Set("Cache-Control", "max-age=60") // so that it is stored anew
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, version.Load())
	}))
	get := func(path string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://example.com"+path, nil))
		return w.Body.String()
	}
	for round := range 200 {
		path := fmt.Sprintf("/%d", round)
		get(path)
		late.before = func() {
			version.Add(1)
			var err error
			if round%2 == 0 {
				_, err = there.PurgeURL(t.Context(), "http://example.com"+path)
			} else {
				_, err = there.PurgeTags(t.Context(), "page:"+path)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		get(path)
		late.before = nil
		if got, want := get(path), fmt.Sprint(version.Load()); got != want {
			t.Fatalf("round %d: after the purge there is version %s, want %s", round, got, want)
		}
	}
	// Without a purge it is confirmed, so that the test is about something.
	get("/kept")
	version.Add(1)
	if get("/kept"); get("/kept") == fmt.Sprint(version.Load()) {
		t.Error("nothing is ever confirmed")
	}
}

func instance(t *testing.T, st store.Store) *reprise.Cache {
	c, err := reprise.New(st)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}
