package middleware_test

import (
	"context"
	"errors"
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

// A cutOff store still shows what it keeps, as an instance does within its trust
// window, and reaches nobody.
type cutOff struct {
	store.Store
	cut bool
}

var errCutOff = errors.New("cut off")

type offlineLease struct{}

func (offlineLease) Commit(context.Context, ...store.Entry) error { return errCutOff }
func (offlineLease) Release(context.Context) error                { return nil }

func (c *cutOff) Acquire(ctx context.Context, claim store.Claim) (store.Lease, error) {
	if c.cut {
		return offlineLease{}, errCutOff
	}
	return c.Store.Acquire(ctx, claim)
}

// G2: what is kept may have been purged elsewhere up to a trust window ago, and
// others may join a fill that has no lease for as long again. So such a fill makes
// anew what it shares, and has nothing confirmed.
func TestWithoutALeaseNothingKeptIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, err := memstore.New(memstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		st := &cutOff{Store: inner}
		cache, err := reprise.New(st)
		if err != nil {
			t.Fatal(err)
		}
		defer cache.Close(t.Context())
		runs, asked := 0, 0
		h := cache.Handler(reprise.Policy{Name: "page", TTL: 10 * time.Second, Jitter: -1})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			runs++
			time.Sleep(time.Second)
			w.Header().Set("ETag", `"constant"`)
			if r.Header.Get("If-None-Match") != "" {
				asked++
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, "run ", runs)
		}))
		get := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "http://example.com/p", nil))
			return w
		}
		get()
		time.Sleep(11 * time.Second)
		if w := get(); w.Body.String() != "run 1" || asked != 1 {
			t.Fatalf("with a lease: %q, asked %d times", w.Body, asked)
		}
		time.Sleep(11 * time.Second)
		st.cut = true
		for range 3 { // who joins gets the same
			go get()
		}
		if w := get(); w.Body.String() != "run 3" || asked != 1 || runs != 3 {
			t.Errorf("without: %q after %d runs, asked %d times", w.Body, runs, asked)
		}
		synctest.Wait()
	})
}
