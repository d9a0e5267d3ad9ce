package attacks

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// collapseAttacks send 100 requests at once, which all miss. What is made for the
// first is for nobody else.
func collapseAttacks() (all []attack) {
	for name, c := range map[string]struct {
		said  []string
		field string
	}{
		"private":       {[]string{"Cache-Control: private, max-age=60"}, "X-User: %s"},
		"no-store":      {[]string{"Cache-Control: no-store"}, "X-User: %s"},
		"Set-Cookie":    {[]string{"Cache-Control: public, max-age=60", "Set-Cookie: a=b"}, "X-User: %s"},
		"Vary":          {[]string{"Cache-Control: public, max-age=60", "Vary: X-User"}, "X-User: %s"},
		"Vary star":     {[]string{"Cache-Control: public, max-age=60", "Vary: *"}, "X-User: %s"},
		"Authorization": {nil, "Authorization: %s"},
		"cookies":       {nil, "Cookie: sid=%s"},
	} {
		answer := account(c.said...)
		a := attack{
			name: "collapse leak, " + name, policy: minute, alone: true,
			handler: func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(100 * time.Millisecond)
				answer(w, r)
			},
		}
		a.once = func(t *testing.T, s *site, clients int) { collapse(t, s, a.bare(t, s.setting), clients, c.field) }
		all = append(all, a)
	}
	slices.SortFunc(all, byName)
	return all
}

// collapse lets 100 ask for one URL, and where there are clients in parallel for
// three at the same time. Each gets its own answer, and none waits for another's:
// one waits for the first, and then for its own. How long a run takes is what as
// many wait for without a cache, at the same time.
func collapse(t *testing.T, s *site, bare *server, clients int, field string) {
	urls := 1
	if clients > 1 {
		urls = 3
	}
	for _, to := range []*server{bare, s.server} {
		if err := to.plain.warm(100 * urls); err != nil {
			t.Fatal(err)
		}
	}
	var took [2]time.Duration
	for round := range 3 { // the best counts: what else the machine does is no attack
		atOnce(2, func(i int) { took[i] = ownAnswers(t, []*server{bare, s.server}[i], round, urls, field) })
		if took[1] <= 3*took[0] {
			return
		}
	}
	t.Errorf("the last answer came after %v, three runs are %v", took[1], 3*took[0])
}

// ownAnswers sends 100 requests for each URL at once, checks that each gets its
// own answer, and returns how long the last one took.
func ownAnswers(t *testing.T, s *server, round, urls int, field string) (longest time.Duration) {
	t.Helper()
	var mu sync.Mutex
	atOnce(100*urls, func(id int) {
		own := fmt.Sprintf("user-%d-end", id)
		began := time.Now()
		got, err := s.send(get(fmt.Sprint("/me/", round, "/", id%urls), fmt.Sprintf(field, own)))
		took := time.Since(began)
		if err != nil || !strings.Contains(got.body, own) {
			t.Errorf("%s got %v, %v", own, got, err)
		}
		mu.Lock()
		defer mu.Unlock()
		longest = max(longest, took)
	})
	return longest
}
