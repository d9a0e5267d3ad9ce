package redisstore

import (
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

const (
	// tokenSkew is how much the clocks of two instances may differ.
	tokenSkew = 5 * time.Second
	// maxTokens bounds the tokens whose first sight is remembered.
	maxTokens = 4096

	tokenLen = 8 + 16
)

// A token is when its purge returned, by the purger's clock, and a stamp of its
// own, in base64url. When it was first seen here is remembered: an answered
// heartbeat that was sent later proves that this process has heard of the purge,
// and of all that its bearer may have seen before. To compare the clocks of two
// instances would not do, and says only when a token has become useless.
type tokens struct {
	mu   sync.Mutex
	seen map[string]int64 // on the store's clock
}

// issue returns a new token.
func (t *tokens) issue(now int64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, tokenLen), uint64(time.Now().UnixMilli()))
	stamp := store.NewStamp()
	token := base64.RawURLEncoding.EncodeToString(append(b, stamp[:]...))
	t.sight(token, now)
	return token
}

// sight returns when token was first seen. One that is forgotten is seen anew,
// which is on the safe side.
func (t *tokens) sight(token string, now int64) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.seen[token]; ok {
		return at
	}
	if t.seen == nil || len(t.seen) >= maxTokens {
		t.seen = make(map[string]int64)
	}
	t.seen[token] = now
	return now
}

// After is of store.TokenReader. Past Options.Trust no process lags behind: then,
// and 5 s later, by which clocks may differ, a token is of no use any more. Up to
// then, fills without a lease may be under way that the purge could not end, even
// where every connection has heard of it, or none is left.
func (s *Store) After(list ...string) store.Getter {
	var after int64 // the latest sight
	for _, token := range list {
		if s.counts(token) {
			after = max(after, s.tokens.sight(token, s.clock()))
		}
	}
	switch {
	case after == 0:
		return nil
	case !s.beats.allAfter(after):
		return view{s, after}
	case s.clock()-after < s.trust: // of what is stored all is known here
		return s.asTold()
	}
	return nil
}

// counts tells whether token is one, and young enough.
func (s *Store) counts(token string) bool {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != tokenLen {
		return false
	}
	age := time.Since(time.UnixMilli(int64(binary.BigEndian.Uint64(b))))
	return age <= s.options.Trust+s.options.Timeout+tokenSkew
}
