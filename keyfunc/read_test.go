package keyfunc

import (
	"crypto/tls"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	r := httptest.NewRequest("GET", "/a%7Cb?y=2&x=1", nil)
	r.TLS = &tls.ConnectionState{}
	r.Header["X-Forwarded-Host"] = []string{"one", "a<b>"}
	key, err := Default(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	want := []Part{
		{"class", "GET"}, {"scheme", "https"}, {"host", "example.com"}, {"path", "/a%7Cb"}, {"query", "x=1&y=2"},
		{"X-Forwarded-Host", "one><a%x3Cb%x3E"},
	}
	if got := Read(string(key)); !slices.Equal(got, want) {
		t.Errorf("%q\n%v, want\n%v", key, got, want)
	}
	long, err := Default(nil, httptest.NewRequest("GET", "/"+strings.Repeat("a", 1000), nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := Read(string(long)); len(got) != 5 || got[4].Name != "sha256" || len(got[4].Value) != 43 {
		t.Errorf("%v", got)
	}
	for _, key := range []string{"", "product:42", "a|b|c|d", "GET|http|host"} {
		if got := Read(key); got != nil {
			t.Errorf("%q: %v", key, got)
		}
	}
}
