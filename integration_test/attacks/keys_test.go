package attacks

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

// minute stores whatever may be.
var minute = reprise.Policy{TTL: time.Minute}

// mirror answers with all that a handler may make of a request's target.
func mirror(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	values, err := url.ParseQuery(r.URL.RawQuery)
	path, _, _ := strings.Cut(r.RequestURI, "?")
	fmt.Fprintf(w, "%s %s %s path=%s raw=%s query=%s bad=%v old=%s strict=%s body=%q", r.Method, r.Host, path, r.URL.Path, r.URL.RawPath,
		values.Encode(), err != nil, oldQuery(r.URL.RawQuery), strictQuery(r.URL.RawQuery), body)
}

// oldQuery is a query as those read it to whom a semicolon separates: the last
// value of each name.
func oldQuery(raw string) string {
	values := make(url.Values)
	for _, pair := range strings.FieldsFunc(raw, func(c rune) bool { return c == '&' || c == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		values.Set(name, value)
	}
	return values.Encode()
}

// strictQuery is a query as those read it who stop at the first pair that is
// wrong.
func strictQuery(raw string) string {
	values := make(url.Values)
	for pair := range strings.SplitSeq(raw, "&") {
		one, err := url.ParseQuery(pair)
		if err != nil {
			break
		}
		for name := range one {
			values[name] = append(values[name], one[name]...)
		}
	}
	return values.Encode()
}

// links answers with links that are made from a header field.
func links(field string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if said := r.Header.Values(field); len(said) > 0 {
			w.Header().Set("Location", fmt.Sprintf("https://%s/login", strings.Join(said, "+")))
			w.WriteHeader(http.StatusMovedPermanently)
		}
		fmt.Fprintf(w, "<script src=%q>", r.Header.Values(field))
	}
}

func targets(list ...string) (rs []request) {
	for _, t := range list {
		rs = append(rs, get(t))
	}
	return rs
}

func keyAttacks() []attack {
	return slices.Concat(reflectedAttacks(), queryAttacks(), methodAttacks(), pathAttacks(), hostAttacks(), tlsAttacks())
}

// reflectedFields is a list of its own, so that a name that is lost from the
// product's is missed.
var reflectedFields = []string{
	"Forwarded", "Front-End-Https", "X-Envoy-Original-Path", "X-Forwarded-Base", "X-Forwarded-Host",
	"X-Forwarded-Path", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Scheme",
	"X-Forwarded-Server", "X-Forwarded-Ssl", "X-Forwarded-Uri", "X-Forwarded-Url", "X-Host", "X-Http-Destinationurl", "X-Http-Host-Override",
	"X-Original-Host", "X-Original-Uri", "X-Original-Url", "X-Proxy-Url", "X-Replaced-Path", "X-Rewrite-Uri", "X-Rewrite-Url", "X-Scheme",
	"X-Script-Name", "X-Url-Scheme",
}

func reflectedAttacks() (all []attack) {
	for _, field := range reflectedFields {
		all = append(all, attack{
			name: "reflected " + field, policy: minute, handler: links(field), stored: true,
			requests: []request{
				get("/page", field+": evil.example"),
				get("/page"),
				get("/page", strings.ToLower(field)+": other.example"),
				get("/page", field+": evil.example", field+": other.example"),
				get("/page", field+": evil.example, other.example"),
				get("/page", field+":"),
			},
		})
	}
	return all
}

func queryAttacks() []attack {
	return []attack{
		{
			name: "query cloaking by semicolons", policy: minute, handler: mirror, stored: true,
			requests: targets("/q?x=1;y=2", "/q?x=1&y=2", "/q?y=2;x=1", "/q?x=1", "/q?x=1;y=3", "/q?x=1%3By=2", "/q?y=2&x=1;x=9", "/q?x=1;x=9&y=2", "/q?y=1;x=2&x=1", "/q?x=1&y=1;x=2"),
		},
		{
			name: "query duplicates and their order", policy: minute, handler: mirror, stored: true,
			requests: targets("/q?x=1&x=2", "/q?x=2&x=1", "/q?x=1", "/q?x=2", "/q?x=1&x=1", "/q?x=1&%78=2", "/q?%78=2&x=1", "/q?x=1,2", "/q?y=0&x=2&x=1"),
		},
		{
			name: "query with bad escapes", policy: minute, handler: mirror, stored: true,
			requests: targets("/q?x=1&y=%zz", "/q?x=1&y=", "/q?x=1", "/q?x=%zz&x=1", "/q?x=1&x=%zz", "/q?%zz=1&x=2", "/q?x=2&%zz=1", "/q?x=2", "/q?x=%", "/q?x=%2"),
		},
		{
			name: "query that is empty, or has no value", policy: minute, handler: mirror, stored: true,
			requests: targets("/q", "/q?", "/q?x", "/q?x=", "/q?=x", "/q?x=&", "/q?+=1", "/q?%20=1", "/q?x=a+b", "/q?x=a%2Bb", "/q?x=a%00b"),
		},
		{
			name: "query of a thousand pairs", policy: minute, handler: mirror, stored: true,
			requests: targets("/q?x=1&"+strings.Repeat("a&", 1000)+"x=2", "/q?x=2&"+strings.Repeat("a&", 1000)+"x=1", "/q?x=1"),
		},
		{
			name: "keys over 512 bytes", policy: minute, handler: mirror, stored: true,
			requests: targets("/"+strings.Repeat("a", 600), "/"+strings.Repeat("a", 601), "/"+strings.Repeat("a", 599)+"b",
				"/"+strings.Repeat("a", 600)+"?x=1", "/"+strings.Repeat("a", 600)+"?x=2"),
		},
		{
			name: "delimiters that forge a key", policy: minute,
			handler: func(w http.ResponseWriter, r *http.Request) {
				mirror(w, r)
				fmt.Fprintf(w, " %q", r.Header.Values("X-Forwarded-Host"))
			},
			requests: []request{
				get("/a", "X-Forwarded-Host: evil"), get("/a|X-Forwarded-Host<evil>"), get("/a"), get("/a%7CX-Forwarded-Host%3Cevil%3E"),
				get("/a?|X-Forwarded-Host<evil>"), get("/a|b"), get("/a?b"), get("/a|?b"), get("/a%3fb"), get("/a", "X-Forwarded-Host: evil>|X-Host<x"),
				get("/a", "X-Forwarded-Host: evil", "X-Host: x"), get("/a?x=<>"), get("/a?x=%3C%3E"), get("/*"), get("/a*"), get("/[a]"), get("/{a}"), get("/{a}b"),
				get("/a%x7C"), get(`/a\b`), get("/a:p1"), get("/a?x=%257C"), get("/a?x=%7C"),
			},
		},
		{name: "glob characters and a purge by pattern", policy: minute, handler: mirror, once: purgeByPattern},
	}
}

// purgeByPattern purges by the key of a URL that has glob characters, as an
// attacker may choose it. Nothing else goes, whatever these match as a glob.
func purgeByPattern(t *testing.T, s *site, clients int) {
	evil := targets("/p/*", "/p/[a]", "/p/q?a?b", `/p/\a`)
	all := append(targets("/p/a", "/p/ab", "/p/{a}", "/p/q?a", "/p/q?aXb", "/p/%5Ca", "/px"), evil...)
	atOnce(clients, func(int) {
		for _, r := range all {
			s.ask(t, r)
			s.ask(t, r)
		}
	})
	for _, gone := range evil {
		if _, err := s.cache.Purge(t.Context(), store.Purge{Match: keyOf(t, gone)}); err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			want := "HIT"
			if r == gone {
				want = "MISS"
			}
			if got := s.ask(t, r); got.xCache() != want {
				t.Errorf("after the purge of %s: %s: %v, want %s", gone.name(), r.name(), got, want)
			}
		}
	}
}

// keyOf is the key under which the answer to r is stored.
func keyOf(t *testing.T, r request) string {
	t.Helper()
	hr, err := http.ReadRequest(bufio.NewReader(strings.NewReader(r.raw)))
	if err != nil {
		t.Errorf("%s: %v", r.name(), err)
		return ""
	}
	key, err := keyfunc.Default(nil, hr)
	if err != nil {
		t.Errorf("%s: %v", r.name(), err)
	}
	return string(key)
}
