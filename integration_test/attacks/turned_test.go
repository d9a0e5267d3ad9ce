package attacks

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

const oldPage = "the old page"

// turnedAttacks are about a page that was everybody's, and then is not. Old
// answers may be used for long there, and the cache learns of the turn by a client
// who reloads, or by a refresh.
func turnedAttacks() (all []attack) {
	long := reprise.Policy{TTL: time.Minute, StaleWhileRevalidate: time.Hour, StaleIfError: time.Hour}
	brief := long
	brief.TTL = 20 * time.Millisecond
	for name, after := range turns() {
		all = append(all,
			attack{name: "cached 200, then " + name, policy: long, handler: turning(after), flow: reloaded},
			attack{name: "cached 200, refreshed to " + name, policy: brief, handler: turning(after), flow: refreshed},
		)
	}
	slices.SortFunc(all, byName)
	firm := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "must-revalidate")
		turning(func(w http.ResponseWriter) { http.Error(w, "no more", http.StatusServiceUnavailable) })(w, r)
	}
	return append(all, attack{name: "cached 200, then 503, and nothing may be used stale", policy: brief, handler: firm, flow: neverStale})
}

// turns are what a page may turn into.
func turns() map[string]func(http.ResponseWriter) {
	all := make(map[string]func(http.ResponseWriter))
	for _, status := range []int{401, 403, 404, 405, 410, 451} {
		all[fmt.Sprint(status)] = func(w http.ResponseWriter) { http.Error(w, "no more", status) }
	}
	for _, line := range []string{"Cache-Control: no-store", "Cache-Control: private", "Cache-Control: no-cache", "Vary: *"} {
		all[label([]string{line})] = func(w http.ResponseWriter) {
			say(w, []string{line})
			fmt.Fprint(w, "for you alone")
		}
	}
	return all
}

// turning is a site whose pages turn into what after answers with.
func turning(after func(http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if flag(siteOf(r), r.URL.Path).Load() {
			after(w)
			return
		}
		fmt.Fprint(w, oldPage)
	}
}

func flag(s *site, path string) *atomic.Bool {
	f, _ := s.seen.LoadOrStore(path, new(atomic.Bool))
	return f.(*atomic.Bool)
}

// isOld tells whether the answer to r has anything of the old page.
func isOld(r request, got *answer) bool {
	return got.body == oldPage || got.status == http.StatusPartialContent ||
		r.raw[:4] == "HEAD" && got.fromCache() && got.header.Get("Content-Length") == fmt.Sprint(len(oldPage))
}

// each way to ask for a page that has turned.
func askedFor(path string) []request {
	return []request{get(path), get(path, "Cache-Control: max-stale"), get(path, "Range: bytes=0-2"), ask("HEAD", path, ""), get(path, "Cache-Control: only-if-cached")}
}

// reloaded lets the cache learn of the turn as it would at the end of the lifetime.
func reloaded(t *testing.T, s *site, id int) {
	path := fmt.Sprint("/", id)
	s.ask(t, get(path))
	if got := s.ask(t, get(path)); got.xCache() != "HIT" {
		t.Errorf("before: %v", got)
	}
	flag(s, path).Store(true)
	for _, r := range append([]request{get(path, "Cache-Control: no-cache")}, askedFor(path)...) {
		if got := s.ask(t, r); isOld(r, got) {
			t.Errorf("%s: the old page: %v", r.name(), got)
		}
	}
}

// refreshed lets the cache learn of the turn behind the clients: the old page is
// used until then, and never again.
func refreshed(t *testing.T, s *site, id int) {
	path := fmt.Sprint("/", id)
	if got := s.ask(t, get(path)); got.body != oldPage {
		t.Errorf("before: %v", got)
	}
	if !until(10*time.Second, func() bool { return s.ask(t, get(path)).xCache() == "STALE" }) {
		t.Error("it does not become stale")
	}
	flag(s, path).Store(true)
	if !until(10*time.Second, func() bool { return s.ask(t, get(path)).body != oldPage }) {
		t.Error("the old page stays, whatever the refresh says")
	}
	for range 3 {
		for _, r := range askedFor(path) {
			if got := s.ask(t, r); isOld(r, got) {
				t.Errorf("%s: the old page: %v", r.name(), got)
			}
		}
	}
}

// neverStale asks for a page until it is stale, and its handler fails.
func neverStale(t *testing.T, s *site, id int) {
	path := fmt.Sprint("/", id)
	s.ask(t, get(path))
	flag(s, path).Store(true)
	if !until(10*time.Second, func() bool { return s.ask(t, get(path)).body != oldPage }) {
		t.Error("the old page is used stale")
	}
	for _, r := range askedFor(path) {
		if got := s.ask(t, r); isOld(r, got) {
			t.Errorf("%s: the old page: %v", r.name(), got)
		}
	}
}
