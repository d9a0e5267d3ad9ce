package middleware_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// open returns a cache for one process.
func open() *reprise.Cache {
	st, err := memstore.New(memstore.Options{Bytes: 16 << 20})
	if err != nil {
		log.Fatal(err)
	}
	cache, err := reprise.New(st)
	if err != nil {
		log.Fatal(err)
	}
	return cache
}

// visit prints what h answers to a GET of target, with fields given in pairs.
func visit(h http.Handler, target string, fields ...string) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.RequestURI = r.URL.RequestURI() // as clients send it
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("X-Cache"), w.Body)
}

func Example() {
	cache := open()
	products := reprise.Policy{Name: "products", TTL: time.Minute, StaleWhileRevalidate: 5 * time.Minute, StaleIfError: time.Hour}

	runs := 0
	mux := http.NewServeMux()
	mux.Handle("GET /products/{id}", cache.Handler(products)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		runs++
		fmt.Fprintf(w, "product %s, run %d", r.PathValue("id"), runs)
	})))

	visit(mux, "/products/42")
	visit(mux, "/products/42")
	visit(mux, "/products/43")
	// Output:
	// 200 MISS product 42, run 1
	// 200 HIT product 42, run 1
	// 200 MISS product 43, run 2
}

func Example_chi() {
	cache := open()
	r := chi.NewRouter()
	r.Route("/products", func(r chi.Router) {
		r.Use(cache.Handler(reprise.Policy{Name: "products", TTL: time.Minute}))
		r.Get("/{id}", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "product %s", chi.URLParam(r, "id"))
		})
	})

	visit(r, "/products/42")
	visit(r, "/products/42")
	// Output:
	// 200 MISS product 42
	// 200 HIT product 42
}

// A tag names what a response is made of, so that a change of that drops it,
// wherever it is shown.
func ExampleTag() {
	cache := open()
	price := 10
	h := cache.Handler(reprise.Policy{Name: "pages", TTL: time.Hour})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reprise.Tag(r.Context(), "product:42")
		fmt.Fprintf(w, "%s: %d €", r.URL.Path, price)
	}))
	visit(h, "/products/42")
	visit(h, "/categories/chairs")

	price = 12 // committed; then:
	if _, err := cache.PurgeTags(context.Background(), "product:42"); err != nil {
		log.Fatal(err)
	}
	visit(h, "/products/42")
	visit(h, "/categories/chairs")
	// Output:
	// 200 MISS /products/42: 10 €
	// 200 MISS /categories/chairs: 10 €
	// 200 MISS /products/42: 12 €
	// 200 MISS /categories/chairs: 12 €
}

func ExampleCache_PurgeURL() {
	cache := open()
	h := cache.Handler(reprise.Policy{Name: "pages", TTL: time.Hour, Vary: []string{"Accept-Language"}})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "in ", r.Header.Get("Accept-Language"))
	}))
	visit(h, "https://example.com/about", "Accept-Language", "de")
	visit(h, "https://example.com/about", "Accept-Language", "en")
	if _, err := cache.PurgeURL(context.Background(), "https://example.com/about"); err != nil { // all variants
		log.Fatal(err)
	}
	visit(h, "https://example.com/about", "Accept-Language", "de")
	visit(h, "https://example.com/about", "Accept-Language", "de")
	// Output:
	// 200 MISS in de
	// 200 MISS in en
	// 200 MISS in de
	// 200 HIT in de
}

// A soft purge makes stale instead of dropping: the next request is answered with
// what there was, and has it refreshed.
func ExampleCache_Purge() {
	cache := open()
	h := cache.Handler(reprise.Policy{Name: "pages", TTL: time.Hour, StaleWhileRevalidate: time.Hour})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reprise.Tag(r.Context(), "news")
		fmt.Fprint(w, "news")
	}))
	visit(h, "/")
	if _, err := cache.Purge(context.Background(), store.Purge{Tags: []string{"news"}, Soft: true}); err != nil {
		log.Fatal(err)
	}
	visit(h, "/")
	if err := cache.Close(context.Background()); err != nil { // waits for the refresh
		log.Fatal(err)
	}
	visit(h, "/")
	// Output:
	// 200 MISS news
	// 200 STALE news
	// 200 HIT news
}

// NoStore keeps a response out where the handler finds out that it is nobody else's.
func ExampleNoStore() {
	cache := open()
	h := cache.Handler(reprise.Policy{Name: "search", TTL: time.Hour})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := strings.Contains("chair table", r.URL.Query().Get("q"))
		if !found {
			reprise.NoStore(r.Context()) // whatever people type
		}
		fmt.Fprint(w, "found: ", found)
	}))
	visit(h, "/search?q=chair")
	visit(h, "/search?q=chair")
	visit(h, "/search?q=chiar")
	visit(h, "/search?q=chiar")
	// Output:
	// 200 MISS found: true
	// 200 HIT found: true
	// 200 MISS found: false
	// 200 MISS found: false
}

// SetTTL is for a lifetime that only the handler knows: here, until the auction ends.
func ExampleSetTTL() {
	cache := open()
	h := cache.Handler(reprise.Policy{Name: "auctions"})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ends := time.Now().Add(time.Minute)
		reprise.SetTTL(r.Context(), time.Until(ends))
		fmt.Fprint(w, "going")
	}))
	visit(h, "/auctions/7")
	visit(h, "/auctions/7")
	// Output:
	// 200 MISS going
	// 200 HIT going
}

// Cookies that select a variant are named; all others are then ignored.
func ExampleCookies() {
	cache := open()
	p := reprise.Policy{Name: "shop", TTL: time.Minute, Cookies: reprise.Cookies{Vary: []string{"currency"}, Bypass: []string{"session"}}}
	h := cache.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		currency := "EUR"
		if c, err := r.Cookie("currency"); err == nil {
			currency = c.Value
		}
		fmt.Fprint(w, "prices in ", currency)
	}))
	visit(h, "/", "Cookie", "currency=USD; _ga=1")
	visit(h, "/", "Cookie", "_ga=2; currency=USD")
	visit(h, "/", "Cookie", "_ga=3")
	visit(h, "/", "Cookie", "session=secret; currency=USD")
	// Output:
	// 200 MISS prices in USD
	// 200 HIT prices in USD
	// 200 MISS prices in EUR
	// 200 BYPASS prices in USD
}

// A tenant that outer middleware has found is part of the key.
func ExamplePolicy_key() {
	type tenant struct{}
	key, err := keyfunc.New(keyfunc.Parts{
		OnlyQuery: []string{"page"}, // utm_source and the like make no other page
		Extra: func(r *http.Request) (string, error) {
			t, ok := r.Context().Value(tenant{}).(string)
			if !ok {
				return "", fmt.Errorf("no tenant") // such a request bypasses the cache
			}
			return t, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	cache := open()
	cached := cache.Handler(reprise.Policy{Name: "tenants", TTL: time.Minute, Key: key})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "for ", r.Context().Value(tenant{}))
	}))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.Host, ".")
		cached.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tenant{}, name)))
	})
	visit(h, "http://one.example.com/?page=1&utm_source=a")
	visit(h, "http://one.example.com/?page=1&utm_source=b")
	visit(h, "http://two.example.com/?page=1")
	// Output:
	// 200 MISS for one
	// 200 HIT for one
	// 200 MISS for two
}

// The handler's own header fields decide, if they say anything, and the policy where
// they do not.
func ExamplePolicy_header() {
	cache := open()
	h := cache.Handler(reprise.Policy{Name: "api"})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/prices":
			w.Header().Set("Cache-Control", "max-age=10, stale-while-revalidate=60")
		case "/me":
			w.Header().Set("Cache-Control", "private, max-age=10")
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	for _, path := range []string{"/prices", "/prices", "/me", "/me"} {
		visit(h, path)
	}
	// Output:
	// 200 MISS /prices
	// 200 HIT /prices
	// 200 MISS /me
	// 200 MISS /me
}

func ExampleCache_Explain() {
	cache := open()
	mux := http.NewServeMux()
	mux.Handle("GET /news", cache.Handler(reprise.Policy{Name: "news", TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "visit", Value: "1"})
		fmt.Fprint(w, "news")
	})))

	e := cache.Explain(mux, httptest.NewRequest("GET", "/news?page=2", nil), true)
	text, err := json.MarshalIndent(map[string]any{"policy": e.Policy, "key": e.Key, "outcome": e.Outcome, "reason": e.Reason, "stored": e.Tried.Stored}, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
	// Output:
	// {
	//   "key": "GET|http|example.com|/news|page=2",
	//   "outcome": "miss",
	//   "policy": "news",
	//   "reason": "set-cookie",
	//   "stored": false
	// }
}

// authenticated lets nobody through without a password.
func authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Password") != "secret" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Authentication stands outside of the cache: it runs on a hit as well.
func Example_authentication() {
	cache := open()
	report := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "figures") })
	h := authenticated(cache.Handler(reprise.Policy{Name: "reports", TTL: time.Minute})(report))

	visit(h, "/reports", "X-Password", "secret")
	visit(h, "/reports", "X-Password", "secret")
	visit(h, "/reports")
	// Output:
	// 200 MISS figures
	// 200 HIT figures
	// 401  no
}

// Wrong: with authentication inside, what one who may has asked for is answered to
// anybody. A password in Authorization would not have been shared so, but the cache cannot
// know every field by which a program tells people apart.
func Example_authentication_incorrect() {
	cache := open()
	report := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "figures") })
	h := cache.Handler(reprise.Policy{Name: "reports", TTL: time.Minute})(authenticated(report))

	visit(h, "/reports", "X-Password", "secret")
	visit(h, "/reports") // without it
	// Output:
	// 200 MISS figures
	// 200 HIT figures
}

// compressed compresses for clients that take gzip, and says that it looks at that.
func compressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Encoding")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		fmt.Println("compressing")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		next.ServeHTTP(zipped{w, z}, r)
		_ = z.Close()
	})
}

type zipped struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w zipped) Write(p []byte) (int, error) { return w.z.Write(p) }

// Compression stands inside of the cache: its work is stored, a variant for each
// coding.
func Example_compression() {
	cache := open()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") })
	h := cache.Handler(reprise.Policy{Name: "pages", TTL: time.Minute, Advanced: reprise.Advanced{Encodings: []string{"gzip"}}})(compressed(page))

	for range 2 {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", "gzip, br")
		h.ServeHTTP(w, r)
		fmt.Println(w.Header().Get("X-Cache"), w.Header().Get("Content-Encoding"))
	}
	visit(h, "/") // no gzip
	// Output:
	// compressing
	// MISS gzip
	// HIT gzip
	// 200 MISS page
}
