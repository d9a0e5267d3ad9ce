package redisstore

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// pingIs tells whether Ping says that Redis can be reached, or not, and names these
// conditions, or none at all.
func pingIs(s *Store, reached bool, conditions ...string) bool {
	h, err := s.Ping(ctx)
	for _, c := range conditions {
		if !h.Has(c) {
			return false
		}
	}
	return (err == nil) == reached && (h.Latency > 0) == reached && h.Local.Budget > 0 && (len(conditions) > 0 || h.Degraded == "")
}

// TestPing asks a Redis that is up, stopped, back, killed, and back again.
func TestPing(t *testing.T) {
	server := newServer(t)
	o := Options{Addrs: []string{server.addr}, Timeout: 100 * time.Millisecond, Trust: 200 * time.Millisecond}
	s := connected(t, o)
	is := func(when string, reached bool, conditions ...string) {
		t.Helper()
		eventually(t, 3*time.Second, when, func() bool { return pingIs(s, reached, conditions...) })
	}
	is("up, and nobody has asked for anything", true)
	fill(t, s, "k", "v")
	warm(t, s, "k")
	is("up", true)
	if h, _ := s.Ping(ctx); h.Local.Entries == 0 || h.Local.Bytes == 0 {
		t.Errorf("%+v", h)
	}
	server.signal(syscall.SIGSTOP)
	begun := time.Now()
	if h, err := s.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) || !h.Has(store.NotAnswering) || h.Latency != 0 {
		t.Errorf("stopped: %+v, %v", h, err)
	}
	if took := time.Since(begun); took > o.Timeout+slack {
		t.Errorf("it took %v", took)
	}
	is("stopped for longer than what is kept is trusted", false, store.NotAnswering, store.LocalUntrusted)
	_, _ = s.Get(ctx, "absent")
	is("stopped, and the breaker is open", false, store.NotAnswering, store.BreakerOpen)
	server.signal(syscall.SIGCONT)
	is("going on", true)
	server.kill()
	is("killed", false, store.NotConnected)
	for range tripAfter {
		_, _ = s.Get(ctx, "absent")
	}
	is("killed, and the breaker is open", false, store.NotConnected, store.BreakerOpen)
	server.start()
	is("started again", true)
}

// TestLag reads through a link that freezes, breaks, and works again: what is not
// proved grows old, also without a connection, and a new one begins anew.
func TestLag(t *testing.T) {
	server := newServer(t)
	o := Options{Addrs: []string{server.addr}, Timeout: 100 * time.Millisecond, Trust: 200 * time.Millisecond}
	s := connected(t, o)
	lag := func() time.Duration { h, _ := s.Ping(ctx); return h.Lag }
	if got := lag(); got != 0 {
		t.Errorf("nothing is kept, and the lag is %v", got)
	}
	fill(t, s, "k", "v")
	warm(t, s, "k")
	within := func(when string) {
		t.Helper()
		eventually(t, 3*time.Second, when, func() bool { got := lag(); return got > 0 && got < o.Trust })
	}
	over := func(when string, limit time.Duration) {
		t.Helper()
		eventually(t, limit+3*time.Second, when, func() bool { return lag() > limit })
	}
	within("kept")
	server.signal(syscall.SIGSTOP)
	over("frozen", 2*o.Trust)
	server.signal(syscall.SIGCONT)
	within("going on")
	server.kill()
	over("gone", 2*o.Trust)
	server.start()
	eventually(t, 3*time.Second, "back, with nothing kept", func() bool { return pingIs(s, true) && lag() == 0 })
	fill(t, s, "k", "v")
	warm(t, s, "k")
	within("kept again")
}

func TestPingBeforeItIsConnected(t *testing.T) {
	addr := freeAddr(t)
	s := open(t, Options{Addrs: []string{addr}})
	if h, err := s.Ping(ctx); err == nil || h.Degraded != store.NotConnected || h.Local.Budget == 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestPingOfAClosedStore(t *testing.T) {
	s := connected(t, Options{Addrs: []string{sharedAddr(t)}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ping(ctx); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
}

func TestPingWithoutTracking(t *testing.T) {
	s := connected(t, Options{Addrs: []string{newServer(t, "--rename-command", "CLIENT", "").addr}})
	if h, err := s.Ping(ctx); err != nil || h.Degraded != store.NoTracking {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestPingOfARedisThatRefuses(t *testing.T) {
	server := newServer(t)
	s := connected(t, Options{Addrs: []string{server.addr}})
	if !pingIs(s, true) {
		t.Error("not up")
	}
	// Whoever is connected stays so, and may do nothing.
	if got := server.command("ACL", "SETUSER", "default", "-@all", "+acl"); got != "+OK" {
		t.Fatal(got)
	}
	if h, err := s.Ping(ctx); err == nil || h.Degraded != store.Refusing {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestPingEndsWithItsContext asks a Redis that takes connections and says
// nothing, while another call, which has more time, is about to connect.
func TestPingEndsWithItsContext(t *testing.T) {
	server := newServer(t)
	p := newProxy(t, server.addr)
	s := connected(t, Options{Addrs: []string{p.addr}, Timeout: 5 * time.Second})
	fill(t, s, "k", "v")
	p.up.set(true)
	p.cut() // what connects next is not answered
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() { // the first may meet what is left of the old connection
			_, _ = s.Get(ctx, "absent")
		}
	})
	eventually(t, 2*time.Second, "a look-up connects", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.conns) > 0
	})
	for _, limit := range []time.Duration{0, 20 * time.Millisecond} {
		short, cancel := context.WithTimeout(ctx, limit)
		begun := time.Now()
		if h, err := s.Ping(short); err == nil || h.Degraded == "" {
			t.Errorf("%+v, %v", h, err)
		}
		if took := time.Since(begun); took > limit+slack {
			t.Errorf("with %v left it took %v", limit, took)
		}
		cancel()
	}
	stop.Store(true)
	p.up.set(false)
	wg.Wait()
}

func TestPingOfACluster(t *testing.T) {
	nodes := newCluster(t)
	s := connected(t, Options{Addrs: []string{nodes[0].addr}, Timeout: 200 * time.Millisecond})
	asked := func(n *server) string { return n.command("INFO", "commandstats") }
	eventually(t, 2*time.Second, "all answer", func() bool { return pingIs(s, true) })
	for _, n := range nodes {
		if _, port, _ := net.SplitHostPort(n.addr); !containsCall(asked(n), "exists") {
			t.Errorf("the node at port %s was not asked", port)
		}
	}
	nodes[2].signal(syscall.SIGSTOP)
	if h, err := s.Ping(ctx); err != nil || !h.Has(store.PartlyAway) || h.Latency == 0 || h.Latency > s.options.Timeout {
		t.Errorf("one of three stopped: %+v, %v", h, err)
	}
	nodes[2].signal(syscall.SIGCONT)
	eventually(t, 10*time.Second, "it is back", func() bool { return pingIs(s, true) })
}

// TestPingIsCheap: a readiness probe asks every second, on a machine that has
// other things to do.
func TestPingIsCheap(t *testing.T) {
	s := connected(t, Options{Addrs: []string{sharedAddr(t)}, Timeout: time.Second})
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Ping(ctx) }); n > 30 {
		t.Errorf("%v allocations", n)
	}
}
