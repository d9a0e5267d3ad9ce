package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
)

// A site is an origin and what is in front of it, of net/http or of fiber.
type site struct {
	origin *origin
	http   http.Handler
	fiber  *fiber.App              // where http is nil
	fast   fasthttp.RequestHandler // of fiber
	close  func()
}

func httpSite(o *origin, h http.Handler, closing func()) *site {
	return &site{origin: o, http: h, close: closing}
}

func fiberSite(o *origin, app *fiber.App, closing func()) *site {
	return &site{origin: o, fiber: app, fast: app.Handler(), close: closing}
}

// serve answers whoever connects to l.
func (s *site) serve(l net.Listener) error {
	if s.fiber != nil {
		return s.fiber.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
	}
	return http.Serve(l, s.http)
}

// get is of target.
func (s *site) get(path string) error {
	if s.fiber != nil {
		ctx := fastRequest(path)
		s.fast(ctx)
		return s.origin.check(ctx.Response.StatusCode(), ctx.Response.Body())
	}
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, request(path))
	return s.origin.check(w.Code, w.Body.Bytes())
}

// runs is of target.
func (s *site) runs() (int64, error) { return s.origin.runs.Load(), nil }

// check makes sure that an answer is o's.
func (o *origin) check(status int, body []byte) error {
	if status != http.StatusOK || !bytes.Equal(body, o.body) {
		return fmt.Errorf("wrong answer: status %d and %d bytes, not the %d", status, len(body), len(o.body))
	}
	return nil
}

// request returns a GET of path with what many clients send.
func request(path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("User-Agent", "bench")
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Accept-Encoding", "gzip")
	return r
}

// fastRequest is request for fasthttp.
func fastRequest(path string) *fasthttp.RequestCtx {
	ctx := new(fasthttp.RequestCtx)
	r := &ctx.Request
	r.SetRequestURI(path)
	r.SetHost("example.com")
	r.Header.Set("User-Agent", "bench")
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Accept-Encoding", "gzip")
	return ctx
}
