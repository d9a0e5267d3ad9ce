package attacks

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// gone is a policy under which old answers may be used for long.
var gone = reprise.Policy{TTL: time.Minute, StaleWhileRevalidate: time.Hour, StaleIfError: time.Hour}

// purgeAttacks are about a page that was everybody's, and then is not.
func purgeAttacks() (all []attack) {
	for _, status := range []int{401, 403, 404, 405, 410, 451} {
		all = append(all, turned(fmt.Sprint("cached 200, then ", status), func(w http.ResponseWriter) { http.Error(w, "no more", status) }))
	}
	for _, said := range []string{"no-store", "private", "no-cache"} {
		all = append(all, turned("cached 200, then "+said, func(w http.ResponseWriter) {
			w.Header().Set("Cache-Control", said)
			fmt.Fprint(w, "for you alone")
		}))
	}
	return append(all, turned("cached 200, then Vary star", func(w http.ResponseWriter) {
		w.Header().Set("Vary", "*")
		fmt.Fprint(w, "for you alone")
	}))
}

// turned is a site whose pages turn into what after answers with.
func turned(name string, after func(http.ResponseWriter)) attack {
	return attack{
		name: name, policy: gone,
		handler: func(w http.ResponseWriter, r *http.Request) {
			if flag(siteOf(r), r.URL.Path).Load() {
				after(w)
				return
			}
			fmt.Fprint(w, "the old page")
		},
		flow: func(t *testing.T, s *site, id int) {
			path := fmt.Sprint("/", id)
			s.ask(t, get(path))
			if got := s.ask(t, get(path)); got.xCache() != "HIT" {
				t.Errorf("before: %v", got)
			}
			flag(s, path).Store(true)
			// The cache learns of it as it would at the end of the lifetime.
			for _, r := range []request{get(path, "Cache-Control: no-cache"), get(path), get(path, "Cache-Control: max-stale"), get(path, "Range: bytes=0-2"), ask("HEAD", path, "")} {
				got := s.ask(t, r)
				if got.body == "the old page" || got.status == http.StatusPartialContent || r.raw[:4] == "HEAD" && got.xCache() == "HIT" && got.header.Get("Content-Length") == "12" {
					t.Errorf("%s: the old page: %v", r.name(), got)
				}
			}
		},
	}
}

func flag(s *site, path string) *atomic.Bool {
	f, _ := s.seen.LoadOrStore(path, new(atomic.Bool))
	return f.(*atomic.Bool)
}
