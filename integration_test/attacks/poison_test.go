package attacks

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

func poisonAttacks() []attack {
	return slices.Concat(deceptionAttacks(), deniedAttacks(), brokenAttacks(), partAttacks(), injectionAttacks(), confirmAttacks(), storedAttacks())
}

// deceptionAttacks lure a user to a URL that looks like a file and that the
// handler answers with the user's page.
func deceptionAttacks() (all []attack) {
	paths := []string{"/me/x.css", "/me;x.css", "/me%00.css", "/me%0a.css", "/me%3b.js", "/me%23x.css", "/me%3fx.css", "/static/..%2fme", "/me%2f..%2fstatic/x.css", "/me/..%2fx.png", "/me.css", "/me?x.css"}
	for name, c := range map[string]struct {
		policy reprise.Policy
		field  string
	}{
		"no policy":     {explicit, "X-User: alice"}, // what tells users apart is nothing the cache knows
		"cookies":       {minute, "Cookie: sid=alice"},
		"Authorization": {minute, "Authorization: Bearer alice"},
	} {
		var rs []request
		for _, p := range paths {
			rs = append(rs, get(p, c.field), get(p), get(p, strings.Replace(c.field, "alice", "eve", 1)))
		}
		all = append(all, attack{name: "web cache deception, " + name, policy: c.policy, handler: account(), requests: rs})
		if name == "no policy" {
			all[len(all)-1].unstored = true
		}
	}
	slices.SortFunc(all, byName)
	return all
}

// breakable answers by the status that a field asks for: whatever made the
// origin fail, a field too long or with a character it does not like.
func breakable(w http.ResponseWriter, r *http.Request) {
	if status, err := strconv.Atoi(r.Header.Get("X-Break")); err == nil {
		if status == http.StatusNoContent {
			w.WriteHeader(status)
			return
		}
		http.Error(w, "broken", status)
		return
	}
	if len(r.Header.Get("X-Long")) > 4000 || strings.ContainsAny(r.Header.Get("X-Meta"), "\t\\<") {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	if r.Header.Get("X-HTTP-Method-Override") != "" {
		http.Error(w, "no such method", http.StatusMethodNotAllowed)
		return
	}
	fmt.Fprint(w, "the page ", r.URL.Path)
}

func deniedAttacks() (all []attack) {
	for _, status := range []int{204, 400, 401, 402, 403, 405, 406, 408, 411, 413, 414, 415, 416, 417, 429, 431, 500, 501, 502, 503, 504, 505} {
		all = append(all, attack{
			name: fmt.Sprint("denied by a ", status), policy: minute, handler: breakable,
			requests: []request{unchecked(get("/page", "X-Break: "+strconv.Itoa(status))), get("/page")},
		})
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		all = append(all, attack{
			name: fmt.Sprint("denied by a ", status, " without Location"), policy: reprise.Policy{TTL: time.Minute, Statuses: map[int]time.Duration{status: time.Minute}}, handler: breakable,
			requests: []request{unchecked(get("/page", "X-Break: "+strconv.Itoa(status))), get("/page")},
		})
	}
	return append(all,
		attack{name: "denied by an oversized header", policy: minute, handler: breakable, requests: harmless(get("/page"), "X-Long: "+strings.Repeat("a", 5000), "X-Long: "+strings.Repeat("a", 64<<10))},
		attack{name: "denied by meta characters", policy: minute, handler: breakable, requests: harmless(get("/page"), `X-Meta: \n`, "X-Meta: a\tb", "X-Meta: \a", "X-Meta: \x00", "X-Meta: <")},
		attack{name: "denied by a method override", policy: minute, handler: breakable, requests: []request{get("/page", "X-HTTP-Method-Override: PUT"), get("/page")}},
	)
}

// harmless are requests with each of fields, which may be answered as the
// victim's request between them is.
func harmless(victim request, fields ...string) (rs []request) {
	for _, f := range fields {
		rs = append(rs, unchecked(get("/page", f)), victim)
	}
	return rs
}

// splits puts what the client sends where it does not belong.
func splits(w http.ResponseWriter, r *http.Request) {
	said := r.URL.Query().Get("x")
	w.Header()["X-Reflected"] = []string{said}
	w.Header()["X-"+said] = []string{"1"}
	w.Header()["Etag"] = []string{`"` + said + `"`}
	w.Header().Set("Content-Type", "text/plain; x="+said)
	fmt.Fprint(w, "body")
}

func injectionAttacks() []attack {
	return []attack{
		{name: "header injection from a handler", policy: minute, handler: splits, flow: func(t *testing.T, s *site, id int) {
			for _, x := range []string{"a%0d%0aSet-Cookie:+sid=evil", "a%0aSet-Cookie:+sid=evil", "a%0dSet-Cookie:+sid=evil", "a%0d%0a%0d%0a<script>", ":+x%0d%0aSet-Cookie:+sid=evil"} {
				for range 2 {
					clean(t, s.ask(t, get(fmt.Sprintf("/%d?x=%s", id, x), "Connection: close")), "body")
				}
			}
		}},
	}
}

// clean fails the test if the header on the wire has a line that the handler did
// not mean.
func clean(t *testing.T, a *answer, body string) {
	t.Helper()
	head, rest, _ := bytes.Cut(a.wire, []byte("\r\n\r\n"))
	for line := range strings.FieldsFuncSeq(string(head), func(c rune) bool { return c == '\r' || c == '\n' }) {
		if strings.HasPrefix(strings.ToLower(line), "set-cookie") {
			t.Errorf("injected: %q", a.wire)
		}
	}
	if string(rest) != body {
		t.Errorf("the body on the wire is %q, not %q", rest, body)
	}
}
