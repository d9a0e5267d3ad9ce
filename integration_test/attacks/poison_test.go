package attacks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

func poisonAttacks() []attack {
	return slices.Concat(deceptionAttacks(), deniedAttacks(), partAttacks(), injectionAttacks(), confirmAttacks())
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
	slices.SortFunc(all, func(a, b attack) int { return strings.Compare(a.name, b.name) })
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

const wholeBody = "0123456789abcdefghijklmnopqrstuvwxyz"

// content answers conditions and ranges by itself.
func content(said ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		say(w, said)
		w.Header().Set("Content-Type", "text/plain")
		http.ServeContent(w, r, "", time.Unix(1e9, 0), strings.NewReader(wholeBody))
	}
}

func partAttacks() (all []attack) {
	ranges := []string{"bytes=0-3", "bytes=0-0", "bytes=-5", "bytes=30-", "bytes=999-", "bytes=0-35", "bytes=0-99", "bytes=5-1", "bytes=a-b", "bytes=0-3\r\nRange: bytes=4-5"}
	for name, said := range map[string][]string{
		"":                  nil,
		", with an ETag":    {`Etag: "1"`},
		", public":          {"Cache-Control: public, max-age=60"},
		", public and ETag": {"Cache-Control: public, max-age=60", `Etag: "1"`},
	} {
		rs := []request{get("/file")}
		for _, r := range ranges {
			rs = append(rs, get("/file", "Range: "+r))
		}
		rs = append(rs, get("/file"), unchecked(get("/file", "Range: lines=1-2")), get("/file", "Range: bytes=0-3", `If-Range: "1"`), get("/file", "Range: bytes=0-3", `If-Range: "2"`))
		all = append(all, attack{name: "Range on a cold key" + name, policy: minute, handler: content(said...), requests: rs[1:]})
	}
	slices.SortFunc(all, func(a, b attack) int { return strings.Compare(a.name, b.name) })
	many := "Range: bytes=" + strings.Repeat("0-0,", 10000) + "0-0"
	half := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		if r.Header.Get("X-Part") != "" {
			w.WriteHeader(http.StatusPartialContent) // of what, nobody knows
			fmt.Fprint(w, wholeBody[:4])
			return
		}
		fmt.Fprint(w, wholeBody)
	}
	return append(all,
		attack{name: "ten thousand ranges", policy: minute, handler: content(), requests: []request{unchecked(get("/file", many)), get("/file"), unchecked(get("/file", "Range: bytes="+strings.Repeat("0-,", 10000)+"0-"))}},
		attack{name: "a 206 nobody asked for", policy: minute, handler: half, requests: []request{unchecked(get("/file", "X-Part: 1")), get("/file"), unchecked(get("/file", "X-Part: 1", "Range: bytes=0-3"))}},
		attack{name: "HEAD first", policy: minute, handler: content("Cache-Control: public, max-age=60"), requests: []request{ask("HEAD", "/file", ""), get("/file"), unchecked(ask("HEAD", "/file", "", "Range: bytes=0-3"))}},
		attack{name: "HEAD first, and another handler for it", policy: minute, requests: []request{unchecked(ask("HEAD", "/file", "")), get("/file")}, handler: func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.Header().Set("Content-Length", "0")
				return
			}
			fmt.Fprint(w, wholeBody)
		}},
	)
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
					clean(t, s.ask(t, get(fmt.Sprintf("/%d?x=%s", id, x))), "body")
				}
			}
		}},
		{
			name: "header injection from a stored value", policy: minute, flow: injected,
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Reflected", strings.Repeat("v", 40))
				w.Header().Set("X-"+strings.Repeat("n", 40), "1")
				fmt.Fprint(w, "body")
			},
		},
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

// injected changes a stored value as somebody can who writes to Redis, through
// the store itself, so that the checksum is right.
func injected(t *testing.T, s *site, id int) {
	r := get(fmt.Sprint("/", id))
	clean(t, s.ask(t, r), "body")
	hr, _ := http.NewRequest(http.MethodGet, fmt.Sprint("http://", victimHost, "/", id), nil)
	raw, err := keyfunc.Default(nil, hr)
	if err != nil {
		t.Error(err)
		return
	}
	key, ctx := string(raw), context.Background()
	it, err := s.store.Get(ctx, key)
	if err != nil {
		t.Errorf("%s: %v", key, err)
		return
	}
	evil := "v\r\nSet-Cookie: sid=evil\r\n\r\n"
	meta := bytes.Replace(bytes.Clone(it.Meta), []byte(strings.Repeat("v", len(evil))), []byte(evil), 1)
	evil = "n\r\nSet-Cookie: sid=evil"
	name := http.CanonicalHeaderKey("X-" + strings.Repeat("n", 40))
	at := bytes.Index(meta, []byte(name))
	if at < 0 || bytes.Equal(meta, it.Meta) {
		t.Errorf("nothing to change in %q", it.Meta)
		return
	}
	copy(meta[at+2:], evil)
	l, err := s.store.Acquire(ctx, store.Claim{Slot: store.Slot{Key: key}, Base: it, Hold: time.Second})
	if err != nil {
		t.Error(err)
		return
	}
	if err := l.Commit(ctx, store.Entry{Meta: meta, Body: it.Body, Tags: it.Tags, Life: time.Minute}); err != nil && !errors.Is(err, store.ErrOvertaken) {
		t.Error(err)
	}
	got := s.ask(t, r)
	clean(t, got, "body")
	if got.xCache() != "HIT" {
		t.Errorf("the changed value was not used: %v", got)
	}
}

// confirmAttacks are about what a 304 brings. Its handler is asked each time.
func confirmAttacks() []attack {
	confirm := func(name string, add func(h http.Header, id string)) attack {
		return attack{
			name: name, policy: minute, flow: func(t *testing.T, s *site, id int) { confirmed(t, s, id) },
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "no-cache")
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
	return []attack{
		confirm("304 with Set-Cookie", func(h http.Header, id string) { h.Set("Set-Cookie", "sid="+id) }),
		confirm("304 with Content-Length", func(h http.Header, _ string) { h.Set("Content-Length", "5") }),
		confirm("304 with Content-Encoding and Content-Range", func(h http.Header, _ string) {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Range", "bytes 0-3/36")
		}),
		confirm("304 with a MiB of fields", func(h http.Header, id string) {
			size := 128 << 10
			if len(id) > len("0-0;") || id[0] == '1' { // just too much for the policy, but not for the store
				size = 10 << 10
			}
			for i := range 8 {
				h.Set(fmt.Sprint("X-Junk-", i), id+strings.Repeat("j", size))
			}
		}),
		confirm("304 that turns private", func(h http.Header, id string) {
			h.Set("Cache-Control", "private")
			h.Set("X-Owner", id)
		}),
	}
}

func confirmed(t *testing.T, s *site, id int) {
	for i := range 2 {
		own := fmt.Sprintf("%d-%d;", id, i)
		got := s.ask(t, get("/doc", "X-Id: "+own))
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
