package scenario

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/middleware"
)

// keys has which requests are for one resource.
var keys = []Scenario{
	same("B key: the same page", "/page", "/page"),
	same("B key: a query", "/page?a=1", "/page?a=1"),
	same("B key: pairs in another order", "/page?b=2&a=1", "/page?a=1&b=2"),
	same("B key: a very long one", "/page?q="+strings.Repeat("x", 2000), "/page?q="+strings.Repeat("x", 2000)),
	other("B key: another page", "/page", "/other"),
	other("B key: paths have letter case", "/page", "/Page"),
	other("B key: a target with the whole URL is taken as it came", "http://example.com/page", "/page"),
	other("B key: a slash at the end", "/page", "/page/"),
	other("B key: a slash more", "/page", "//page"),
	other("B key: a slash that is escaped", "/a%2Fb", "/a/b"),
	other("B key: what is escaped in another way may be another", "/%70age", "/page"),
	other("B key: with and without a query", "/page", "/page?a=1"),
	other("B key: another value", "/page?a=1", "/page?a=2"),
	other("B key: values have letter case", "/page?a=x", "/page?a=X"),
	other("B key: a value or none", "/page?a", "/page?a="),
	other("B key: repeated names in another order", "/page?a=1&a=2", "/page?a=2&a=1"),
	other("B key: a name twice", "/page?a=1", "/page?a=1&a=1"),
	other("B key: + and %20", "/page?a=x+y", "/page?a=x%20y"),
	other("B key: semicolons are not sorted", "/page?a=1;b=2", "/page?b=2;a=1"),
	other("B key: what separates a key's parts is escaped", "/page|x?a=1", "/page?x%7Ca=1"),
	other("B key: an & that is escaped", "/page?a=1%26b=2", "/page?a=1&b=2"),
	other("B key: a long one that ends differently", "/page?q="+strings.Repeat("x", 2000)+"1", "/page?q="+strings.Repeat("x", 2000)+"2"),
	{"B key: another host", nil, steps{
		miss(answers(minute)),
		miss(asks("Host: example.net"), answers(minute)),
		miss(asks("Host: example.com:8080"), answers(minute)),
		hit(asks("Host: example.net"), of(2)),
		hit(of(1)),
	}},
	{"B key: the handler cannot move it", nil, steps{
		miss(asks("X-Kind: a"), answers(minute)),
		hit(asks("X-Kind: b")),
	}},
	{"B key: of the policy's making", func(p *middleware.Policy) {
		p.Key = keyfunc.Func(func(dst []byte, r *http.Request) ([]byte, error) { return append(dst, r.URL.Query().Get("id")...), nil })
	}, steps{
		miss(to("/a?id=1&x=2"), answers(minute)),
		hit(to("/b?id=1")),
		miss(to("/a?id=2&x=2"), answers(minute)),
	}},
	{"B key: one that fails is a bypass", func(p *middleware.Policy) {
		p.TTL = time.Minute
		p.Key = func(dst []byte, _ *http.Request) ([]byte, error) { return dst, errors.New("no key today") }
	}, steps{
		bypass(answers(minute), shows("Cache-Status: reprise; fwd=bypass; detail=key")),
		bypass(answers(minute)),
	}},

	reflects("X-Forwarded-Host: a.example", "X-Forwarded-Host: b.example"),
	reflects("X-Forwarded-Proto: https", "X-Forwarded-Proto: http"),
	reflects("X-Forwarded-Port: 443", "X-Forwarded-Port: 8443"),
	reflects("X-Forwarded-Scheme: https", "X-Forwarded-Scheme: nothttps"),
	reflects("X-Forwarded-Prefix: /a", "X-Forwarded-Prefix: /b"),
	reflects("X-Host: a.example", "X-Host: b.example"),
	reflects("Forwarded: host=a.example", "Forwarded: host=b.example"),
	reflects("X-Original-URL: /admin", "X-Original-URL: /"),
	reflects("X-Rewrite-URL: /admin", "X-Rewrite-URL: /"),
	{"B reflected: not where a proxy that is trusted sets it", trusts("X-Forwarded-Host"), steps{
		miss(asks("X-Forwarded-Host: a.example"), answers(minute)),
		hit(asks("X-Forwarded-Host: b.example")),
		miss(asks("X-Host: b.example"), answers(minute)),
	}},
	{"B reflected: a client's address is no part of it", nil, steps{
		miss(asks("X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1"), answers(minute)),
		hit(asks("X-Forwarded-For: 192.0.2.2", "X-Real-IP: 192.0.2.2")),
		hit(),
	}},
}

// same is a target that a later one is answered from.
func same(name, first, later string) Scenario {
	return Scenario{name, nil, steps{miss(to(first), answers(minute)), hit(to(later))}}
}

// other is a target that a later one is not answered from.
func other(name, first, later string) Scenario {
	return Scenario{name, nil, steps{
		miss(to(first), answers(minute)),
		miss(to(later), answers(minute)),
		hit(to(first), of(1)),
		hit(to(later), of(2)),
	}}
}

// reflects is a field that handlers like to repeat, which splits the key.
func reflects(one, another string) Scenario {
	name, _, _ := cutField(one)
	return Scenario{"B reflected: " + name, nil, steps{
		miss(asks(one), answers(minute)),
		miss(asks(another), answers(minute)),
		miss(answers(minute)),
		hit(asks(one), of(1)),
		hit(asks(another), of(2)),
		hit(of(3)),
	}}
}

// trusts is a policy whose requests come through a proxy that sets the fields.
func trusts(fields ...string) func(*middleware.Policy) {
	return func(p *middleware.Policy) { p.Key = keyfunc.Must(keyfunc.New(keyfunc.Parts{TrustHeaders: fields})) }
}
