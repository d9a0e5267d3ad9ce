package attacks

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

func floodAttacks() []attack {
	small := reprise.Policy{TTL: time.Minute, Limits: reprise.Limits{Body: 1 << 10, Header: 16 << 10}}
	few := reprise.Policy{TTL: time.Minute, Limits: reprise.Limits{Variants: 8}}
	return []attack{
		{name: "Vary explosion by values", policy: few, handler: account("Vary: X-User"), once: explode},
		{name: "Vary explosion by names", policy: minute, requests: users("X-User: %d", 3), unstored: true, handler: func(w http.ResponseWriter, r *http.Request) {
			for i := range 33 {
				w.Header().Add("Vary", fmt.Sprint("X-", i))
			}
			fmt.Fprint(w, "page")
		}},
		{name: "Vary explosion by long values", policy: minute, unstored: true, handler: account("Vary: X-User"), requests: []request{
			get("/me", "X-User: "+strings.Repeat("a", 5000)), get("/me", "X-User: "+strings.Repeat("a", 5001)),
		}},
		{name: "ten thousand tags", policy: minute, once: tagged, handler: func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			n, _ := strconv.Atoi(q.Get("n"))
			for i := range n {
				reprise.Tag(r.Context(), fmt.Sprint(q.Get("tag"), i))
			}
			fmt.Fprint(w, "page")
		}},
		{name: "unique queries, cookies and forwarded hosts", policy: minute, handler: mirror, once: series},
		{name: "bodies over the limit", policy: small, requests: append(targets("/1023", "/1024"), unchecked(get("/1025"))), stored: true, handler: sized},
		{name: "bodies over the limit, and no end of them", policy: small, requests: append(targets("/1025", "/5000", "/1025?flush", "/5000?flush", "/1025?length", "/5000?length"), get("/1025?flush&length")), unstored: true, handler: sized},
		{name: "fields over the limit", policy: small, requests: users("X-User: %d", 3), unstored: true, handler: func(w http.ResponseWriter, r *http.Request) {
			for i := range 8 {
				w.Header().Set(fmt.Sprint("X-Junk-", i), strings.Repeat("j", 3<<10))
			}
			account()(w, r)
		}},
		{name: "forced reloads", policy: minute, once: reload, handler: func(w http.ResponseWriter, r *http.Request) {
			hotRuns(r).Add(1)
			fmt.Fprint(w, "page")
		}},
	}
}

// counter is a count of what handlers have done.
func (s *site) counter(name string) *atomic.Int64 {
	n, _ := s.seen.LoadOrStore(name, new(atomic.Int64))
	return n.(*atomic.Int64)
}

func hotRuns(r *http.Request) *atomic.Int64 { return siteOf(r).counter("hot") }

// sized writes as many bytes as the path says, in two pieces, and announces or
// flushes them as the query says.
func sized(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Path[1:])
	if r.URL.Query().Has("length") {
		w.Header().Set("Content-Length", strconv.Itoa(n))
	}
	fmt.Fprint(w, strings.Repeat("x", n/2))
	if r.URL.Query().Has("flush") {
		_ = http.NewResponseController(w).Flush()
	}
	fmt.Fprint(w, strings.Repeat("x", n-n/2))
}

// explode asks for 100 variants where 8 may be stored. The first one stays.
func explode(t *testing.T, s *site, clients int) {
	first := get("/page", "X-User: victim")
	s.ask(t, first)
	atOnce(clients, func(id int) {
		for i := range max(100/clients, 4) {
			own := fmt.Sprintf("%d-%d", id, i)
			if got := s.ask(t, get("/page", "X-User: "+own)); got.status != http.StatusOK || !strings.Contains(got.body, own) {
				t.Errorf("%s: %v", own, got)
			}
		}
	})
	stored := 0
	for id := range clients {
		for i := range max(100/clients, 4) {
			// only-if-cached makes no variant of its own.
			if s.ask(t, get("/page", fmt.Sprintf("X-User: %d-%d", id, i), "Cache-Control: only-if-cached")).status == http.StatusOK {
				stored++
			}
		}
	}
	if stored > 7 {
		t.Errorf("%d variants beside the first, 7 may be", stored)
	}
	if got := s.ask(t, first); got.xCache() != "HIT" {
		t.Errorf("the variant of before: %v", got)
	}
}

// flood sends n requests on one connection, some at a time, each with the target
// and fields that of makes.
func flood(t *testing.T, addr string, n int, of func(i int) (target, fields string)) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for at := 0; at < n; at += 16 {
		batch := min(16, n-at)
		var out bytes.Buffer
		for i := range batch {
			target, fields := of(at + i)
			fmt.Fprintf(&out, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, victimHost, fields)
		}
		if _, err := c.Write(out.Bytes()); err != nil {
			t.Error(err)
			return
		}
		for range batch {
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("%d: %q", res.StatusCode, out.Bytes())
				return
			}
		}
	}
}

// series sends what would make new label values, if anything of a request did.
func series(t *testing.T, s *site, clients int) {
	before := s.series(t)
	atOnce(clients, func(id int) {
		flood(t, s.addr, max(200/clients, 4), func(i int) (string, string) {
			return fmt.Sprintf("/%d?x=%d", id, i), fmt.Sprintf("Cookie: a%d=%d\r\nX-Forwarded-Host: %d-%d.example\r\n", id, i, id, i)
		})
		s.ask(t, ask(fmt.Sprint("METHOD", id), "/", ""))
		s.ask(t, request{raw: fmt.Sprintf("GET / HTTP/1.1\r\nHost: %d.example\r\n\r\n", id)})
	})
	if after := s.series(t); after != before {
		t.Errorf("%d series have become %d", before, after)
	}
}

// tagged asks for pages with too many tags, and with as many as may be.
func tagged(t *testing.T, s *site, clients int) {
	long := strings.Repeat("t", 256)
	atOnce(clients, func(id int) {
		for target, hit := range map[string]bool{
			fmt.Sprint("n=", 10000/clients, "&tag=x"): false, "n=65&tag=x": false, "n=64&tag=x": true, "n=1&tag=" + long: false, "n=1&tag=" + long[1:]: true,
		} {
			target = fmt.Sprintf("/%d?%s", id, target)
			s.ask(t, get(target))
			if got := s.ask(t, get(target)); got.body != "page" || (got.xCache() == "HIT") != hit {
				t.Errorf("%.40s: %v, want a hit: %v", target, got, hit)
			}
		}
	})
	if _, err := s.cache.PurgeTags(t.Context(), "x63"); err != nil {
		t.Fatal(err)
	}
	for id := range clients {
		if got := s.ask(t, get(fmt.Sprintf("/%d?n=64&tag=x", id))); got.xCache() == "HIT" {
			t.Errorf("%d: after the purge: %v", id, got)
		}
	}
}

// reload asks for what is stored in a way that reaches the handler. 20 in 10 s do.
func reload(t *testing.T, s *site, clients int) {
	s.ask(t, get("/page"))
	atOnce(clients, func(int) {
		flood(t, s.addr, 200/clients, func(int) (string, string) { return "/page", "Cache-Control: no-cache\r\n" })
	})
	if got := s.counter("hot").Load(); got > 41 { // of two times ten seconds
		t.Errorf("the handler ran %d times", got)
	}
}
