package admin_test

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/store/memstore"
)

// basicAuth lets in who knows the password. Hashes have one length, so that the
// comparison tells nothing of the password's.
func basicAuth(password string) func(*http.Request) (string, bool) {
	want := sha256.Sum256([]byte(password))
	return func(r *http.Request) (string, bool) {
		user, sent, ok := r.BasicAuth()
		got := sha256.Sum256([]byte(sent))
		return user, ok && subtle.ConstantTimeCompare(got[:], want[:]) == 1
	}
}

// The handler is mounted beside the program's routes, for who knows a password.
func Example() {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	cache, err := reprise.New(st)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	products := reprise.Policy{Name: "products", TTL: time.Minute}
	mux.Handle("GET /products/{id}", cache.Handler(products)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reprise.Tag(r.Context(), "product:"+r.PathValue("id"))
		fmt.Fprintln(w, "product", r.PathValue("id"))
	})))
	console, err := admin.New(admin.Options{
		Cache: cache, Routes: mux, Authorize: basicAuth("open sesame"), Challenge: `Basic realm="admin", charset="UTF-8"`,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer console.Close()
	mux.Handle("/admin/", http.StripPrefix("/admin", console))

	product := httptest.NewRequest("GET", "/products/1", nil)
	product.Host = "shop.example"
	mux.ServeHTTP(httptest.NewRecorder(), product)

	purge := httptest.NewRequest("POST", "/admin/purge", strings.NewReader(`{"urls": ["http://shop.example/products/1"], "dry_run": true}`))
	purge.Header.Set("Content-Type", "application/json")
	for _, password := range []string{"", "open sesame"} {
		purge.SetBasicAuth("ann", password)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, purge)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 401 {"error":"unauthorized"}
	// 200 {"count":1,"at_least":true}
}
