package attacks

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// lasting is a handler whose errors say that they may be stored.
func lasting(w http.ResponseWriter, r *http.Request) {
	if status, err := strconv.Atoi(r.Header.Get("X-Break")); err == nil {
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("Content-Length", "7")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprint(w, "broken\n")
		return
	}
	fmt.Fprint(w, "the page ", r.URL.Path)
}

// brokenAttacks make the handler fail for an attacker's own request.
func brokenAttacks() (all []attack) {
	for _, status := range []int{206, 304, 428, 429, 431, 511} { // which no lifetime makes storable
		all = append(all, attack{
			name: fmt.Sprint("denied by a ", status, " with a lifetime"), policy: minute, handler: lasting,
			requests: []request{unchecked(get("/page", fmt.Sprint("X-Break: ", status))), get("/page")},
		})
	}
	return append(all,
		attack{
			name: "denied by a 416 with a lifetime", policy: minute, handler: lasting,
			requests: []request{unchecked(get("/page", "X-Break: 416", "Range: bytes=999-")), get("/page")},
		},
		stays("denied after it was stored", lasting,
			[]string{"X-Break: 400"}, []string{"X-Break: 406"}, []string{"X-Break: 413"}, []string{"X-Break: 429"},
			[]string{"X-Break: 500"}, []string{"X-Break: 501"}, []string{"X-Break: 502"}, []string{"X-Break: 503"},
			[]string{"Range: bytes=0-3", "X-Break: 206"}, []string{`If-Match: "x"`, "X-Break: 412"}, []string{"Cache-Control: no-store", "X-Break: 404"}),
		stays("denied by credentials", breakable, credentials()...),
		stays("denied by credentials, public", published, credentials()...),
		attack{name: "denied by an answer that is cut", policy: minute, handler: cut, flow: func(t *testing.T, s *site, id int) {
			for i, how := range []string{"short", "abort", "panic", "flushed"} {
				target := fmt.Sprintf("/%d-%d", id, i)
				_, _ = s.send(get(target, "X-Break: "+how)) // it may end without an answer
				for range 2 {
					if got := s.ask(t, get(target)); got.status != http.StatusOK || got.body != wholeBody {
						t.Errorf("after %s: %v", how, got)
					}
				}
			}
		}},
		attack{name: "denied by who leaves", policy: minute, handler: stopped, flow: leaves},
		attack{name: "denied by who makes the handler hang", policy: reprise.Policy{TTL: time.Minute, Limits: reprise.Limits{Wait: 100 * time.Millisecond}}, handler: hangs, flow: hanging},
		attack{name: "a crowd that waits", policy: reprise.Policy{TTL: time.Minute, Limits: reprise.Limits{Waiters: 5}}, handler: hangs, once: waits},
	)
}

// credentials are those of an attacker, who is refused.
func credentials() (all [][]string) {
	for _, c := range []string{"Authorization: Basic eA==", "Cookie: sid=1"} {
		for _, status := range []int{401, 403, 404} {
			all = append(all, []string{c, fmt.Sprint("X-Break: ", status)})
		}
	}
	return all
}

// published says of its pages that all may have them.
func published(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Break") == "" {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	breakable(w, r)
}

// stays is an attack that asks the handler for a page that is stored, by a GET and
// by a HEAD with each of evil's fields. The page stays.
func stays(name string, handler http.HandlerFunc, evil ...[]string) attack {
	return attack{name: name, policy: minute, handler: handler, flow: func(t *testing.T, s *site, id int) {
		for i, fields := range evil {
			for _, method := range []string{"GET", "HEAD"} {
				target := fmt.Sprintf("/%s/%d/%d", method, id, i)
				s.ask(t, get(target))
				if got := s.ask(t, ask(method, target, "", append([]string{"Cache-Control: no-cache"}, fields...)...)); got.fromCache() {
					t.Errorf("it has not reached the handler: %s with %q: %v", method, fields, got)
				}
				if got := s.ask(t, get(target)); got.body != "the page "+target || got.xCache() != "HIT" {
					t.Errorf("after a %s with %q: %v", method, fields, got)
				}
			}
		}
	}}
}

// cut ends before all is said, as a field says.
func cut(w http.ResponseWriter, r *http.Request) {
	how := r.Header.Get("X-Break")
	if how == "" {
		fmt.Fprint(w, wholeBody)
		return
	}
	if how == "short" {
		w.Header().Set("Content-Length", fmt.Sprint(len(wholeBody)))
	}
	fmt.Fprint(w, wholeBody[:9])
	switch how {
	case "flushed":
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "abort":
		panic(http.ErrAbortHandler)
	case "panic":
		panic("broken")
	}
}

// stopped stops when its client leaves, in the midst of what it says.
func stopped(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, wholeBody[:9])
	if r.Header.Get("X-Break") != "" {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	fmt.Fprint(w, wholeBody[9:])
}

func leaves(t *testing.T, s *site, id int) {
	for i := range 3 {
		target := fmt.Sprintf("/%d-%d", id, i)
		c, err := s.plain.open()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(c, get(target, "X-Break: 1").raw)
		time.Sleep(5 * time.Millisecond) // the handler runs, or will find that nobody is there
		_ = c.Close()
		for range 2 {
			if got := s.ask(t, get(target)); got.body != wholeBody {
				t.Errorf("%s: %v", target, got)
			}
		}
	}
}

// hangs waits for the end of the attack where a field says so.
func hangs(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Break") != "" {
		flag(siteOf(r), r.URL.Path).Store(true)
		select {
		case <-gate(siteOf(r), r.URL.Path):
		case <-time.After(5 * time.Second):
		}
	}
	fmt.Fprint(w, "the page ", r.URL.Path)
}

// gate is closed when the attack on path ends.
func gate(s *site, path string) chan struct{} {
	g, _ := s.seen.LoadOrStore("gate "+path, make(chan struct{}))
	return g.(chan struct{})
}

func hanging(t *testing.T, s *site, id int) {
	target := fmt.Sprint("/", id)
	var attacker sync.WaitGroup
	attacker.Go(func() { s.ask(t, get(target, "X-Break: 1")) })
	began := time.Now()
	for range 2 {
		if got := s.ask(t, get(target)); got.body != "the page "+target {
			t.Error(got)
		}
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("two answers took %v", took)
	}
	close(gate(s, target))
	attacker.Wait()
}

// waits lets 50 ask for each of a few pages while one run of their handler hangs:
// 5 may wait for it.
func waits(t *testing.T, s *site, clients int) {
	atOnce(min(clients, 3), func(url int) {
		target := fmt.Sprint("/", url)
		answered := make(chan string, crowd)
		var all sync.WaitGroup
		all.Go(func() { s.ask(t, get(target, "X-Break: 1")) })
		if !until(10*time.Second, flag(s, target).Load) {
			t.Error("the handler does not run")
		}
		all.Go(func() {
			atOnce(crowd, func(int) { answered <- s.ask(t, get(target)).header.Get("Cache-Status") })
		})
		defer all.Wait()
		defer close(gate(s, target))
		var said []string
		for range crowd - 5 {
			select {
			case status := <-answered:
				said = append(said, status)
			case <-time.After(4 * time.Second):
				t.Errorf("%d answers are there, and 5 may wait", len(said))
				return
			}
		}
		if i := slices.IndexFunc(said, func(status string) bool { return !strings.Contains(status, "detail=waiters") }); i >= 0 {
			t.Errorf("not for the limit: %s", said[i])
		}
	})
}
