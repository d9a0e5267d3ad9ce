package keyfunc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/reprise-go/reprise/keyfunc"
)

func ExampleDefault() {
	r := httptest.NewRequest("GET", "/products/42?locale=en&currency=USD", nil)
	key, err := keyfunc.Default(nil, r)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", key)

	r.Header.Set("X-Forwarded-Host", "evil.example")
	key, _ = keyfunc.Default(key[:0], r)
	fmt.Printf("%s\n", key)
	// Output:
	// GET|http|example.com|/products/42|currency=USD&locale=en
	// GET|http|example.com|/products/42|currency=USD&locale=en|X-Forwarded-Host<evil.example>
}

func ExampleNew() {
	f, err := keyfunc.New(keyfunc.Parts{
		OnlyQuery:    []string{"page", "sort"},
		TrustHeaders: []string{"X-Forwarded-Proto"}, // the ingress sets it
		Cookies:      []string{"currency"},
	})
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest("GET", "/products?utm_source=mail&sort=price&page=2", nil)
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("Cookie", "session=secret; currency=EUR")
	key, _ := f(nil, r)
	fmt.Printf("%s\n", key)
	// Output:
	// GET|http|example.com|/products|page=2&sort=price|cookie:currency<EUR>
}

type tenantKey struct{}

// What outer middleware found out about a request, and the handler reads, has
// to be in the key. Without a tenant there is no key, so the request bypasses
// the cache.
func ExampleParts_tenant() {
	perTenant := keyfunc.Must(keyfunc.New(keyfunc.Parts{
		Extra: func(r *http.Request) (string, error) {
			tenant, ok := r.Context().Value(tenantKey{}).(string)
			if !ok {
				return "", errors.New("no tenant")
			}
			return tenant, nil
		},
	}))
	r := httptest.NewRequest("GET", "/products", nil)
	_, err := perTenant(nil, r)
	fmt.Println(err)
	key, _ := perTenant(nil, r.WithContext(context.WithValue(r.Context(), tenantKey{}, "acme")))
	fmt.Printf("%s\n", key)
	// Output:
	// no tenant
	// GET|http|example.com|/products|extra<acme>
}

// A key of one's own that joins what clients send: /a with the header b|c and
// /a|b with the header c share an entry.
func ExampleFunc_incorrect() {
	joined := func(dst []byte, r *http.Request) ([]byte, error) {
		return append(dst, r.URL.Path+"|"+r.Header.Get("X-Shop")...), nil
	}
	one := httptest.NewRequest("GET", "/a", nil)
	one.Header.Set("X-Shop", "b|c")
	two := httptest.NewRequest("GET", "/a%7Cb", nil)
	two.Header.Set("X-Shop", "c")
	for _, f := range []keyfunc.Func{joined, keyfunc.Must(keyfunc.New(keyfunc.Parts{Headers: []string{"X-Shop"}}))} {
		a, _ := f(nil, one)
		b, _ := f(nil, two)
		fmt.Println(string(a) == string(b))
	}
	// Output:
	// true
	// false
}

func ExampleKey() {
	product := keyfunc.Key("product", "42")
	fmt.Println(product)
	fmt.Println(product.Field("details").Query("locale", "en").Query("currency", "USD"))
	fmt.Println(keyfunc.Key("product").Int(42).Field("price"))
	fmt.Println(keyfunc.Key("search").Query("q", "50% off: *").Query("tag", "b").Query("tag", "a"))
	// Output:
	// product:42
	// product:42:details:currency=USD&locale=en
	// product:42:price
	// search:q=50%x25%x20off%x3A%x20%x2A&tag=a&tag=b
}

// The pattern names what is below a key; the key itself is named beside it:
//
//	cache.Purge(ctx, store.Purge{Keys: []string{product.String()}, Match: pattern})
func ExampleBuilder_Pattern() {
	product := keyfunc.Key("product", "*")
	pattern, err := product.Pattern()
	if err != nil {
		panic(err)
	}
	fmt.Println(pattern)
	// Output:
	// product:%x2A:*
}
