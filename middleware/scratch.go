package middleware

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Tag adds tags to the response that is being made under ctx: a purge of any of
// them drops it. Call it from the handler or from anything below it, before
// the handler returns. Where no response is being captured, it does nothing.
//
// A response with more than Limits.Tags tags, or with one over 256 bytes or
// empty, is not stored: a tag that is left out makes a purge lie.
func Tag(ctx context.Context, tags ...string) {
	if s := scratchOf(ctx); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tags = append(s.tags, tags...)
	}
}

// NoStore keeps the response that is being made under ctx out of the cache,
// like Cache-Control: no-store, but without telling the client. Call it before
// the handler writes; later it still keeps the response from being stored, but
// requests that wait for it have waited in vain.
func NoStore(ctx context.Context) {
	if s := scratchOf(ctx); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.noStore = true
	}
}

// SetTTL sets the freshness lifetime of the response that is being made under
// ctx, whatever its header and the policy say; but no-store, private and
// no-cache still win. With d ≤ 0 it is not stored. Call it before the handler
// writes.
func SetTTL(ctx context.Context, d time.Duration) {
	if s := scratchOf(ctx); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ttl, s.hasTTL = d, true
	}
}

// A scratch collects what a handler says of its response through its context.
type scratch struct {
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
