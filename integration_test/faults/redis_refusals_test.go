package faults

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store/redisstore"
)

// A refusal is a way for Redis to say no.
type refusal struct {
	name, counted string // the result that store.Recorder gets; "" where there is nothing to count
	args          []string
	// begin makes Redis refuse, and end lets it serve again. s is the instances'
	// Redis, ns their namespace.
	begin, end func(t *testing.T, s *redistest.Server, ns string)
}

func set(args ...string) func(*testing.T, *redistest.Server, string) {
	return func(t *testing.T, s *redistest.Server, _ string) { s.Do(args...) }
}

var refusals = []refusal{
	{
		name: "OOM", counted: "oom", args: []string{"--maxmemory-policy", "noeviction"},
		begin: set("CONFIG", "SET", "maxmemory", "1"),
		end:   set("CONFIG", "SET", "maxmemory", "0"),
	},
	{
		name: "READONLY", counted: "readonly",
		// Of a primary that is not there: what Redis holds, it goes on serving.
		begin: set("REPLICAOF", "127.0.0.1", "1"),
		end:   set("REPLICAOF", "NO", "ONE"),
	},
	{
		name: "LOADING", counted: "loading", args: []string{"--enable-debug-command", "yes", "--key-load-delay", "0"},
		begin: load,
		end:   loaded,
	},
	{
		// New connections only: those that stand keep their rights.
		name: "NOAUTH", counted: "noauth",
		begin: func(t *testing.T, s *redistest.Server, _ string) {
			s.Do("CONFIG", "SET", "requirepass", "secret")
			asAdmin(t, s, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		},
		end: func(t *testing.T, s *redistest.Server, _ string) { asAdmin(t, s, "CONFIG", "SET", "requirepass", "") },
	},
	{
		name: "NOPERM", counted: "noauth",
		begin: set("ACL", "SETUSER", "default", "-get", "-eval", "-evalsha"),
		end:   set("ACL", "SETUSER", "default", "+@all"),
	},
	{
		name: "NOSCRIPT",
		begin: func(t *testing.T, s *redistest.Server, _ string) {
			for range 30 { // between any two commands of a fill
				s.Do("SCRIPT", "FLUSH")
			}
		},
		end: set("SCRIPT", "FLUSH"),
	},
}

// asAdmin sends one command with the password.
func asAdmin(t *testing.T, s *redistest.Server, args ...string) {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.Addr()}, Password: "secret", ForceSingleClient: true, DisableCache: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := c.Do(ctx, c.B().Arbitrary(args...).Build()).Error(); err != nil {
		t.Fatal(err)
	}
}

// load makes Redis write all keys down and read them again, slowly: 1 ms for
// each. It answers LOADING meanwhile, as after a start.
func load(t *testing.T, s *redistest.Server, _ string) {
	s.Do("DEBUG", "POPULATE", "2500", "ballast")
	s.Do("CONFIG", "SET", "key-load-delay", "1000")
	s.Do("CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
	go redistest.Command(s.Addr(), "DEBUG", "RELOAD")
	redistest.Eventually(t, 20*time.Second, "Redis loads", func() bool { return isLoading(s) })
}

func isLoading(s *redistest.Server) bool {
	err := redistest.Command(s.Addr(), "PING").Error()
	return err != nil && strings.HasPrefix(err.Error(), "LOADING")
}

func loaded(t *testing.T, s *redistest.Server, _ string) {
	redistest.Eventually(t, 20*time.Second, "Redis has loaded", func() bool {
		return redistest.Command(s.Addr(), "PING").Error() == nil
	})
}

// Whatever Redis says, clients do not notice, and somebody can read in the
// metrics what it is.
func TestRedisRefuses(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			redis, ns := redistest.Process(t, r.args...), namespace(t)
			two := newPair(t, &site{work: time.Millisecond}, redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: ns})
			redistest.Eventually(t, 10*time.Second, "shared hits", func() bool { return share(two) })
			tr := drive(4, 2*time.Millisecond, func(c, n int) answer {
				if n%2 == 0 {
					return two[c%2].get("page", newPage())
				}
				return two[c%2].get("page", fmt.Sprint(n%10))
			})
			r.begin(t, redis, ns)
			counted := func() int { return two[0].ops.of(r.counted) + two[1].ops.of(r.counted) }
			redistest.Eventually(t, 20*time.Second, "it is counted", func() bool { return r.counted == "" || counted() >= 20 })
			r.end(t, redis, ns)
			back := redistest.Eventually(t, 20*time.Second, "shared hits", func() bool { return share(two) })
			noErrors(t, r.name, tr.end())
			if r.counted != "" {
				figures.AtLeast(t, r.name, "counted as "+r.counted, counted(), 20)
			}
			figures.Note(t, r.name, "shared hits after it", round(back))
		})
	}
}

// A key of ours that somebody made another thing of is not ours to touch, but
// for a purge.
func TestRedisHasAnotherTypeUnderOurKey(t *testing.T) {
	const row = "WRONGTYPE"
	t.Parallel()
	redis, ns := redistest.Process(t), namespace(t)
	two := newPair(t, &site{work: 150 * time.Millisecond}, redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: ns})
	redistest.Eventually(t, 10*time.Second, "shared hits", func() bool { return share(two) })
	third := thirdParty(t, redis.Addr())
	for _, what := range []string{"entry", "control", "logs"} {
		id := newPage()
		two[0].page(id)
		keys := []string{keyOf(t, third, ns, id)}
		switch what {
		case "control":
			third("DEL", keys[0]) // or nobody would ask for a lease
			keys[0] += ":c"
		case "logs":
			keys, _ = third("KEYS", ns+":p1:{*}").AsStrSlice()
		}
		for _, key := range keys {
			third("DEL", key)
			third("LPUSH", key, "not", "ours")
		}
		var all []answer
		redistest.Eventually(t, 10*time.Second, "it is counted", func() bool {
			for _, i := range two {
				all = append(all, i.get("page", id))
			}
			return two[0].ops.of("wrongtype") >= 2 && two[1].ops.of("wrongtype") >= 2
		})
		all = append(all, crowd(t, row, what, two[0], id)...)
		noErrors(t, row, all)
		figures.AtLeast(t, row, "counted as wrongtype: "+what, two[0].ops.of("wrongtype")+two[1].ops.of("wrongtype"), 4)
		touched := 0
		for _, key := range keys {
			if got, err := third("LRANGE", key, "0", "-1").AsStrSlice(); err != nil || fmt.Sprint(got) != "[ours not]" {
				touched++
			}
			third("DEL", key)
		}
		figures.Exactly(t, row, "touched: "+what, touched, 0)
		for _, i := range two {
			i.ops.reset()
		}
		redistest.Eventually(t, 10*time.Second, "the page is shared again", func() bool { return two[0].keeps(id) && two[1].keeps(id) })
	}
}

// crowd asks one instance for one page often and at once, while the store cannot
// tell what it has of it. Like any store that fails, it must cost neither the
// collapsing in the process (G4) nor one look after another.
func crowd(t *testing.T, row, what string, i *instance, id string) []answer {
	t.Helper()
	const clients = 30
	runs, before := i.site.runs.Load(), i.ops.of("wrongtype")
	answers := make([]answer, clients)
	var all sync.WaitGroup
	for n := range answers {
		all.Go(func() { answers[n] = i.get("page", id) })
	}
	all.Wait()
	// One more may come when the first has just answered.
	figures.AtMost(t, row, fmt.Sprintf("runs for %d requests at once: %s", clients, what), int(i.site.runs.Load()-runs), 2)
	figures.AtMost(t, row, fmt.Sprintf("refusals for %d requests at once: %s", clients, what), i.ops.of("wrongtype")-before, 3*clients)
	return answers
}
