package attacks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// confirmAttacks are about what a 304 brings, and confirms.
func confirmAttacks() []attack {
	junk := func(h http.Header, id string) {
		size := 128 << 10
		if len(id) > len("0-0;") || id[0] == '1' { // just too much for the policy, but not for the store
			size = 3 << 10
		}
		for i := range 8 {
			h.Set(fmt.Sprint("X-Junk-", i), id+strings.Repeat("j", size))
		}
	}
	owner := func(h http.Header, id string) {
		h.Del("Cache-Control")
		h.Set("X-Owner", id)
	}
	return []attack{
		confirm("304 with Set-Cookie", "X-Id: %s", func(h http.Header, id string) { h.Set("Set-Cookie", "sid="+id) }),
		confirm("304 with Content-Length", "X-Id: %s", func(h http.Header, _ string) { h.Set("Content-Length", "5") }),
		confirm("304 with Content-Encoding and Content-Range", "X-Id: %s", func(h http.Header, _ string) {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Range", "bytes 0-3/36")
		}),
		confirm("304 with a MiB of fields", "X-Id: %s", junk).under(reprise.Policy{TTL: time.Minute, Limits: reprise.Limits{Header: 16 << 10}}),
		confirm("304 that turns private", "X-Id: %s", func(h http.Header, id string) {
			h.Set("Cache-Control", "private")
			h.Set("X-Owner", id)
		}),
		confirm("304 with a field that is for one alone", "X-Id: %s", func(h http.Header, id string) {
			h.Set("Cache-Control", `no-cache, private="X-Owner"`)
			h.Set("X-Owner", id)
		}),
		confirm("304 to one with Authorization", "Authorization: Bearer x\r\nCache-Control: no-cache\r\nX-Id: %s", owner),
		confirm("304 to one with a cookie", "Cookie: sid=x\r\nCache-Control: no-cache\r\nX-Id: %s", owner),
		{name: "304 with another ETag", policy: minute, handler: confused("Etag: %q", "1", "2"), flow: ownPage},
		{name: "304 with another Last-Modified", policy: minute, handler: confused("Last-Modified: Thu, 01 Jan 2026 00:00:0%s GMT", "1", "2"), flow: ownPage},
		{name: "304 with a weak ETag, another one", policy: minute, handler: confused("Etag: W/%q", "1", "2"), flow: ownPage},
		{name: "one ETag for all and nothing said", policy: explicit, requests: users("X-User: %d", 5), unstored: true, handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			account()(w, r)
		}},
	}
}

// confirm is an attack by what a 304 has beside what it must have. Its handler is
// asked each time by who has no credentials, and by who reloads, with the fields
// that as makes of who asks.
func confirm(name, as string, add func(h http.Header, id string)) attack {
	return attack{
		name: name, policy: minute, flow: func(t *testing.T, s *site, id int) { confirmed(t, s, id, as) },
		handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, no-cache")
			if r.Header.Get("Cache-Control") != "" {
				w.Header().Set("Cache-Control", "public, max-age=60")
			}
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") == "" {
				fmt.Fprint(w, wholeBody)
				return
			}
			if id := r.Header.Get("X-Id"); strings.HasSuffix(id, "-0;") { // the next one shows what has stayed
				add(w.Header(), id)
			}
			w.WriteHeader(http.StatusNotModified)
		},
	}
}

// under is a, under another policy.
func (a attack) under(p reprise.Policy) attack {
	a.policy = p
	return a
}

func confirmed(t *testing.T, s *site, id int, as string) {
	for i := range 2 {
		own := fmt.Sprintf("%d-%d;", id, i)
		got := s.ask(t, get("/doc", fmt.Sprintf(as, own)))
		if got.status != http.StatusOK || got.body != wholeBody || got.header.Get("Content-Encoding")+got.header.Get("Content-Range") != "" {
			t.Errorf("%s: %v", own, got)
		}
		for _, c := range append(got.header["Set-Cookie"], got.header["X-Owner"]...) {
			if strings.TrimPrefix(c, "sid=") != own {
				t.Errorf("%s got what is another one's: %q", own, c)
			}
		}
		if j := got.header.Get("X-Junk-0"); j != "" && !strings.HasPrefix(j, own) {
			t.Errorf("%s got another one's fields: %.20q", own, j)
		}
	}
}

// confused is a handler whose 304s are about another page than it was asked for.
func confused(validator, of, other string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, no-cache")
		if r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since") != "" {
			say(w, []string{fmt.Sprintf(validator, other)})
			w.WriteHeader(http.StatusNotModified)
			return
		}
		say(w, []string{fmt.Sprintf(validator, of)})
		fmt.Fprint(w, "the page for ", r.Header.Get("X-Id"))
	}
}

func ownPage(t *testing.T, s *site, id int) {
	for i := range 3 {
		own := fmt.Sprintf("%d-%d", id, i)
		if got := s.ask(t, get("/doc", "X-Id: "+own)); got.body != "the page for "+own {
			t.Errorf("%s got %v", own, got)
		}
	}
}
