package redisstore

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// TestTokenIsReadPastTheLocalTier cuts A off from pushes and replies, and purges
// on B: A serves what it keeps, within its trust window, but not to who has the
// purge's token.
func TestTokenIsReadPastTheLocalTier(t *testing.T) {
	addr := sharedAddr(t)
	for name, purge := range map[string]store.Purge{"key": {Keys: []string{"k"}}, "tag": {Tags: []string{"tag"}}, "soft": {Keys: []string{"k"}, Soft: true}} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, addr)
			o := Options{Addrs: []string{p.addr}, Namespace: randomNamespace(), Trust: 5 * time.Second}
			a := open(t, o)
			o.Addrs = []string{addr}
			b := open(t, o)
			eventually(t, 2*time.Second, "filled", func() bool { return body(b, "k") == "v" || tryFill(b, "k", "v", "tag") == nil })
			eventually(t, 2*time.Second, "A keeps it", func() bool { return body(a, "k") == "v" && isLocal(a, store.Slot{Key: "k"}) })

			p.down.set(true)
			purged, err := b.Purge(ctx, purge)
			if err != nil || purged.Token == "" {
				t.Fatalf("purge: %+v, %v", purged, err)
			}
			if body(a, "k") != "v" {
				t.Fatal("A has heard of it: nothing to see here")
			}
			if it, err := with(a, purged.Token).Get(ctx, "k"); err == nil || errors.Is(err, store.ErrNotFound) {
				t.Errorf("with the token, and Redis silent: %v, %v", it, err)
			}
			p.down.set(false)
			eventually(t, 5*time.Second, "A hears of it", func() bool {
				it, err := with(a, purged.Token).Get(ctx, "k")
				return purge.Soft && err == nil && it.Soft() || !purge.Soft && errors.Is(err, store.ErrNotFound)
			})

			eventually(t, 5*time.Second, "after a heartbeat its bearer reads as everybody else", func() bool {
				g := a.After(purged.Token)
				return g == nil || g == a.asTold()
			})
			if name != "key" {
				return
			}
			eventually(t, o.Trust+5*time.Second, "past the trust window the token is of no use", func() bool { return a.After(purged.Token) == nil })
		})
	}
}

// with is what s shows to the bearer of token.
func with(s *Store, token string) store.Getter {
	if g := s.After(token); g != nil {
		return g
	}
	return s
}

// TestTokenOfALaterPurgeCoversEarlierOnes purges at B, then at A, as a client
// does that writes twice: A's own token must not hide that A has yet to hear of
// the first.
func TestTokenOfALaterPurgeCoversEarlierOnes(t *testing.T) {
	addr := sharedAddr(t)
	p := newProxy(t, addr)
	o := Options{Addrs: []string{p.addr}, Namespace: randomNamespace(), Trust: 5 * time.Second}
	a := open(t, o)
	o.Addrs = []string{addr}
	b := open(t, o)
	eventually(t, 2*time.Second, "filled", func() bool { return body(b, "k") == "v" || tryFill(b, "k", "v") == nil })
	eventually(t, 2*time.Second, "A keeps it", func() bool { return body(a, "k") == "v" && isLocal(a, store.Slot{Key: "k"}) })
	p.down.set(true)
	if _, err := b.Purge(ctx, store.Purge{Keys: []string{"k"}}); err != nil {
		t.Fatal(err)
	}
	token := a.tokens.issue(a.clock()) // as of a purge at A; through the shut gate none returns
	if body(a, "k") != "v" {
		t.Fatal("A has heard of it: nothing to see here")
	}
	if it, err := with(a, token).Get(ctx, "k"); err == nil {
		t.Errorf("with the token: %q", it.Body)
	}
}

func TestTokensThatSayNothing(t *testing.T) {
	s := open(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second})
	fill(t, s, "k", "v") // it has a connection, to have heard of things by
	warm(t, s, "k")
	at := func(d time.Duration) string {
		b := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(d).UnixMilli()))
		return base64.RawURLEncoding.EncodeToString(append(b, make([]byte, 16)...))
	}
	for _, token := range []string{"", "?", "AAAA", at(0)[1:], at(-time.Hour), at(-s.options.Trust - s.options.Timeout - tokenSkew - 100*time.Millisecond)} {
		if g := s.After(token); g != nil {
			t.Errorf("%q: %v", token, g)
		}
	}
	for _, token := range []string{at(0), at(-tokenSkew), at(time.Hour)} { // a clock that is ahead is no reason to show what is old
		if g := s.After(token); g == nil {
			t.Errorf("%q says nothing", token)
		}
	}
	first := s.tokens.sight("t", 1)
	for range maxTokens + 10 {
		s.tokens.issue(2)
	}
	if n := len(s.tokens.seen); n > maxTokens {
		t.Errorf("%d tokens are remembered", n)
	}
	if again := s.tokens.sight("t", 3); first != 1 || again != 3 {
		t.Errorf("first seen at %d, then at %d", first, again)
	}
	if p, err := s.Purge(ctx, store.Purge{Keys: []string{"k"}, DryRun: true}); err != nil || p.Token != "" {
		t.Errorf("a dry run: %+v, %v", p, err)
	}
}

// TestALookAfterAPurgeIsNotOvertaken looks, as one with a token does, while the
// push of the purge and the answer to a later heartbeat come in.
func TestALookAfterAPurgeIsNotOvertaken(t *testing.T) {
	s := open(t, Options{Addrs: []string{freeAddr(t)}})
	c := &conn{s: s}
	slot := store.Slot{Key: "k"}
	var round atomic.Int64 // after, of this round; negative: over
	ended := make(chan int64)
	go func() {
		defer close(ended)
		for {
			after := round.Load()
			if after < 0 {
				return
			}
			if after == 0 {
				continue
			}
			if it := s.local.get(slot, s.clock(), after); it != nil && it.Verified() < uint64(after) {
				ended <- after
				return
			}
		}
	}()
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		round.Store(0)
		it := &item{conn: c, ends: s.clock() + int64(time.Hour)}
		it.Key = "k"
		it.Verify(uint64(s.clock())) // here: when it was put
		s.local.put(it)
		after := s.clock() // the purge has returned, somewhere
		round.Store(after)
		s.local.drop(slot)       // its push
		c.proof.Store(s.clock()) // and the answer to a heartbeat sent after it
		for i := 0; i < 100; i++ {
			round.Load()
		}
		select {
		case <-ended:
			t.Fatal("it got what was dropped before")
		default:
		}
	}
	round.Store(-1)
	for range ended {
		t.Fatal("it got what was dropped before")
	}
}

// TestAStoreWithoutConnectionsVouchesForNothing: who has heard of nothing must
// not say that it has heard of all.
func TestAStoreWithoutConnectionsVouchesForNothing(t *testing.T) {
	s := open(t, Options{Addrs: []string{freeAddr(t)}})
	other := open(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second})
	p, err := other.Purge(ctx, store.Purge{Keys: []string{"k"}})
	if err != nil {
		t.Fatal(err)
	}
	g := s.After(p.Token)
	if g == nil {
		t.Fatal("it needs no token")
	}
	if _, err := g.Get(ctx, "k"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// FuzzToken: what a client sends as a token costs no more than its length, and
// counts only if it is one that was issued a short while ago.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "AAAA", strings.Repeat("A", 32), strings.Repeat("_", 32), strings.Repeat("A", 33), strings.Repeat("A", 31) + "=", strings.Repeat("A\n", 32), strings.Repeat("x", 5000)} {
		f.Add(s, int64(0))
	}
	f.Add("", int64(6800*time.Millisecond))
	f.Add("", int64(7200*time.Millisecond))
	f.Add("", int64(-time.Hour))
	s := &Store{options: Options{Trust: time.Second, Timeout: time.Second}}
	f.Fuzz(func(t *testing.T, token string, age int64) {
		counts := false
		bounded(t, len(token), func() { counts = s.counts(token) })
		bare := strings.NewReplacer("\r", "", "\n", "").Replace(token)
		if counts && (len(bare) != 32 || strings.Trim(bare, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "") {
			t.Errorf("%q counts", token)
		}
		if issued := s.tokens.issue(1); !s.counts(issued) {
			t.Errorf("%q does not count", issued)
		}
		made := time.Now().Add(-time.Duration(age)).UnixMilli()
		b := append(binary.BigEndian.AppendUint64(nil, uint64(made)), make([]byte, 16)...)
		since := time.Since(time.UnixMilli(made))
		if d := since - 7*time.Second; d.Abs() > 100*time.Millisecond && s.counts(base64.RawURLEncoding.EncodeToString(b)) != (d < 0) {
			t.Errorf("a token of %v ago counts: %v", since, d > 0)
		}
	})
}
