package attacks

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

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
	fmt.Fprintf(w, "%s %s %s %s query=%s bad=%v old=%s body=%q", r.Method, r.Host, path, r.URL.Path, values.Encode(), err != nil, oldQuery(r.URL.RawQuery), body)
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
	return slices.Concat(reflectedAttacks(), queryAttacks(), methodAttacks(), pathAttacks(), hostAttacks())
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
			requests: targets("/q?x=1&y=%zz", "/q?x=1&y=", "/q?x=1", "/q?x=%zz&x=1", "/q?x=1&x=%zz", "/q?%zz=1&x=2", "/q?x=2", "/q?x=%", "/q?x=%2"),
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

// purgeByPattern purges by a pattern that names one URL with a glob character
// in it, whose neighbours match the bare characters.
func purgeByPattern(t *testing.T, s *site, clients int) {
	all := []string{"/p/*", "/p/a", "/p/ab", "/p/[a]", "/p/{a}", "/p/?", "/px"}
	atOnce(clients, func(int) {
		for _, target := range all {
			s.ask(t, get(target))
			s.ask(t, get(target))
		}
	})
	// As keys show it: the asterisk is escaped in the key, so that the glob's own
	// matches only what follows the path.
	if _, err := s.cache.Purge(t.Context(), store.Purge{Match: "GET|http|" + victimHost + `|/p/%x2A*`}); err != nil {
		t.Fatal(err)
	}
	for _, target := range all {
		want := "HIT"
		if target == "/p/*" {
			want = "MISS"
		}
		if got := s.ask(t, get(target)); got.xCache() != want {
			t.Errorf("after the purge of /p/*: %s: %v, want %s", target, got, want)
		}
	}
}

// obey is a handler, or a framework around it, that lets a field override the
// method.
func obey(w http.ResponseWriter, r *http.Request) {
	for _, field := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if m := r.Header.Get(field); m != "" {
			fmt.Fprint(w, "done: ", m)
			return
		}
	}
	mirror(w, r)
}

func methodAttacks() (all []attack) {
	for _, field := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		all = append(all, attack{
			name: "method override by " + field, policy: minute, handler: obey,
			requests: []request{get("/item", field+": DELETE"), get("/item"), get("/item", strings.ToLower(field)+": POST"), get("/item", field+": HEAD")},
		})
	}
	chunked := request{raw: "GET /search HTTP/1.1\r\nHost: " + victimHost + "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n6\r\nx=evil\r\n0\r\n\r\n"}
	return append(all,
		attack{
			name: "fat GET", policy: minute, handler: mirror,
			requests: []request{ask("GET", "/search", "x=evil"), chunked, get("/search"), ask("GET", "/search", "x=other", "Content-Type: application/x-www-form-urlencoded"), ask("HEAD", "/search", "x=1")},
		},
		attack{
			name: "odd methods", policy: minute, handler: mirror,
			requests: []request{
				ask("get", "/item", ""), ask("Get", "/item", ""), get("/item"), ask("GETX", "/item", ""), ask("QUERY", "/item", ""), ask("PURGE", "/item", ""),
				ask("OPTIONS", "/item", ""), ask("TRACE", "/item", ""), ask("POST", "/item", "x=1"), ask("head", "/item", ""),
			},
		},
		attack{
			name: "asks for events or for another protocol", policy: minute,
			handler: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header["Accept"], r.Header["Upgrade"]) },
			// The victim's own fields are none of those the handler goes by.
			requests: []request{get("/item", "Accept: text/event-stream"), get("/item"), get("/item", "accept: text/html, TEXT/EVENT-STREAM"), get("/item", "Connection: Upgrade", "Upgrade: evil")},
		},
	)
}

// mount is a program that has one cache and the same handler thrice.
func mount(cached func(http.Handler) http.Handler) http.Handler {
	mux := http.NewServeMux()
	for _, prefix := range []string{"/shop", "/blog", "/wiki"} {
		mux.Handle(prefix+"/", http.StripPrefix(prefix, cached(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, prefix, " ", r.URL.Path)
		}))))
	}
	return mux
}

// rewrite is outer middleware that lets a field choose what the router sees.
func rewrite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tenant := r.Header.Get("X-Tenant"); tenant != "" {
			r.URL.Path, r.URL.RawPath = "/"+tenant+r.URL.Path, ""
		}
		if lang := r.Header.Get("X-Lang"); lang != "" {
			r.URL.RawQuery = "lang=" + lang
		}
		next.ServeHTTP(w, r)
	})
}

func pathAttacks() []attack {
	return []attack{
		{
			name: "paths that are nearly the same", policy: minute, handler: mirror,
			requests: targets("/a/b", "/a%2fb", "/a%2Fb", "//a/b", "/a//b", "/x/../a/b", "/a/./b", "/a/b/", "/A/b", "/a/b;x", "/a/b%00", "/a/b%20", "/a%2f..%2fb", "/%61/b", "/a/b#x", "/a%252fb", `/a\b`, "/a/b."),
		},
		{name: "three mounts on one cache", policy: minute, build: mount, stored: true, requests: targets("/shop/x", "/blog/x", "/wiki/x", "/shop/blog/x", "/blog/shop/x")},
		{
			name: "a rewriting front", policy: minute, handler: mirror, front: rewrite, stored: true,
			requests: []request{
				get("/x", "X-Tenant: evil"), get("/x"), get("/x", "X-Tenant: other"), get("/evil/x"), get("/x?lang=de"), get("/x", "X-Lang: de"), get("/x?lang=en", "X-Lang: de"),
			},
		},
	}
}

func hostAttacks() []attack {
	host := func(line, host string) request {
		return request{raw: line + "\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"}
	}
	return []attack{
		{
			name: "Host", policy: minute, handler: mirror, stored: true,
			requests: []request{
				get("/"), host("GET / HTTP/1.1", "evil.example"), host("GET / HTTP/1.1", victimHost+":80"), host("GET / HTTP/1.1", victimHost+":1337"),
				host("GET / HTTP/1.1", "VICTIM.example"), host("GET / HTTP/1.1", victimHost+"."), host("GET / HTTP/1.1", ""),
				host("GET http://evil.example/ HTTP/1.1", victimHost), host("GET http://"+victimHost+"/ HTTP/1.1", "evil.example"), host("GET HTTP://"+victimHost+"/ HTTP/1.1", victimHost),
				host("GET http://user@"+victimHost+"/ HTTP/1.1", victimHost), host("GET https://"+victimHost+"/ HTTP/1.1", victimHost),
			},
		},
		{
			name: "Host twice, or in HTTP/1.0", policy: minute, handler: mirror,
			requests: []request{
				get("/"), host("GET / HTTP/1.1", "evil|x"), host("GET / HTTP/1.1\r\nHost: evil.example", victimHost), {raw: "GET / HTTP/1.0\r\n\r\n"}, host("GET / HTTP/1.0", "evil.example"),
			},
		},
	}
}
