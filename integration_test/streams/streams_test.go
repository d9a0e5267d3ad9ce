// Package streams tests that the middleware stands aside for what is no page,
// with the libraries that programs use.
package streams

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

func cached(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := reprise.New(st)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cache.Handler(reprise.Policy{Name: "all", TTL: time.Minute})(h))
	t.Cleanup(server.Close)
	return server
}

func echo(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.CloseNow() }()
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), kind, data); err != nil {
				return
			}
		}
	})
}

func TestWebSocketsEchoThroughTheMiddleware(t *testing.T) {
	direct := cached(t, echo(t))
	target, _ := url.Parse(direct.URL)
	proxied := cached(t, httputil.NewSingleHostReverseProxy(target)) // two caches, and a proxy between
	for name, server := range map[string]*httptest.Server{"direct": direct, "behind a reverse proxy": proxied} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for range 2 {
				c, res, err := websocket.Dial( //nolint:bodyclose // the library says that it need not be closed
					ctx, "ws"+strings.TrimPrefix(server.URL, "http"), nil)
				if err != nil {
					t.Fatal(err)
				}
				if res.Header.Get("X-Cache") != "BYPASS" {
					t.Errorf("X-Cache = %q", res.Header.Get("X-Cache"))
				}
				for i := range 3 {
					want := fmt.Sprintf("message %d", i)
					if err := c.Write(ctx, websocket.MessageText, []byte(want)); err != nil {
						t.Fatal(err)
					}
					if _, got, err := c.Read(ctx); err != nil || string(got) != want {
						t.Fatalf("got %q, %v", got, err)
					}
				}
				c.Close(websocket.StatusNormalClosure, "")
			}
		})
	}
}
