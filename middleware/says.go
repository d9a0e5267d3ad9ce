package middleware

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

// Tag adds tags to the response that is being made under ctx: a purge of any of
// them drops it. Call it from the handler or from anything below it, before
// the handler returns. Where no response is being captured, it does nothing.
//
// A response with more than Limits.Tags tags, or with one over 256 bytes or
// empty, is not stored: a tag that is left out makes a purge lie. Nor is one with a
// tag that begins with "\x00url ", as those of PurgeURL do.
func Tag(ctx context.Context, tags ...string) {
	scratchOf(ctx).tagAll(tags)
}

// NoStore keeps the response that is being made under ctx out of the cache,
// like Cache-Control: no-store, but without telling the client. Call it before
// the handler writes; later it still keeps the response from being stored, but
// requests that wait for it have waited in vain.
func NoStore(ctx context.Context) {
	for s := scratchOf(ctx); s != nil; s = s.outer {
		s.mu.Lock()
		s.noStore = true
		s.mu.Unlock()
	}
}

// SetTTL sets the freshness lifetime of the response that is being made under
// ctx, whatever its header and the policy say; but no-store, private and
// no-cache still win. With d ≤ 0 it is not stored. Call it before the handler
// writes.
func SetTTL(ctx context.Context, d time.Duration) {
	for s := scratchOf(ctx); s != nil; s = s.outer {
		s.mu.Lock()
		s.ttl, s.hasTTL = d, true
		s.mu.Unlock()
	}
}

// A scratch collects what a handler says of its response through its context.
type scratch struct {
	store store.Store // where the response will be
	outer *scratch    // of a cache around this one

	explaining *explaining // what is asked for instead of an answer; or nil

	mu      sync.Mutex
	tags    []string
	noStore bool
	ttl     time.Duration
	hasTTL  bool
}

type scratchKey struct{}

func scratchOf(ctx context.Context) *scratch {
	s, _ := ctx.Value(scratchKey{}).(*scratch)
	return s
}

// A scratchContext is a context with a scratch.
type scratchContext struct {
	context.Context
	scratch *scratch
}

// Value is of context.Context.
func (c *scratchContext) Value(key any) any {
	if key == (scratchKey{}) {
		return c.scratch
	}
	return c.Context.Value(key)
}

// tagAll adds tags to what s collects for, and to what is around that.
func (s *scratch) tagAll(tags []string) {
	for ; s != nil; s = s.outer {
		s.tag(tags)
	}
}

func (s *scratch) tag(tags []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tags = append(s.tags, tags...)
}

// fills tells whether a response is being made for st already, by a policy
// around this one.
func (s *scratch) fills(st store.Store) bool {
	for ; s != nil; s = s.outer {
		if s.store == st {
			return true
		}
	}
	return false
}

// said is what a handler has said so far.
type said struct {
	tags    []string
	noStore bool
	ttl     time.Duration
	hasTTL  bool
}

func (s *scratch) said() said {
	s.mu.Lock()
	defer s.mu.Unlock()
	return said{slices.Clone(s.tags), s.noStore, s.ttl, s.hasTTL}
}
