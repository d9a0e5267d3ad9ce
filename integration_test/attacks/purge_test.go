package attacks

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// posting stores answers to POSTs that say that they are what a GET would return.
var posting = reprise.Policy{TTL: time.Minute, Advanced: reprise.Advanced{StorePOST: true}}

// purgeAttacks drop what is others' to drop.
func purgeAttacks() []attack {
	return []attack{
		{name: "purged by an unsafe request that fails", policy: minute, handler: form, flow: func(t *testing.T, s *site, id int) {
			for i, status := range []int{400, 401, 403, 404, 405, 500, 503} {
				kept(t, s, fmt.Sprintf("/%d/%d", id, i), func(target string) request {
					return ask("POST", target, "x=1", fmt.Sprint("X-Status: ", status))
				})
			}
			kept(t, s, fmt.Sprintf("/%d/put", id), func(target string) request { return ask("PUT", target, "x=1", "X-Status: 403") })
			kept(t, s, fmt.Sprintf("/%d/purge", id), func(target string) request { return ask("PURGE", target, "", "X-Status: 405") })
			kept(t, s, fmt.Sprintf("/%d/options", id), func(target string) request { return ask("OPTIONS", target, "") })
			kept(t, s, fmt.Sprintf("/%d/trace", id), func(target string) request { return ask("TRACE", target, "") })
		}},
		{name: "purged by another host's answer", policy: minute, handler: form, flow: func(t *testing.T, s *site, id int) {
			for i, field := range []string{"Location", "Content-Location"} {
				kept(t, s, fmt.Sprintf("/%d/%d", id, i), func(target string) request {
					evil := "POST /evil HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\nX-Says: %s: http://%s%s\r\n\r\n"
					return request{raw: fmt.Sprintf(evil, field, victimHost, target)}
				})
			}
		}},
		{name: "the answer to a POST, for others", policy: posting, handler: posted, flow: func(t *testing.T, s *site, id int) {
			for i, says := range []string{
				"Content-Location: /other", "Content-Location: http://evil.example/%s", "Content-Location: %s?x=1", "X-Nothing: %s",
				"Content-Location: %s\r\nX-Lifetime: none", "Content-Location: %s\r\nAuthorization: Bearer x", "Content-Location: %s\r\nX-Status: 400",
			} {
				target := fmt.Sprintf("/%d/%d", id, i)
				s.ask(t, ask("POST", target, "x=evil", "X-Says: "+fmt.Sprintf(says, target)))
				for range 2 {
					if got := s.ask(t, get(target)); got.body != "the page "+target {
						t.Errorf("after a POST with %q: %v", says, got)
					}
				}
			}
		}},
	}
}

// kept asks for target, does what an attacker does, and looks whether it is still
// stored.
func kept(t *testing.T, s *site, target string, evil func(target string) request) {
	t.Helper()
	if !until(10*time.Second, func() bool { return s.ask(t, get(target)).xCache() == "HIT" }) { // on a busy machine the first fill may fail
		t.Errorf("%s is not stored", target)
	}
	r := evil(target)
	s.ask(t, r)
	if got := s.ask(t, get(target)); got.xCache() != "HIT" {
		t.Errorf("after %s: %v", r.name(), got)
	}
}

// form answers a GET by a page, and all else as a field says.
func form(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if line := r.Header.Get("X-Says"); line != "" {
		say(w, []string{line})
	}
	w.WriteHeader(statusSaid(r))
	fmt.Fprint(w, "the page ", r.URL.Path)
}

// posted answers a GET by a page, and a POST by what was sent.
func posted(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		fmt.Fprint(w, "the page ", r.URL.Path)
		return
	}
	if r.Header.Get("X-Lifetime") == "" {
		w.Header().Set("Cache-Control", "max-age=60")
	}
	if line := r.Header.Get("X-Says"); line != "" {
		say(w, []string{line})
	}
	w.WriteHeader(statusSaid(r))
	_, _ = io.Copy(w, r.Body)
}

// statusSaid is the status that a field of r asks for.
func statusSaid(r *http.Request) int {
	if status, err := strconv.Atoi(r.Header.Get("X-Status")); err == nil {
		return status
	}
	return http.StatusOK
}
