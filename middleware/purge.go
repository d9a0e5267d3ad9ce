package middleware

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/store"
)

// Purge drops what p names; PurgeURL, PurgeTags and PurgeAll are short for it.
// When it returns nil, no request that begins later in this process is answered
// with a response whose handler began before, and within milliseconds none in
// the fleet. After an error, what this process holds is dropped all the same.
//
// Purge after the change is committed: what a handler reads before that may
// still be stored after the purge.
func (c *Cache) Purge(ctx context.Context, p store.Purge) (store.Purged, error) {
	return c.store.Purge(ctx, p)
}

// PurgeTags drops every response that carries one of tags, see Tag. It costs
// the same whatever their number.
func (c *Cache) PurgeTags(ctx context.Context, tags ...string) error {
	_, err := c.store.Purge(ctx, store.Purge{Tags: tags})
	return err
}

// PurgeAll drops everything in the store, other caches' entries there included.
func (c *Cache) PurgeAll(ctx context.Context) error {
	_, err := c.store.Purge(ctx, store.Purge{All: true})
	return err
}

// PurgeURL drops every response stored for the absolute URLs, whatever variant,
// policy or key function it came by: https and http are one here, since behind
// a proxy that ends TLS a program sees the latter. Host and path are as clients
// send them.
func (c *Cache) PurgeURL(ctx context.Context, urls ...string) error {
	var p store.Purge
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil {
			return fmt.Errorf("middleware: PurgeURL: %w", err)
		}
		if u.Host == "" {
			return fmt.Errorf("middleware: PurgeURL: %q is not absolute", s)
		}
		if err := addURL(&p, u.Host, u.RequestURI()); err != nil {
			return fmt.Errorf("middleware: PurgeURL: %w", err)
		}
	}
	_, err := c.store.Purge(ctx, p)
	return err
}

// addURL adds to p what is stored for the target uri at host. Most of it has
// the key that the URL alone gives, and the purge is exact. The rest, made by
// a key function of the policy's own, under a prefix that the router took off,
// or with a forwarding field in the key, carries a tag of the URL.
func addURL(p *store.Purge, host, uri string) error {
	for _, secure := range []bool{false, true} {
		key, err := urlKey(host, uri, secure)
		if err != nil {
			return err
		}
		p.Keys = append(p.Keys, key)
		if !secure {
			p.Tags = append(p.Tags, urlTagPrefix+key)
		}
	}
	return nil
}

// urlKey is the key that keyfunc.Default gives a request for a URL that has
// nothing else that counts.
func urlKey(host, uri string, secure bool) (string, error) {
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return "", err
	}
	r := &http.Request{Method: http.MethodGet, URL: u, Host: host, RequestURI: uri, Header: http.Header{}}
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	key, err := keyfunc.Default(nil, r)
	return string(key), err
}

// urlTagPrefix cannot be in a tag of the user's making by accident.
const urlTagPrefix = "\x00url "

// urlTag returns the tag by which PurgeURL finds the response, or "" where its
// key is enough.
func (x *exchange) urlTag() string {
	uri := x.r.RequestURI
	if uri == "" {
		uri = x.r.URL.RequestURI()
	}
	host, uri := targetOf(x.r.Host, uri)
	key, err := urlKey(host, uri, x.r.TLS != nil)
	if err != nil || key == x.key {
		return ""
	}
	if x.r.TLS != nil {
		key, _ = urlKey(host, uri, false)
	}
	return urlTagPrefix + key
}

// targetOf takes a request line in absolute form apart (RFC 9112 §3.2.2).
func targetOf(host, uri string) (string, string) {
	if !strings.HasPrefix(uri, "/") {
		if u, err := url.Parse(uri); err == nil && u.Host != "" {
			return u.Host, u.RequestURI()
		}
	}
	return host, uri
}

// invalidating drops what is stored for a URL when an unsafe method succeeds
// there (RFC 9111 §4.4): before the answer goes out, so that who has it reads
// what it changed.
type invalidating struct {
	http.ResponseWriter
	rt   *route
	r    *http.Request
	done bool
}

func (w *invalidating) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *invalidating) WriteHeader(status int) {
	if status >= 200 {
		w.decide(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *invalidating) Write(p []byte) (int, error) {
	w.decide(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Flush is for handlers that ask for an http.Flusher.
func (w *invalidating) Flush() { _ = w.FlushError() }

func (w *invalidating) FlushError() error {
	w.decide(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *invalidating) decide(status int) {
	if w.done {
		return
	}
	w.done = true
	if !rfc9111.Invalidates(w.r.Method, status) {
		return
	}
	p := w.rt.purgeOf(w.r, w.Header())
	if _, err := w.rt.cache.store.Purge(context.WithoutCancel(w.r.Context()), p); err != nil {
		w.rt.cache.opts.logger.Warn("purge after an unsafe request failed", "policy", w.rt.policy.Name, "err", err)
	}
}

// purgeOf names what the answer with header h to the unsafe request r
// invalidates: the target URI, and Location and Content-Location of its origin.
func (rt *route) purgeOf(r *http.Request, h http.Header) store.Purge {
	var p store.Purge
	if key, err := rt.policy.Key(nil, r); err == nil {
		p.Keys = append(p.Keys, string(key))
	}
	uri := r.RequestURI
	if uri == "" {
		uri = r.URL.RequestURI()
	}
	host, uri := targetOf(r.Host, uri)
	if err := addURL(&p, host, uri); err != nil {
		return p // a request for what is no URL, such as OPTIONS *
	}
	if target, err := url.Parse("http://" + host + uri); err == nil {
		for _, u := range rfc9111.SameOriginTargets(target, h) {
			_ = addURL(&p, u.Host, u.RequestURI()) // it was parsed before
		}
	}
	return p
}
