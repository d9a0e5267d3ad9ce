package attacks

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// explicit stores only what the response gives a lifetime.
var explicit = reprise.Policy{}

// account answers by the credentials, and with the header lines said.
func account(said ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		say(w, said)
		fmt.Fprintf(w, "the account of %q %q %q", r.Header["Authorization"], r.Header["Cookie"], r.Header["X-User"])
	}
}

// public answers everybody the same.
func public(said ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		say(w, said)
		fmt.Fprint(w, "the news at ", r.URL.Path)
	}
}

// say adds header lines, each as its own.
func say(w http.ResponseWriter, said []string) {
	for _, line := range said {
		name, value, _ := strings.Cut(line, ": ")
		w.Header()[name] = append(w.Header()[name], value) // whatever its letter case
	}
}

// users ask for one URL with a field of their own each.
func users(field string, n int) (rs []request) {
	for i := range n {
		rs = append(rs, get("/me", fmt.Sprintf(field, i)))
	}
	return append(rs, get("/me"))
}

func authorized() []request {
	return []request{
		get("/me", "Authorization: Bearer alice"),
		get("/me", "Authorization: Bearer bob"),
		get("/me"),
		get("/me", "Authorization:", "Authorization: Bearer alice"), // an empty first line, which Header.Get returns
		get("/me", "Authorization: Bearer alice", "Authorization: Bearer bob"),
		get("/me", "authorization: Bearer bob", "Authorization: Bearer alice"),
		get("/me", "Authorization:"),
		get("/me", "Authorization:", "Authorization:"),
	}
}

func sharingAttacks() []attack {
	return slices.Concat(authorizationAttacks(), cookieAttacks(), unsharedAttacks(), varyAttacks(), collapseAttacks(), insideAttacks(), fieldAttacks(), policyAttacks())
}

func authorizationAttacks() (all []attack) {
	for _, said := range [][]string{
		nil,
		{"Cache-Control: max-age=60"},
		{"Cache-Control: public, private, max-age=60"},
		{"Cache-Control: public, max-age=60", "Cache-Control: private"},
		{"Cache-Control: private", "Cache-Control: s-maxage=60"},
		{"Cache-Control: s-maxage=60, PRIVATE"},
		{`Cache-Control: max-age=60, ext="public, s-maxage=60"`},
		{"Cache-Control: public=1, max-age=60"},
		{"Cache-Control: max-age=60", "Expires: Thu, 01 Jan 2099 00:00:00 GMT"},
		{"Cache-Control: s-maxage=60", "Cache-Control: no-store"},
		{"Cache-Control: max-age=60", "CDN-Cache-Control: max-age=60"},
		{"Cache-Control: no-cache", `Etag: "1"`},
	} {
		all = append(all, attack{name: "Authorization and " + label(said), policy: minute, handler: account(said...), requests: authorized()})
	}
	// And where the handler gives leave to share, the cache is of use.
	for _, said := range []string{"public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60"} {
		all = append(all, attack{name: "Authorization and leave by " + label([]string{"Cache-Control: " + said}), policy: explicit, handler: public("Cache-Control: " + said), requests: authorized(), stored: true})
	}
	return all
}

// label is how header lines appear in a test's name.
func label(said []string) string {
	if len(said) == 0 {
		return "nothing said"
	}
	return strings.NewReplacer("Cache-Control: ", "", `"`, "'", "/", "-", "*", "star").Replace(strings.Join(said, " and "))
}

func cookieAttacks() (all []attack) {
	for _, said := range [][]string{nil, {"Cache-Control: private, max-age=60"}, {"Cache-Control: max-age=60", "Vary: Cookie"}, {"Cache-Control: no-store"}} {
		all = append(all, attack{name: "cookies and " + label(said), policy: minute, handler: account(said...), requests: users("Cookie: sid=%d", crowd)})
	}
	vary := reprise.Policy{TTL: time.Minute, Cookies: reprise.Cookies{Vary: []string{"sid"}}}
	bypass := reprise.Policy{TTL: time.Minute, Cookies: reprise.Cookies{Bypass: []string{"sid"}}}
	sid := func(w http.ResponseWriter, r *http.Request) {
		for _, c := range r.CookiesNamed("sid") {
			fmt.Fprint(w, c.Value, " ")
		}
		fmt.Fprint(w, "welcome")
	}
	odd := []request{
		get("/me", "Cookie: sid=1"), get("/me"), get("/me", "Cookie: a=b; sid=2"), get("/me", "Cookie:", "Cookie: sid=3"), get("/me", "Cookie: sid=1; sid=2"),
		get("/me", "Cookie: sid=2", "Cookie: sid=1"), get("/me", `Cookie: sid="1"`), get("/me", "Cookie: sid="), get("/me", "Cookie: SID=1"), get("/me", "Cookie: sid=1,2"),
	}
	return append(all,
		attack{name: "cookies that select a variant", policy: vary, handler: sid, requests: odd, stored: true},
		attack{name: "cookies that bypass", policy: bypass, handler: sid, requests: odd},
		attack{name: "an empty first Cookie line", policy: minute, handler: sid, requests: odd},
		attack{name: "Set-Cookie", policy: minute, handler: session("Set-Cookie"), flow: anySession},
		attack{name: "Set-Cookie and public", policy: explicit, handler: session("Set-Cookie", "Cache-Control: public, max-age=60"), flow: anySession},
		attack{name: "set-cookie in small letters", policy: minute, handler: session("set-cookie"), flow: anySession},
	)
}

// session gives each request a session of its own.
func session(field string, said ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		say(w, said)
		id := r.Header.Get("X-Id") // of the test alone: each request has its own
		w.Header()[field] = []string{"sid=" + id}
		time.Sleep(2 * time.Millisecond) // others come in the meantime
		fmt.Fprint(w, "logged in as ", id)
	}
}

func anySession(t *testing.T, s *site, id int) { ownSession(t, s, id, "X-Other: 1") }

// ownSession asks for sessions, with the header line said beside.
func ownSession(t *testing.T, s *site, id int, said string) {
	for i := range 3 {
		own := fmt.Sprintf("%d-%d", id, i)
		got := s.ask(t, get("/login", "X-Id: "+own, said))
		if got.body != "logged in as "+own || !slices.Equal(got.header["Set-Cookie"], []string{"sid=" + own}) {
			t.Errorf("%s got another one's answer: %v", own, got)
		}
	}
}

// unsharedAttacks are answers that the handler says are for one alone. What tells
// the users apart is a field that the cache knows nothing of.
func unsharedAttacks() (all []attack) {
	for _, said := range [][]string{
		{"Cache-Control: private"},
		{"Cache-Control: max-age=60", "Cache-Control: private"},
		{"Cache-Control: max-age=60", "Cache-Control: no-store"},
		{`Cache-Control: ext="max-age=60, public", private`},
		{`Cache-Control: ext="a\", private", no-store`},
		{"Cache-Control: PRIVATE , Max-Age=60"},
		{"cache-control: private", "Cache-Control: max-age=60"},
		{"Cache-Control: max-age=60,,private"},
		{"Cache-Control: max-age=60, private=oops"},
		{"Cache-Control: no-cache, max-age=60"},
		{"Cache-Control: public, max-age=0"},
		{"Cache-Control: max-age=60, max-age=0"},
		{"Expires: 0"},
		{"Cache-Control: max-age=60", "CDN-Cache-Control: private"},
		{`Cache-Control: max-age=60, private="Content-Type"`},
		{`Cache-Control: max-age=60, a="\"", private, b="\""`},
		{`Cache-Control: max-age=60, ext="open`},
		{"Cache-Control: max-age=0, max-age=60"},
		{"Cache-Control: max-age=60x"},
		{"Cache-Control: max-age=60.5"},
		{"Cache-Control: max-age=-1"},
		{"Cache-Control: max-age=60", "Age: 60"},
		{"Cache-Control: max-age=60", "Date: Thu, 01 Jan 2026 00:00:00 GMT"},
		{"Expires: Thu, 01 Jan 2099 00:00:00"},
		{"Content-Type: text/event-stream", "Cache-Control: public, max-age=60"},
	} {
		all = append(all, attack{name: "for one alone by " + label(said), policy: minute, handler: account(said...), requests: users("X-User: %d", 5), unstored: true})
	}
	// A client that takes what is stale does not get what must not be used so.
	for _, said := range []string{"max-age=0, must-revalidate", "max-age=0, proxy-revalidate", "no-cache", "s-maxage=0"} {
		all = append(all, attack{
			name: "for one alone by " + said + ", whatever a client takes", policy: minute, handler: account("Cache-Control: "+said, `Etag: "1"`),
			requests: users("X-User: %d\r\nCache-Control: max-stale", 5), unstored: true,
		})
	}
	quoted := []string{`Cache-Control: ext="a, max-age=60, public"`}
	return append(all, attack{name: "no lifetime but a quoted one", policy: explicit, handler: account(quoted...), requests: users("X-User: %d", 5), unstored: true})
}

func varyAttacks() (all []attack) {
	const fresh = "Cache-Control: public, max-age=60"
	for _, said := range [][]string{
		{fresh, "Vary: Accept-Encoding", "Vary: X-User"},
		{fresh, "Vary: Accept-Encoding , x-user,"},
		{fresh, "vary: X-User", "Vary: Accept"},
	} {
		all = append(all, attack{name: "selected by " + label(said[1:]), policy: explicit, handler: account(said...), requests: users("X-User: %d", 5), stored: true})
	}
	for _, said := range [][]string{
		{fresh, "Vary: *"},
		{fresh, "Vary: Accept-Encoding", "Vary: Accept, *"},
		{fresh, "Vary: Accept-Encoding", "Vary: no token"},
	} {
		all = append(all, attack{name: "never again by " + label(said[1:]), policy: explicit, handler: account(said...), requests: users("X-User: %d", 5), unstored: true})
	}
	for _, field := range []string{"Cookie", "Authorization"} {
		all = append(all, attack{
			name: "credentials in a second Vary line, " + field, policy: explicit, handler: account(fresh, "Vary: Accept-Encoding", "Vary: "+strings.ToLower(field)),
			requests: users(field+": %d", crowd), unstored: true,
		})
	}
	forged := []request{get("/me", "X-User: a", "X-Tenant: b"), get("/me", "X-User: a&X-Tenant=b"), get("/me", "X-User: a, b"), get("/me", "X-User: a", "X-User: b"), get("/me", `X-User: "a, b"`), get("/me", "X-User:"), get("/me")}
	return append(all, attack{
		name: "forged selection", policy: explicit, requests: forged,
		handler: func(w http.ResponseWriter, r *http.Request) {
			say(w, []string{fresh, "Vary: X-User, X-Tenant"})
			// Lines and whitespace do not count (RFC 9111 §4.1).
			fmt.Fprintf(w, "%q %q", strings.Join(r.Header["X-User"], ", "), r.Header["X-Tenant"])
		},
	})
}

// guarded is a handler with its authentication inside the cache.
func guarded(said ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("sid")
		if lines := r.Header["Authorization"]; !slices.Contains(lines, "Bearer alice") && (c == nil || c.Value != "alice") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		say(w, said)
		fmt.Fprint(w, "the secret of alice")
	}
}

func insideAttacks() []attack {
	return []attack{
		{name: "auth inside the cache", policy: minute, handler: guarded(), requests: authorized()},
		{name: "auth inside the cache and max-age", policy: minute, handler: guarded("Cache-Control: max-age=60"), requests: authorized()},
		{name: "auth inside the cache by cookie", policy: minute, handler: guarded(), requests: []request{get("/me", "Cookie: sid=alice"), get("/me"), get("/me", "Cookie: sid=eve"), get("/me", "Cookie:", "Cookie: sid=alice")}},
	}
}
