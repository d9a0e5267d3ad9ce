package keyfunc_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

// browser is a header as a browser behind a proxy sends it.
func browser(reflected bool) http.Header {
	h := http.Header{
		"Accept": {"text/html"}, "Accept-Encoding": {"gzip, br"}, "Accept-Language": {"en"}, "Cache-Control": {"max-age=0"}, "Cookie": {"a=b; locale=en"},
		"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"none"}, "Upgrade-Insecure-Requests": {"1"},
		"User-Agent": {"x"}, "X-Forwarded-For": {"192.0.2.1"}, "X-Request-Id": {"1"},
	}
	if reflected {
		h["X-Forwarded-Host"] = []string{"example.com"}
		h["X-Forwarded-Proto"] = []string{"https"}
	}
	return h
}

var costs = []struct {
	name, uri string
	header    http.Header
	routed    string
	parts     keyfunc.Parts
}{
	{name: "path", uri: "/products/42"},
	{name: "query", uri: "/products/42?locale=en&currency=USD"},
	{name: "header", uri: "/products/42?locale=en&currency=USD", header: browser(false)},
	{name: "reflected", uri: "/products/42?locale=en&currency=USD", header: browser(true)},
	{name: "escapes", uri: "/caf%C3%A9/a%2fb?q=%C3%A9+x&%61=1"},
	{name: "routed", uri: "/shop/products/42?locale=en", routed: "/products/42"},
	{name: "16 pairs", uri: "/?" + strings.Repeat("b=1&a=2&", 7) + "c&a"},
	{name: "hashed", uri: "/" + strings.Repeat("segment/", 100)},
	{name: "parts", uri: "/p?q=1&utm=2", header: browser(true), parts: keyfunc.Parts{
		OnlyQuery: []string{"q"}, TrustHeaders: []string{"X-Forwarded-Proto"}, Headers: []string{"Accept-Language"}, Cookies: []string{"locale"}, Text: "v2",
	}},
}

func TestNoAllocations(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for _, tt := range costs {
		f := keyfunc.Must(keyfunc.New(tt.parts))
		r := request(t, "shop.example.com", tt.uri)
		r.TLS, r.Header = &tls.ConnectionState{}, tt.header
		if tt.routed != "" {
			r.URL.Path = tt.routed
		}
		if n := testing.AllocsPerRun(100, func() { buf, _ = f(buf[:0], r) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { buf = dataExample(42).Append(buf[:0]) }); n != 0 {
		t.Errorf("data: %v allocations", n)
	}
}

func dataExample(id int64) keyfunc.Builder {
	return keyfunc.Key("product").Int(id).Field("details").Query("locale", "en").Query("currency", "USD")
}

func BenchmarkKey(b *testing.B) {
	for _, bb := range costs {
		b.Run(bb.name, func(b *testing.B) {
			f := keyfunc.Must(keyfunc.New(bb.parts))
			r := request(b, "shop.example.com", bb.uri)
			r.TLS, r.Header = &tls.ConnectionState{}, bb.header
			if bb.routed != "" {
				r.URL.Path = bb.routed
			}
			buf := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = f(buf[:0], r)
			}
		})
	}
}

func BenchmarkData(b *testing.B) {
	b.Run("append", func(b *testing.B) {
		buf := make([]byte, 0, 256)
		b.ReportAllocs()
		for b.Loop() {
			buf = dataExample(42).Append(buf[:0])
		}
	})
	b.Run("string", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = dataExample(42).String()
		}
	})
}
