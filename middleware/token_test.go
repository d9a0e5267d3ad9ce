package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// A lagging store is one of two instances: it has not heard of the purge with
// the token, and shows what is dropped to all but its bearers.
type lagging struct {
	store.Store
	token string
	asked int // how often by a bearer
}

func (l *lagging) Purge(ctx context.Context, p store.Purge) (store.Purged, error) {
	purged, err := l.Store.Purge(ctx, store.Purge{Keys: []string{"nothing"}})
	purged.Token = l.token
	return purged, err
}

func (l *lagging) After(tokens ...string) store.Getter {
	if !slices.Contains(tokens, l.token) {
		return nil
	}
	return empty{l}
}

type empty struct{ *lagging }

func (e empty) Get(context.Context, string) (*store.Item, error) {
	e.asked++
	return nil, store.ErrNotFound
}

func (e empty) Variant(context.Context, *store.Item, string) (*store.Item, error) {
	return nil, store.ErrNotFound
}

var tokenSecret = []byte("sixteen bytes or")

func tokenSite(t *testing.T, h http.HandlerFunc) (*lagging, *reprise.Cache, http.Handler) {
	t.Helper()
	inner, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &lagging{Store: inner, token: "dG9rZW4"}
	cache, err := reprise.New(l, reprise.WithTokens(tokenSecret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close(context.Background()) })
	p := plain
	p.Name = "tokens"
	return l, cache, cache.Handler(p)(h)
}

func ask(h http.Handler, method string, change func(*http.Request) *http.Request) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://example.com/p", nil)
	if change != nil {
		r = change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func withCookie(line string) func(*http.Request) *http.Request {
	return func(r *http.Request) *http.Request {
		r.Header.Set("Cookie", line)
		return r
	}
}

func TestATokenIsAnsweredPastWhatTheInstanceKeeps(t *testing.T) {
	runs := 0
	var cookies []string
	l, _, h := tokenSite(t, func(w http.ResponseWriter, r *http.Request) {
		runs++
		cookies = r.Header["Cookie"]
		fmt.Fprint(w, "run ", runs)
	})
	want := func(w *httptest.ResponseRecorder, xCache string, run int) {
		t.Helper()
		if got := w.Header().Get("X-Cache"); got != xCache || runs != run {
			t.Errorf("%s after %d runs, want %s after %d", got, runs, xCache, run)
		}
	}
	want(ask(h, "GET", nil), "MISS", 1)
	want(ask(h, "GET", nil), "HIT", 1)

	post := ask(h, "POST", nil) // its answer brings the token
	set := post.Result().Cookies()
	if len(set) != 1 || set[0].Name != "reprise-token" || !set[0].HttpOnly || set[0].SameSite != http.SameSiteLaxMode || set[0].Path != "/" {
		t.Fatalf("Set-Cookie: %v", set)
	}
	cookie := set[0].Name + "=" + set[0].Value
	want(ask(h, "GET", nil), "HIT", 2) // who has none sees what this instance sees

	want(ask(h, "GET", withCookie(cookie)), "MISS", 3)
	if cookies != nil || l.asked == 0 {
		t.Errorf("the handler saw %q; the store was asked %d times by a bearer", cookies, l.asked)
	}
	want(ask(h, "GET", func(r *http.Request) *http.Request {
		return r.WithContext(reprise.WithToken(r.Context(), l.token))
	}), "MISS", 4)
	want(ask(h, "GET", withCookie("a=1; "+cookie+"; b=2")), "MISS", 5)
	if strings.Join(cookies, "|") != "a=1; b=2" {
		t.Errorf("the handler saw %q", cookies)
	}
	for _, forged := range []string{
		"reprise-token=" + l.token, "reprise-token=" + l.token + ".", "reprise-token=" + l.token + "." + strings.Repeat("A", 22),
		"reprise-token=", "reprise-token", strings.Replace(cookie, l.token, l.token+"x", 1), cookie[:len(cookie)-1],
	} {
		want(ask(h, "GET", withCookie(forged)), "HIT", 5)
	}
}

func TestTokensWithoutAKeyComeByContextAlone(t *testing.T) {
	inner, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := reprise.New(&lagging{Store: inner, token: "t"}, reprise.WithTokens(nil))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if cache.SetToken(w, "t"); len(w.Header()) != 0 {
		t.Errorf("it signs with no key: %v", w.Header())
	}
	_, err = reprise.New(inner, reprise.WithTokens([]byte("short")))
	var oe *reprise.OptionError
	if !errors.As(err, &oe) || oe.Option != "WithTokens" || strings.Contains(err.Error(), "short") {
		t.Errorf("a short key: %v", err)
	}
}

// A program's own token, which is spent, comes with a later one in the cookie.
func TestOfTwoTokensEachCounts(t *testing.T) {
	inner, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &lagging{Store: inner, token: "bmV3"}
	cache, err := reprise.New(l, reprise.WithTokens(tokenSecret))
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	h := cache.Handler(plain)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { runs++ }))
	ask(h, "GET", nil)
	w := httptest.NewRecorder()
	cache.SetToken(w, l.token)
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	ask(h, "GET", func(r *http.Request) *http.Request {
		r.Header.Set("Cookie", cookie)
		return r.WithContext(reprise.WithToken(r.Context(), "c3BlbnQ"))
	})
	if runs != 2 {
		t.Error("the cookie's token was not looked at")
	}
}

// What the token's cookie stands beside reaches key, variant and handler as it came.
func TestTheCookiesBesideATokenStayAsTheyAre(t *testing.T) {
	var got string
	l, cache, _ := tokenSite(t, nil)
	p := plain
	p.Name, p.Cookies.Vary = "vary", []string{"a"}
	h := cache.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r.Header.Get("Cookie") }))
	w := httptest.NewRecorder()
	cache.SetToken(w, l.token)
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	for line, want := range map[string]string{
		"a=1 ;b=2; " + cookie:       "a=1 ;b=2",
		cookie + ";a=2 ;b=2":        "a=2 ;b=2",
		"a=3 ; " + cookie + "; b=2": "a=3 ; b=2",
		"a=4 ;my-reprise-token=1":   "a=4 ;my-reprise-token=1",
		"a=reprise-token ;b=2":      "a=reprise-token ;b=2",
	} {
		if ask(h, "GET", withCookie(line)); got != want {
			t.Errorf("of %q the handler sees %q", line, got)
		}
	}
}
