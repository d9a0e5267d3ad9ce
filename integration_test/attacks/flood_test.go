package attacks

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

func floodAttacks() []attack {
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
		{name: "unique URLs", policy: minute, once: unique, handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/hot" {
				hotRuns(r).Add(1)
			}
			fmt.Fprint(w, r.URL, strings.Repeat("x", 4<<10))
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
		{name: "forced reloads", policy: minute, once: reload, handler: func(w http.ResponseWriter, r *http.Request) {
			hotRuns(r).Add(1)
			fmt.Fprint(w, "page")
		}},
	}
}

func hotRuns(r *http.Request) *atomic.Int64 {
	n, _ := siteOf(r).seen.LoadOrStore("hot", new(atomic.Int64))
	return n.(*atomic.Int64)
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

// flood sends n requests on one connection, each with the target and fields
// that of makes.
func flood(t *testing.T, addr string, n int, of func(i int) (target, fields string)) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for i := range n {
		target, fields := of(i)
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, victimHost, fields); err != nil {
			t.Error(err)
			return
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", target, res.StatusCode)
			return
		}
	}
}

// unique asks for many times more than there is room for, and now and then for
// what everybody asks for.
func unique(t *testing.T, s *site, clients int) {
	n := 2000 // 8 MiB
	if s.setting.store == "redis" {
		n = 1000
	}
	before := s.series(t)
	for range 20 {
		s.ask(t, get("/hot"))
	}
	atOnce(clients, func(id int) {
		flood(t, s.addr, 2*n/clients, func(i int) (string, string) {
			if i%2 == 0 {
				return "/hot", ""
			}
			return fmt.Sprintf("/u/%d/%d", id, i), ""
		})
	})
	sizer, ok := s.store.(store.Sizer)
	if !ok {
		t.Fatal("the store does not tell its size")
	}
	if size := sizer.LocalSize(); size.Bytes > budget {
		t.Errorf("%d bytes are kept, %d may be", size.Bytes, budget)
	}
	runs, _ := s.seen.Load("hot")
	if got := runs.(*atomic.Int64).Load(); got > int64(n/20) {
		t.Errorf("what everybody asks for was made %d times in %d requests", got, n)
	}
	if after := s.series(t); after != before {
		t.Errorf("%d series have become %d", before, after)
	}
}

// series counts the time series that the collector shows.
func (s *site) series(t *testing.T) (n int) {
	t.Helper()
	registry := prometheus.NewRegistry()
	if err := registry.Register(s.collector); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		n += len(f.GetMetric())
	}
	return n
}

// series sends what would make new label values, if anything of a request did.
func series(t *testing.T, s *site, clients int) {
	before := s.series(t)
	atOnce(clients, func(id int) {
		flood(t, s.addr, max(200/clients, 4), func(i int) (string, string) {
			return fmt.Sprintf("/%d?x=%d", id, i), fmt.Sprintf("Cookie: a%d=%d\r\nX-Forwarded-Host: %d-%d.example\r\n", id, i, id, i)
		})
		s.ask(t, ask(fmt.Sprint("METHOD", id), "/", ""))
		s.ask(t, request{raw: fmt.Sprintf("GET / HTTP/1.1\r\nHost: %d.example\r\nConnection: close\r\n\r\n", id)})
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
	runs, _ := s.seen.Load("hot")
	if got := runs.(*atomic.Int64).Load(); got > 41 { // of two times ten seconds
		t.Errorf("the handler ran %d times", got)
	}
}
