package middleware

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/reprise-go/reprise/store"
)

const (
	// tokenCookie carries a token to whichever instance the client asks next.
	tokenCookie = "reprise-token"
	// tokenAge is how long a client keeps it: as long as it can matter with any
	// of redisstore's settings, but for an Options.Trust of nearly a minute.
	tokenAge    = time.Minute
	minTokenKey = 16
	// maxTokens is how many cookies of one request are looked at: checking a
	// signature takes longer than sending one.
	maxTokens = 4
)

// WithTokens lets clients read their own writes at any instance of a fleet,
// where others may see for some milliseconds, and in a partition for longer,
// what a purge at another instance has dropped. A request with a token is
// answered as if its purge had been made here, as long as the clocks of the
// instances differ by less than five seconds.
//
// The token of a purge, Purged.Token, travels in a context (WithToken), or in a
// cookie (SetToken) that is signed with key: the same at all instances, and at
// least 16 bytes long. The answer to an unsafe request sets the cookie by itself.
// With a nil key there is no cookie. It counts neither as a cookie of the request
// nor in Vary, and handlers do not see it.
func WithTokens(key []byte) Option {
	return func(o *options) { o.tokens, o.tokenKey = true, key }
}

type tokenKey struct{}

// WithToken returns a context for requests that must see what the purge with
// this token has left. It takes a Cache made with WithTokens.
func WithToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, tokenKey{}, token)
}

// SetToken gives the client the token of a purge, to send with what it asks
// next: call it before the header is written. It does nothing for a Cache
// without WithTokens and a key, and for an empty token.
func (c *Cache) SetToken(w http.ResponseWriter, token string) {
	if c.tokens == nil || c.tokens.key == nil || token == "" {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: tokenCookie, Value: token + "." + c.tokens.sign(token), Path: "/",
		MaxAge: int(tokenAge.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

type tokens struct {
	store store.TokenReader
	key   []byte // of the cookie's signature; nil: no cookie
}

// read returns r without the cookie, and what the store shows to who has the
// tokens that came with it; nil: the same as to all.
func (t *tokens) read(r *http.Request) (*http.Request, store.Getter) {
	if t == nil {
		return r, nil
	}
	var tokens []string
	if own, ok := r.Context().Value(tokenKey{}).(string); ok {
		tokens = append(tokens, own)
	}
	if t.key != nil && hasToken(r.Header["Cookie"]) {
		r, tokens = t.take(r, tokens)
	}
	if len(tokens) == 0 {
		return r, nil
	}
	return r, t.store.After(tokens...)
}

func hasToken(lines []string) bool {
	for _, line := range lines {
		if strings.Contains(line, tokenCookie) {
			return true
		}
	}
	return false
}

// take returns the request without the cookie, and adds the cookie's token to
// tokens if the signature is ours. Who sends it more often than maxTokens times is
// no browser.
func (t *tokens) take(r *http.Request, tokens []string) (*http.Request, []string) {
	sent := 0
	for value := range cookies(r.Header, tokenCookie) {
		signed, signature, _ := strings.Cut(textproto.TrimString(value), ".")
		if hmac.Equal([]byte(signature), []byte(t.sign(signed))) {
			tokens = append(tokens, signed)
		}
		if sent++; sent == maxTokens {
			break
		}
	}
	r = r.WithContext(r.Context())
	r.Header = r.Header.Clone()
	lines := r.Header["Cookie"]
	r.Header.Del("Cookie")
	for _, line := range lines {
		if left, others := withoutToken(line); others {
			r.Header["Cookie"] = append(r.Header["Cookie"], left)
		}
	}
	return r, tokens
}

// withoutToken returns a line of cookies without ours, and whether there are any
// others. They stay as they came: spaces may be in values that select.
func withoutToken(line string) (left string, rest bool) {
	var others []string
	sent := 0
	for pair := range strings.SplitSeq(line, ";") {
		sent++
		if name, _, _ := strings.Cut(pair, "="); textproto.TrimString(name) != tokenCookie {
			others = append(others, pair)
		}
	}
	if len(others) == sent {
		return line, true
	}
	left = textproto.TrimString(strings.Join(others, ";"))
	return left, strings.Trim(left, "; \t\r\n") != ""
}

func (t *tokens) sign(token string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte("reprise token\x00" + token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
