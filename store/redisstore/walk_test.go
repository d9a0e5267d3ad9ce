package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
)

func TestPaceRests(t *testing.T) {
	p := pace{least: time.Millisecond, most: time.Second}
	for _, tt := range []struct{ took, want time.Duration }{
		{0, time.Millisecond}, {time.Microsecond, time.Millisecond}, {5 * time.Millisecond, 5 * time.Millisecond}, {time.Minute, time.Second},
	} {
		if got := p.rest(tt.took); got != tt.want {
			t.Errorf("after %v it rests for %v, want %v", tt.took, got, tt.want)
		}
	}
}

func TestPaceWalks(t *testing.T) {
	p, failure := pace{least: time.Millisecond, most: time.Second}, errors.New("failure")
	for name, tt := range map[string]struct {
		steps     int
		takes     time.Duration // each
		fails     int           // at this one
		ctx, open time.Duration // when they end; 0: never
		want      error
		done      int // how many steps there were
		took      time.Duration
	}{
		"one step":          {steps: 1, takes: 10 * time.Millisecond, done: 1, took: 10 * time.Millisecond},
		"half of the time":  {steps: 5, takes: 10 * time.Millisecond, done: 5, took: 90 * time.Millisecond},
		"quick steps":       {steps: 5, done: 5, took: 4 * time.Millisecond},
		"slow steps":        {steps: 3, takes: time.Minute, done: 3, took: 3*time.Minute + 2*time.Second},
		"a failure":         {steps: 5, takes: 10 * time.Millisecond, fails: 2, want: failure, done: 2, took: 30 * time.Millisecond},
		"ended in a rest":   {steps: 5, takes: 10 * time.Millisecond, ctx: 35 * time.Millisecond, want: context.DeadlineExceeded, done: 2, took: 35 * time.Millisecond},
		"ended in a step":   {steps: 5, takes: 10 * time.Millisecond, ctx: 25 * time.Millisecond, want: context.DeadlineExceeded, done: 2, took: 30 * time.Millisecond},
		"ended in the last": {steps: 2, takes: 10 * time.Millisecond, ctx: 25 * time.Millisecond, done: 2, took: 30 * time.Millisecond},
		"the store closes":  {steps: 5, takes: 10 * time.Millisecond, open: 35 * time.Millisecond, want: errClosed, done: 2, took: 35 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				until := func(d time.Duration) context.Context {
					ctx, cancel := context.WithCancel(t.Context())
					if d != 0 {
						ctx, cancel = context.WithTimeout(ctx, d)
					}
					t.Cleanup(cancel)
					return ctx
				}
				ctx, open, begun, done := until(tt.ctx), until(tt.open), time.Now(), 0
				err := p.walk(ctx, open, func() (bool, error) {
					time.Sleep(tt.takes)
					if done++; done == tt.fails {
						return true, failure
					}
					return done < tt.steps, nil
				})
				if took := time.Since(begun); !errors.Is(err, tt.want) || done != tt.done || took != tt.took {
					t.Errorf("%d steps in %v, %v; want %d in %v, %v", done, took, err, tt.done, tt.took, tt.want)
				}
			})
		})
	}
}

// seed puts n values under keys of s's namespace into Redis, which are none, but
// for a walk that makes no difference.
func seed(t *testing.T, server *server, s *Store, n int) {
	t.Helper()
	got := server.command("EVAL", "for i = 1, ARGV[2] do redis.call('SET', ARGV[1] .. 'k' .. i .. '}', 'v') end return 1", "0", s.keys.prefix, strconv.Itoa(n))
	if got != ":1" {
		t.Fatal(got)
	}
}

func dbSize(t *testing.T, server *server) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(server.command("DBSIZE"), ":"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMatchIsEndedMidway purges many keys, and is ended when some have gone: by its
// caller, and by a Redis that stops.
func TestMatchIsEndedMidway(t *testing.T) {
	const many = 30_000
	for name, end := range map[string]func(cancel func(), server *server){
		"cancelled": func(cancel func(), _ *server) { cancel() },
		"stopped":   func(_ func(), server *server) { server.signal(syscall.SIGSTOP) },
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			s := connected(t, Options{Addrs: []string{server.addr}, Timeout: 200 * time.Millisecond})
			seed(t, server, s, many)
			limited, cancel := context.WithCancel(ctx)
			defer cancel()
			ended := make(chan time.Time, 1)
			go func() {
				for dbSize(t, server) > many-2000 {
					time.Sleep(100 * time.Microsecond)
				}
				end(cancel, server)
				ended <- time.Now()
			}()
			done, err := s.Purge(limited, store.Purge{Match: "k*"})
			took := time.Since(<-ended)
			if name == "cancelled" && (!errors.Is(err, context.Canceled) || took > 100*time.Millisecond+slack) {
				t.Errorf("ended after %v with %v", took, err)
			}
			if name == "stopped" && (err == nil || took > purgeTimeout+500*time.Millisecond+slack) {
				t.Errorf("ended after %v with %v", took, err)
			}
			server.signal(syscall.SIGCONT)
			if gone := many - dbSize(t, server); done.Count == 0 || done.Count > gone || done.Count == many {
				t.Errorf("counts %d, and %d of %d have gone", done.Count, gone, many)
			}
			// The rest, and no more.
			eventually(t, 30*time.Second, "it goes on", func() bool {
				_, err = s.Purge(ctx, store.Purge{Match: "k*"})
				return err == nil
			})
			if n := dbSize(t, server); n != 0 {
				t.Errorf("%d are left", n)
			}
		})
	}
}

// TestMatchTakesTheTimeItNeeds walks for longer than other purges may take.
func TestMatchTakesTheTimeItNeeds(t *testing.T) {
	defer func(p pace) { gentle = p }(gentle)
	gentle = pace{least: 100 * time.Millisecond, most: time.Second}
	server := newServer(t)
	s := connected(t, Options{Addrs: []string{server.addr}, Timeout: time.Second})
	const many = 13_000
	seed(t, server, s, many)
	begun := time.Now()
	done, err := s.Purge(ctx, store.Purge{Match: "k*"})
	if err != nil || done.Count != many || time.Since(begun) < purgeTimeout {
		t.Errorf("%+v, %v, after %v", done, err, time.Since(begun))
	}
	seed(t, server, s, many)
	limited, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	begun = time.Now()
	if done, err := s.Purge(limited, store.Purge{Match: "k*"}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 400*time.Millisecond+slack {
		t.Errorf("with a deadline: %+v, %v, after %v", done, err, time.Since(begun))
	}
	if _, err := s.Purge(limited, store.Purge{Match: "k*", DryRun: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a dry run past its deadline: %v", err)
	}
}

// TestMatchStaysInItsNamespace has namespaces that are patterns of each other.
func TestMatchStaysInItsNamespace(t *testing.T) {
	addr := sharedAddr(t)
	unique := randomNamespace()
	var stores []*Store
	for _, name := range []string{"", "*", "?", "[a-z]", "[^x]", "x", `\x`, `\*`, "[", "x*", ":", "*:"} {
		stores = append(stores, connected(t, Options{Addrs: []string{addr}, Namespace: unique + name, Timeout: time.Second}))
	}
	for i, s := range stores {
		for _, other := range stores {
			fill(t, other, "k", "v")
			fill(t, other, "l", "v")
		}
		if done, err := s.Purge(ctx, store.Purge{Match: "[kx]"}); err != nil || done.Count != 1 {
			t.Errorf("%q: %+v, %v", s.options.Namespace, done, err)
		}
		for j, other := range stores {
			if got := body(other, "k"); (got == "") != (i == j) || body(other, "l") != "v" {
				t.Errorf("a purge in %q: %q has %q", s.options.Namespace, other.options.Namespace, got)
			}
		}
	}
}

// TestMatchInACluster drops keys of several primaries.
func TestMatchInACluster(t *testing.T) {
	nodes := newCluster(t)
	s := connected(t, Options{Addrs: []string{nodes[0].addr}, Timeout: time.Second})
	for i := range 90 {
		fill(t, s, fmt.Sprint("k", i%2, "-", i), "v")
	}
	for _, n := range nodes {
		if dbSize(t, n) == 0 {
			t.Fatal("a node has nothing")
		}
	}
	if done, err := s.Purge(ctx, store.Purge{Match: "k0-*", DryRun: true}); err != nil || done.Count != 45 {
		t.Errorf("dry: %+v, %v", done, err)
	}
	if done, err := s.Purge(ctx, store.Purge{Match: "k0-*"}); err != nil || done.Count != 45 {
		t.Errorf("%+v, %v", done, err)
	}
	for i := range 90 {
		if got := body(s, fmt.Sprint("k", i%2, "-", i)); (got == "") != (i%2 == 0) {
			t.Errorf("%d: %q", i, got)
		}
	}

	// A slot moves during a walk, which then begins anew: at most three times.
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.command("CLUSTER", "MYID")
	}
	moved := 0
	for moves, want := range map[int]error{0: nil, 1: nil, 2: nil, 3: errMoved} {
		walks := 0
		err := s.whereSlotsStay(ctx, func() error {
			if walks++; walks <= moves {
				moved++
				for _, n := range nodes { // slot 0, which has no key
					if got := n.command("CLUSTER", "SETSLOT", "0", "NODE", ids[moved%len(ids)]); got != "+OK" {
						t.Fatal(got)
					}
				}
			}
			return nil
		})
		if !errors.Is(err, want) || walks != min(moves+1, maxWalks) {
			t.Errorf("%d moves: %d walks, %v", moves, walks, err)
		}
	}
}
