package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

func TestDownAtStart(t *testing.T) {
	server := newServer(t)
	server.kill()
	begun := time.Now()
	s := open(t, Options{Addrs: []string{server.addr}})
	if took := time.Since(begun); took > 100*time.Millisecond {
		t.Errorf("New took %v", took)
	}
	if _, err := s.Get(ctx, "k"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
	if l == nil || err == nil {
		t.Fatalf("acquire: %v, %v", l, err)
	}
	if err := l.Commit(ctx, store.Entry{Life: time.Minute}); err == nil || errors.Is(err, store.ErrOvertaken) {
		t.Errorf("commit: %v", err)
	}
	server.start()
	eventually(t, 2*time.Second, "connected", func() bool { return tryFill(s, "k", "v") == nil })
	if got := body(s, "k"); got != "v" {
		t.Errorf("got %q", got)
	}
}

func TestOfflineLeaseKnowsOfPurges(t *testing.T) {
	s := open(t, Options{Addrs: []string{freeAddr(t)}})
	l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "k"}, Hold: time.Minute})
	if l == nil || err == nil {
		t.Fatalf("acquire: %v, %v", l, err)
	}
	begun := time.Now()
	if _, err := s.Purge(ctx, store.Purge{Keys: []string{"another"}}); err == nil {
		t.Error("a purge that reached nobody returns nil")
	}
	if took := time.Since(begun); took < time.Second || took > purgeTimeout+100*time.Millisecond {
		t.Errorf("it tried for %v", took)
	}
	if err := l.Commit(ctx, store.Entry{Life: time.Minute}); !errors.Is(err, store.ErrOvertaken) {
		t.Errorf("commit: %v", err)
	}
}

// TestKilledUnderLoad restarts Redis while many use it: nobody hangs, and what
// comes back was once stored.
func TestKilledUnderLoad(t *testing.T) {
	server := newServer(t)
	s := open(t, Options{Addrs: []string{server.addr}, Lease: 300 * time.Millisecond})
	var stop atomic.Bool
	var slowest, answers, failures atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := 0; !stop.Load(); n++ {
				key := fmt.Sprint("k", (i+n)%8)
				begun := time.Now()
				got, err := load(s, key, func() string { return key })
				if took := int64(time.Since(begun)); took > slowest.Load() {
					slowest.Store(took)
				}
				switch {
				case err != nil:
					failures.Add(1)
				case got != key:
					t.Errorf("%q under %q", got, key)
				default:
					answers.Add(1)
				}
				if n%50 == 0 {
					short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
					_, _ = s.Purge(short, store.Purge{DryRun: true, Keys: []string{key}})
					cancel()
				}
			}
		})
	}
	for range 3 {
		n := answers.Load()
		eventually(t, 5*time.Second, "answers flow", func() bool { return answers.Load() > n+1000 })
		server.kill()
		n = failures.Load()
		eventually(t, 5*time.Second, "failures show", func() bool { return failures.Load() > n+100 })
		server.start()
		begun := time.Now()
		eventually(t, 5*time.Second, "recovered", func() bool { return tryFill(s, "probe"+fmt.Sprint(n), "v") == nil })
		if took := time.Since(begun); took > time.Second {
			t.Errorf("recovered after %v", took)
		}
	}
	stop.Store(true)
	wg.Wait()
	t.Logf("%d answers, %d failures, the slowest load took %v", answers.Load(), failures.Load(), time.Duration(slowest.Load()))
}

// counts is a Recorder that counts results.
type counts struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counts) StoreOp(op, result string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[string]int)
	}
	c.n[op+" "+result]++
}

func (c *counts) Purged(kind string, soft bool, err error) {
	c.StoreOp("purged "+kind, fmt.Sprint(soft, " ", err == nil), 0)
}

func (c *counts) get(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[what]
}

// TestHungServer stops Redis without closing its connections.
func TestHungServer(t *testing.T) {
	server := newServer(t)
	rec := &counts{}
	const deadline = 50 * time.Millisecond
	s := open(t, Options{Addrs: []string{server.addr}, Recorder: rec, Timeout: deadline, Trust: 200 * time.Millisecond})
	fill(t, s, "k", "v")
	warm(t, s, "k")
	server.signal(syscall.SIGSTOP)
	stopped := time.Now()

	slow := make(chan string, 3000)
	timed := func(what string, limit time.Duration, f func()) {
		begun := time.Now()
		f()
		if took := time.Since(begun); took > limit+slack {
			slow <- fmt.Sprintf("%s took %v", what, took)
		}
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for n := range 20 {
				key := fmt.Sprint("absent", i, n)
				timed("get", deadline, func() { _, _ = s.Get(ctx, key) })
				timed("wait", deadline, func() { _ = s.Wait(ctx, store.Slot{Key: key}) })
				timed("acquire", deadline, func() {
					l, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: key}, Hold: time.Minute})
					if l == nil || err == nil {
						t.Errorf("acquire: %v, %v", l, err)
					}
				})
			}
		})
	}
	wg.Wait()
	close(slow)
	for line := range slow {
		t.Error(line)
	}
	if rec.get("get timeout") == 0 {
		t.Errorf("no timeout recorded: %v", rec.n)
	}
	eventually(t, time.Second, "the local copy is not trusted for ever", func() bool { return body(s, "k") == "" })
	if took := time.Since(stopped); took > 10*deadline+time.Second {
		t.Errorf("it was trusted for %v", took)
	}
	server.signal(syscall.SIGCONT)
	eventually(t, 2*time.Second, "it goes on", func() bool { return body(s, "k") == "v" })
}

// TestLostLogFailsClosed deletes one purge log, as eviction would.
// TestForeignValues puts what we did not write under our keys.
func TestRecorder(t *testing.T) {
	rec := &counts{}
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second, Recorder: rec}
	a := open(t, o)
	fill(t, a, "k", "v", "tag")
	warm(t, a, "k")
	before := rec.get("get ok")
	for range 100 {
		get(t, a, "k")
	}
	if n := rec.get("get ok") - before; n > 10 {
		t.Errorf("%d of 100 local hits recorded", n)
	}
	if _, err := a.Purge(ctx, store.Purge{Tags: []string{"tag"}, Soft: true}); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]int{"get miss": 1, "acquire ok": 1, "commit ok": 1, "purge ok": 1, "purged tag true true": 1} {
		if got := rec.get(what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
}

func TestCloseWhileHung(t *testing.T) {
	server := newServer(t)
	s := open(t, Options{Addrs: []string{server.addr}})
	fill(t, s, "k", "v")
	if _, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "held"}, Hold: time.Minute}); err != nil {
		t.Fatal(err)
	}
	server.signal(syscall.SIGSTOP)
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// logTo returns a logger that writes text to w.
func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
