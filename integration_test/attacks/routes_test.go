package attacks

import (
	"fmt"
	"net/http"
	"strings"
)

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
	chunked := request{raw: "GET /search HTTP/1.1\r\nHost: " + victimHost + "\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nx=evil\r\n0\r\n\r\n"}
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
		if raw := r.Header.Get("X-Raw"); raw != "" {
			r.URL.RawPath = raw
		}
		next.ServeHTTP(w, r)
	})
}

// control is outer middleware, a front controller, that sends all requests to one
// route. Its handlers go by the request line.
func control(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "/index", "", ""
		next.ServeHTTP(w, r)
	})
}

func pathAttacks() []attack {
	var pages []request // so many that some share a place in a table of a thousand
	for i := range 150 {
		pages = append(pages, get(fmt.Sprint("/page/", i)))
	}
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
				get("/x", "X-Raw: /%78"), get("/x", "X-Raw: /y"), get("/%78"), get("/%78", "X-Raw: /x"),
			},
		},
		{name: "a front controller", policy: minute, front: control, requests: pages, handler: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the page ", r.RequestURI) }},
	}
}

func hostAttacks() []attack {
	host := func(line, host string) request {
		return request{raw: line + "\r\nHost: " + host + "\r\n\r\n"}
	}
	return []attack{
		{
			name: "Host", policy: minute, handler: mirror, stored: true,
			requests: []request{
				get("/"), host("GET / HTTP/1.1", "evil.example"), host("GET / HTTP/1.1", victimHost+":80"), host("GET / HTTP/1.1", victimHost+":1337"),
				host("GET / HTTP/1.1", "VICTIM.example"), host("GET / HTTP/1.1", victimHost+"."), host("GET / HTTP/1.1", ""),
				host("GET http://evil.example/ HTTP/1.1", victimHost), host("GET http://"+victimHost+"/ HTTP/1.1", "evil.example"), host("GET HTTP://"+victimHost+"/ HTTP/1.1", victimHost),
				host("GET / HTTP/1.1", "vanish.example"), host("GET / HTTP/1.1", "vector.example"), // alike in length and some letters
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

// secured is r over TLS.
func secured(r request) request {
	r.secure = true
	return r
}

func tlsAttacks() []attack {
	pages := []request{
		get("/page"), secured(get("/page")), get("/page?x=1"), secured(get("/page?x=1")),
		{raw: "GET https://" + victimHost + "/page HTTP/1.1\r\nHost: " + victimHost + "\r\n\r\n"},
		secured(request{raw: "GET http://" + victimHost + "/page HTTP/1.1\r\nHost: " + victimHost + "\r\n\r\n"}),
		get("/page", "X-Forwarded-Proto: https"), secured(get("/page", "X-Forwarded-Proto: http")),
	}
	return []attack{
		{
			name: "https and http of one host", policy: minute, over: alsoTLS, stored: true, requests: pages,
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Echo", fmt.Sprint(r.TLS != nil))
				mirror(w, r)
			},
		},
		{
			name: "a redirect to https", policy: minute, over: alsoTLS, stored: true, requests: pages,
			handler: func(w http.ResponseWriter, r *http.Request) {
				if r.TLS == nil {
					http.Redirect(w, r, "https://"+r.Host+"/page", http.StatusPermanentRedirect)
					return
				}
				mirror(w, r)
			},
		},
	}
}
