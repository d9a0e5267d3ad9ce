package attacks

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
)

// policyAttacks are against policies that take a protection off, for what they
// promise still.
func policyAttacks() (all []attack) {
	for name, cookies := range map[string]reprise.Cookies{
		"ignored": {Ignore: true}, "that select": {Vary: []string{"lang"}}, "that bypass": {Bypass: []string{"admin"}},
	} {
		p := reprise.Policy{TTL: time.Minute, Cookies: cookies}
		all = append(all,
			attack{name: "cookies " + name + ", Set-Cookie", policy: p, handler: session("Set-Cookie"), flow: func(t *testing.T, s *site, id int) { ownSession(t, s, id, "Cookie: sid=1") }},
			attack{name: "cookies " + name + ", Vary: Cookie", policy: p, handler: account("Vary: Cookie"), requests: users("Cookie: sid=%d", 5), unstored: true},
			attack{name: "cookies " + name + ", private", policy: p, handler: account("Cache-Control: private"), requests: users("Cookie: sid=%d", 5), unstored: true},
			attack{name: "cookies " + name + ", Authorization", policy: p, handler: byAuthorization, requests: append(authorized(), get("/me", "Authorization: Bearer alice", "Cookie: sid=1"), get("/me", "Cookie: sid=1"))},
		)
	}
	return append(all, append(strippedAttacks(), keyPolicyAttacks()...)...)
}

// byAuthorization answers by that alone: cookies are none of its concern.
func byAuthorization(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "the account of %q", r.Header["Authorization"])
}

func strippedAttacks() []attack {
	alone := func(r *http.Request) bool { return r.Header.Get("X-User") == "" }
	return []attack{
		{
			name: "Set-Cookie that the policy strips", policy: reprise.Policy{TTL: time.Minute, Advanced: reprise.Advanced{StripHeaders: []string{"set-cookie"}}},
			handler: ownField("Set-Cookie"), flow: ownFieldOrNone("Set-Cookie"),
		},
		{
			name: "a field that the policy strips", policy: reprise.Policy{TTL: time.Minute, Advanced: reprise.Advanced{StripHeaders: []string{"x-echo"}}},
			handler: ownField("X-Echo"), flow: ownFieldOrNone("X-Echo"),
		},
		{name: "kept out by NoStore", policy: minute, requests: users("X-User: %d", 5), unstored: true, handler: func(w http.ResponseWriter, r *http.Request) {
			reprise.NoStore(r.Context())
			account()(w, r)
		}},
		{name: "kept out by SetTTL", policy: minute, requests: users("X-User: %d", 5), unstored: true, handler: func(w http.ResponseWriter, r *http.Request) {
			reprise.SetTTL(r.Context(), 0)
			account("Cache-Control: public, max-age=60")(w, r)
		}},
		{name: "kept out by a condition", policy: reprise.Policy{TTL: time.Minute, Condition: alone}, handler: account(), requests: users("X-User: %d", 5)},
	}
}

var errNoTenant = errors.New("no tenant")

// tenant is what an application finds out about a request by itself.
func tenant(r *http.Request) (string, error) {
	if t := r.Header.Get("X-Tenant"); t != "" {
		return t, nil
	}
	return "", errNoTenant
}

func keyPolicyAttacks() []attack {
	with := func(p keyfunc.Parts) reprise.Policy {
		return reprise.Policy{TTL: time.Minute, Cookies: reprise.Cookies{Ignore: true}, Key: keyfunc.Must(keyfunc.New(p))}
	}
	long := strings.Repeat("a", 1000)
	own := reprise.Policy{TTL: time.Minute, Limits: reprise.Limits{Key: 200}, Key: func(dst []byte, r *http.Request) ([]byte, error) {
		return append(append(dst, "page|"...), r.RequestURI...), nil
	}}
	return []attack{
		{
			name: "one reflected field is trusted, and another sent", policy: with(keyfunc.Parts{TrustHeaders: []string{"X-Forwarded-Proto"}}), handler: links("X-Forwarded-Host"), stored: true,
			requests: []request{
				get("/page", "X-Forwarded-Host: evil.example"), get("/page"), get("/page", "X-Forwarded-Proto: https"),
				get("/page", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"), get("/page", "X-Forwarded-Host: other.example"),
			},
		},
		{
			name: "one parameter counts", policy: with(keyfunc.Parts{OnlyQuery: []string{"page"}}), stored: true,
			requests: targets("/q?page=1", "/q?utm=x&page=1", "/q?page=2", "/q", "/q?utm=x", "/q?%70age=2", "/q?pag%65=1&page=2", "/q?page=2&page=1", "/q?page=1&page=2",
				"/q?page", "/q?page=", "/q?page=1;page=2", "/q?utm=%zz&page=3", "/q?utm=1;page=3", "/q?Page=2", "/q?page[]=2", "/q?page%00=2", "/q?+page=2"),
			handler: func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "the pages %q", r.URL.Query()["page"]) },
		},
		{
			name: "fields and cookies in the key", policy: with(keyfunc.Parts{Headers: []string{"X-Tenant"}, Cookies: []string{"lang"}}), stored: true,
			requests: []request{
				get("/page"), get("/page", "X-Tenant: a"), get("/page", "X-Tenant: b"), get("/page", "X-Tenant: a", "X-Tenant: b"), get("/page", "X-Tenant: a, b"), get("/page", "X-Tenant:"),
				get("/page", "X-Tenant: a>|cookie:lang<de"), get("/page", "X-Tenant: a", "Cookie: lang=de"), get("/page", "Cookie: lang=de"), get("/page", "Cookie: lang=en"),
				get("/page", "Cookie: lang=de; lang=en"), get("/page", "Cookie: sid=1", "Cookie: lang=en"), get("/page", "Cookie: lang=de", "Cookie: lang=en"), get("/page", "Cookie: lang"), get("/page", "Cookie: sid=2"),
			},
			handler: func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "%q", r.Header["X-Tenant"])
				for _, c := range r.CookiesNamed("lang") {
					fmt.Fprintf(w, " %q", c.Value)
				}
			},
		},
		{
			name: "a key function that fails", policy: with(keyfunc.Parts{Extra: tenant}), handler: account(),
			requests: []request{get("/me", "X-User: a"), get("/me", "X-User: b"), get("/me"), get("/me", "X-Tenant: a"), get("/other", "X-User: a"), get("/other")},
		},
		{
			name: "keys over the limit", policy: own, handler: mirror, unstored: true,
			requests: targets("/"+long, "/"+long+"b", "/?"+long),
		},
	}
}
