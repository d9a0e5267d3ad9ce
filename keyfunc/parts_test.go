package keyfunc_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

func TestParts(t *testing.T) {
	h := http.Header{
		"X-Forwarded-Host":  {"fwd"},
		"X-Forwarded-Proto": {"https"},
		"Accept-Language":   {"de", "en"},
		"X-Empty":           {""},
		"Cookie":            {`locale=de; a="x y" ; theme = dark;none`, "locale=en"},
	}
	const fwd = "|X-Forwarded-Host<fwd>|X-Forwarded-Proto<https>"
	for _, tt := range []struct {
		name  string
		parts keyfunc.Parts
		uri   string
		want  string
	}{
		{"zero", keyfunc.Parts{}, "/p?b&a", "GET|http|h|/p|a&b" + fwd},
		{"no host", keyfunc.Parts{IgnoreHost: true}, "/p", "GET|http|<any>|/p" + fwd},
		{"no query", keyfunc.Parts{IgnoreQuery: true}, "/p?b&a", "GET|http|h|/p" + fwd},
		{"no query, not even a bad one", keyfunc.Parts{IgnoreQuery: true}, "/p?b;a=%zz", "GET|http|h|/p" + fwd},
		{"some of the query", keyfunc.Parts{OnlyQuery: []string{"q", "a b"}}, "/p?x=1&q=2&a+b=3&%71=4&Q=5&qq=6&=7&&a%20b", "GET|http|h|/p|a+b=3&a%20b&q=2&%71=4" + fwd},
		{"none of the query", keyfunc.Parts{OnlyQuery: []string{"q"}}, "/p?x=1&&qq", "GET|http|h|/p" + fwd},
		{"some of a bad query", keyfunc.Parts{OnlyQuery: []string{"q"}}, "/p?x=1;q=2", "GET|http|h|/p|x=1;q=2" + fwd},
		{"trust one", keyfunc.Parts{TrustHeaders: []string{"x-forwarded-proto"}}, "/p", "GET|http|h|/p|X-Forwarded-Host<fwd>"},
		{"trust all", keyfunc.Parts{TrustHeaders: keyfunc.ReflectedHeaders()}, "/p", "GET|http|h|/p"},
		{"headers", keyfunc.Parts{Headers: []string{"x-empty", "X-Absent", "accept-language"}}, "/p", "GET|http|h|/p" + fwd + "|Accept-Language<de><en>|X-Empty<>"},
		{"a reflected header, once", keyfunc.Parts{Headers: []string{"X-Forwarded-Host"}}, "/p", "GET|http|h|/p|X-Forwarded-Proto<https>|X-Forwarded-Host<fwd>"},
		{"cookies", keyfunc.Parts{Cookies: []string{"theme", "locale", "absent", "none"}}, "/p", "GET|http|h|/p" + fwd + "|cookie:locale<de><en>|cookie:none<>|cookie:theme<dark>"},
		{"names twice", keyfunc.Parts{Headers: []string{"X-Empty", "x-empty"}, Cookies: []string{"theme", "theme"}}, "/p", "GET|http|h|/p" + fwd + "|X-Empty<>|cookie:theme<dark>"},
		{"quoted cookie", keyfunc.Parts{Cookies: []string{"a"}}, "/p", "GET|http|h|/p" + fwd + `|cookie:a<"x%x20y">`},
		{"text", keyfunc.Parts{Text: "v2|*"}, "/p", "GET|http|h|/p" + fwd + "|text<v2%x7C%x2A>"},
		{"extra", keyfunc.Parts{Extra: func(r *http.Request) (string, error) { return r.Method + ">", nil }}, "/p", "GET|http|h|/p" + fwd + "|extra<GET%x3E>"},
		{"all", keyfunc.Parts{
			IgnoreHost: true, OnlyQuery: []string{"q"}, TrustHeaders: []string{"X-Forwarded-Host"}, Headers: []string{"X-Empty"},
			Cookies: []string{"theme"}, Text: "t", Extra: func(*http.Request) (string, error) { return "", nil },
		}, "/p?q&x", "GET|http|<any>|/p|q|X-Forwarded-Proto<https>|X-Empty<>|cookie:theme<dark>|text<t>|extra<>"},
	} {
		f, err := keyfunc.New(tt.parts)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		r := request(t, "h", tt.uri)
		r.Header = h
		if got := keyOf(t, f, r); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestPartsRewrittenQuery(t *testing.T) {
	for name, tt := range map[string]struct {
		parts keyfunc.Parts
		want  string
	}{
		"ignored":  {keyfunc.Parts{IgnoreQuery: true}, "GET|http|h|/p"},
		"selected": {keyfunc.Parts{OnlyQuery: []string{"q"}}, "GET|http|h|/p|q=1|query<q=2>"},
		"none":     {keyfunc.Parts{OnlyQuery: []string{"z"}}, "GET|http|h|/p|query<>"},
	} {
		r := request(t, "h", "/p?x&q=1")
		r.URL.RawQuery = "y&q=2"
		if got := keyOf(t, keyfunc.Must(keyfunc.New(tt.parts)), r); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestPartsExtraFails(t *testing.T) {
	errTenant := errors.New("no tenant")
	f := keyfunc.Must(keyfunc.New(keyfunc.Parts{Extra: func(*http.Request) (string, error) { return "x", errTenant }}))
	if got, err := f([]byte("before"), request(t, "h", "/p")); !errors.Is(err, errTenant) || string(got) != "before" {
		t.Errorf("got %q, %v", got, err)
	}
}

// No setting lets one part pass for another.
func TestPartsTellApart(t *testing.T) {
	settings := []keyfunc.Parts{
		{Headers: []string{"X-A", "X-B"}, Cookies: []string{"a", "b"}},
		{Headers: []string{"X-A", "X-B"}, Cookies: []string{"a", "b"}, Text: "t"},
		{Headers: []string{"X-A", "X-B"}, Cookies: []string{"a", "b"}, IgnoreHost: true},
		{Headers: []string{"X-A", "X-B"}, Cookies: []string{"a", "b"}, Extra: func(r *http.Request) (string, error) { return r.Header.Get("X-B"), nil }},
	}
	headers := []http.Header{
		{},
		{"X-A": {"1"}}, {"X-B": {"1"}}, {"X-A": {"1>|X-B<2"}}, {"X-A": {"1"}, "X-B": {"2"}}, {"X-A": {"1", "2"}}, {"X-A": {""}},
		{"Cookie": {"a=1"}}, {"Cookie": {"b=1"}}, {"Cookie": {"a=1; b=2"}}, {"Cookie": {"a=1>|cookie:b<2"}}, {"Cookie": {"a=1; a=2"}}, {"Cookie": {"a=2; a=1"}}, {"Cookie": {"a"}},
	}
	seen := map[string]bool{}
	for _, p := range settings {
		f := keyfunc.Must(keyfunc.New(p))
		for _, h := range headers {
			for _, host := range []string{"h", ""} {
				if p.IgnoreHost && host == "" {
					continue
				}
				r := request(t, host, "/p?text<t>")
				r.Header = h
				key := keyOf(t, f, r)
				if seen[key] {
					t.Errorf("twice: %s", key)
				}
				seen[key] = true
			}
		}
	}
}

func TestPartsErrors(t *testing.T) {
	_, err := keyfunc.New(keyfunc.Parts{
		IgnoreQuery: true, OnlyQuery: []string{"q"},
		TrustHeaders: []string{"X-Forwarded-For", "X-Host"},
		Headers:      []string{"a b", "host", "X-Host"},
		Cookies:      []string{"", "a=b"},
	})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, e := range joined.Unwrap() {
		var part *keyfunc.PartError
		if !errors.As(e, &part) || !strings.HasPrefix(e.Error(), "keyfunc: "+part.Field+": ") {
			t.Fatalf("%v is a %T", e, e)
		}
		got = append(got, part.Field+" "+part.Value)
	}
	slices.Sort(got)
	want := []string{"Cookies ", "Cookies a=b", "Headers Host", "Headers a b", "OnlyQuery q", "TrustHeaders X-Forwarded-For", "TrustHeaders X-Host"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("Must did not panic")
		}
	}()
	keyfunc.Must(nil, err)
}

func TestPartsAreCopied(t *testing.T) {
	p := keyfunc.Parts{OnlyQuery: []string{"q"}, Headers: []string{"X-B", "X-A"}, Cookies: []string{"b", "a"}, TrustHeaders: []string{"X-Host"}}
	f := keyfunc.Must(keyfunc.New(p))
	if !slices.Equal(p.Headers, []string{"X-B", "X-A"}) || !slices.Equal(p.Cookies, []string{"b", "a"}) {
		t.Error("New sorts the caller's slices")
	}
	p.OnlyQuery[0], p.Headers[0], p.Cookies[0], p.TrustHeaders[0] = "x", "x", "x", "x"
	r := request(t, "h", "/?q&x")
	r.Header = http.Header{"X-B": {"1"}, "Cookie": {"b=1"}, "X-Host": {"1"}, "X": {"1"}}
	if got := keyOf(t, f, r); got != "GET|http|h|/|q|X-B<1>|cookie:b<1>" {
		t.Errorf("got %s", got)
	}
}
