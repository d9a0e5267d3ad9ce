package middleware

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// Purge drops what p names; PurgeURL, PurgeTags and PurgeAll are short for it.
// When it returns nil, no request that begins later in this process is answered
// with a response whose handler began before, and within milliseconds none in
// the fleet. After an error, what this process holds is dropped all the same.
// With Purged.Token nobody need wait those milliseconds: see WithTokens.
//
// Purge after the change is committed: what a handler reads before that may
// still be stored after the purge.
func (c *Cache) Purge(ctx context.Context, p store.Purge) (store.Purged, error) {
	began := c.clock.now()
	done, err := c.store.Purge(ctx, p)
	c.purges.add(PurgeEvent{
		At: began.time(), Keys: head(p.Keys), Tags: head(slices.DeleteFunc(slices.Clone(p.Tags), isURLTag)), Match: p.Match, All: p.All,
		Soft: p.Soft, DryRun: p.DryRun, Count: done.Count, Took: c.clock.now().since(began), Err: text(err),
	})
	return done, err
}

// PurgeTags drops every response that carries one of tags, see Tag. It costs
// the same whatever their number.
func (c *Cache) PurgeTags(ctx context.Context, tags ...string) (store.Purged, error) {
	return c.Purge(ctx, store.Purge{Tags: tags})
}

// PurgeAll drops everything in the store, other caches' entries there included.
func (c *Cache) PurgeAll(ctx context.Context) (store.Purged, error) {
	return c.Purge(ctx, store.Purge{All: true})
}

// PurgeURL drops every response stored for the absolute URLs, whatever variant,
// policy or key function it came by: https and http are one here, since behind
// a proxy that ends TLS a program sees the latter. Host and path are as clients
// send them.
func (c *Cache) PurgeURL(ctx context.Context, urls ...string) (store.Purged, error) {
	p, err := c.PurgeOf(urls...)
	if err != nil {
		return store.Purged{}, err
	}
	return c.Purge(ctx, p)
}

// PurgeOf returns what PurgeURL purges: to have it purged softly, or counted.
func (c *Cache) PurgeOf(urls ...string) (p store.Purge, err error) {
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil {
			return p, fmt.Errorf("middleware: PurgeURL: %w", err)
		}
		if u.Host == "" {
			return p, fmt.Errorf("middleware: PurgeURL: %q is not absolute", s)
		}
		if err := c.addURL(&p, u.Host, u.RequestURI()); err != nil {
			return p, fmt.Errorf("middleware: PurgeURL: %w", err)
		}
	}
	return p, nil
}

// addURL adds to p what is stored for the target uri at host, by any policy.
// Most of it has the key that the policy's key function gives the URL alone,
// and the purge is exact. The rest, under a prefix that the router took off or
// with a header field or cookie in its key, carries that key as a tag.
func (c *Cache) addURL(p *store.Purge, host, uri string) error {
	for _, f := range c.keyFuncs() {
		for _, secure := range []bool{false, true} {
			key, err := bareKey(f, host, uri, secure)
			if err != nil {
				return err
			}
			p.Keys = append(p.Keys, key)
			if !secure {
				p.Tags = append(p.Tags, urlTagPrefix+key)
			}
		}
	}
	return nil
}

// keyFuncs returns the key functions of all policies; keyfunc.Default always.
func (c *Cache) keyFuncs() []keyfunc.Func {
	c.mu.Lock()
	defer c.mu.Unlock()
	funcs := []keyfunc.Func{keyfunc.Default}
	for _, h := range c.policies {
		if !h.defaultKey {
			funcs = append(funcs, h.policy.Key)
		}
	}
	return funcs
}

// bareKey is the key that f gives a request for a URL that has nothing else.
func bareKey(f keyfunc.Func, host, uri string, secure bool) (string, error) {
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return "", err
	}
	r := &http.Request{Method: http.MethodGet, URL: u, Host: host, RequestURI: uri, Header: http.Header{}}
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	key, err := f(nil, r)
	if err != nil { // it needs more than a URL: its entries have the URL's tag
		key, err = keyfunc.Default(nil, r)
	}
	return string(key), err
}

// urlTagPrefix begins a tag of ours. The user's, which begin otherwise, stand before it.
const urlTagPrefix = "\x00url "

func isURLTag(tag string) bool { return strings.HasPrefix(tag, urlTagPrefix) }

// userTags returns tags without the one of the URL, which is the last.
func userTags(tags []string) []string {
	if n := len(tags); n > 0 && isURLTag(tags[n-1]) {
		return tags[:n-1]
	}
	return tags
}

// urlTag returns the tag by which PurgeURL finds the response, or "" where its
// key is enough.
func (x *exchange) urlTag() string {
	if x.plainKey && isBare(x.key, x.r.RequestURI) {
		return ""
	}
	host, uri := targetOf(x.r)
	secure := x.r.TLS != nil
	key, err := bareKey(x.rt.policy.Key, host, uri, secure)
	if err != nil || key == x.key {
		return ""
	}
	if secure {
		key, _ = bareKey(x.rt.policy.Key, host, uri, false)
	}
	return urlTagPrefix + key
}

// targetOf returns host and target of r as its request line had them, one in
// absolute form (RFC 9112 §3.2.2) taken apart.
func targetOf(r *http.Request) (host, uri string) {
	uri = r.RequestURI
	if uri == "" {
		uri = r.URL.RequestURI()
	}
	if !strings.HasPrefix(uri, "/") {
		if u, err := url.Parse(uri); err == nil && u.Host != "" {
			return u.Host, u.RequestURI()
		}
	}
	return r.Host, uri
}

// maxInvalidation bounds how long the answer to an unsafe request waits for its
// purge, where the store cannot be reached. Who must know calls PurgeURL.
const maxInvalidation = 100 * time.Millisecond

// invalidating drops what is stored for a URL when an unsafe method succeeds
// there (RFC 9111 §4.4): before the answer goes out, so that who has it reads
// what it changed.
type invalidating struct {
	http.ResponseWriter
	rt   *route
	r    *http.Request
	x    *exchange // of a POST whose answer may be stored; or nil
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

// Hijack is for handlers that ask for an http.Hijacker.
func (w *invalidating) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.decide(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func (w *invalidating) decide(status int) {
	if w.done {
		return
	}
	w.done = true
	member := w.rt.cache.opts.name + "; fwd=method"
	if w.x != nil && w.x.stored() {
		member = w.x.forwardedStatus()
	}
	w.rt.stamp(w.Header(), swr.Bypass, member)
	if !rfc9111.Invalidates(w.r.Method, status) {
		return
	}
	p := w.rt.purgeOf(w.r, w.Header())
	if w.x != nil && w.x.stored() { // it has replaced what it would drop
		p.Keys = slices.DeleteFunc(p.Keys, func(key string) bool { return key == w.x.key })
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.r.Context()), maxInvalidation)
	defer cancel()
	purged, err := w.rt.cache.store.Purge(ctx, p)
	if err != nil {
		w.rt.cache.opts.logger.Warn("purge after an unsafe request failed", "policy", w.rt.policy.Name, "err", err)
	}
	w.rt.cache.SetToken(w.ResponseWriter, purged.Token)
}

// purgeOf names what the answer with header h to the unsafe request r
// invalidates: the target URI, and Location and Content-Location of its origin.
func (rt *route) purgeOf(r *http.Request, h http.Header) (p store.Purge) {
	if r.URL == nil {
		return p
	}
	if key, err := rt.policy.Key(nil, r); err == nil {
		p.Keys = append(p.Keys, string(key))
	}
	host, uri := targetOf(r)
	if err := rt.cache.addURL(&p, host, uri); err != nil {
		return p // a request for what is no URL, such as OPTIONS *
	}
	// Behind a proxy that ends TLS a program does not know its own scheme.
	for _, scheme := range []string{"http", "https"} {
		target, err := url.Parse(scheme + "://" + host + uri)
		if err != nil {
			return p
		}
		for _, u := range rfc9111.SameOriginTargets(target, h) {
			_ = rt.cache.addURL(&p, u.Host, u.RequestURI()) // it was parsed before
		}
	}
	return p
}
