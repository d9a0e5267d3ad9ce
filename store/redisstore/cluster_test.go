package redisstore

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// newCluster starts three primaries that share the slots.
func newCluster(t *testing.T) []*server {
	t.Helper()
	nodes := make([]*server, 3)
	for i := range nodes {
		nodes[i] = newServer(t, "--cluster-enabled", "yes", "--cluster-port", strings.TrimPrefix(freeAddr(t), "127.0.0.1:"), "--cluster-node-timeout", "2000")
		low, high := i*5462, min(i*5462+5461, 16383)
		if got := nodes[i].command("CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(low), fmt.Sprint(high)); got != "+OK" {
			t.Fatal(got)
		}
	}
	for _, n := range nodes[1:] {
		host, port, _ := net.SplitHostPort(n.addr)
		if got := nodes[0].command("CLUSTER", "MEET", host, port, n.args[3]); got != "+OK" {
			t.Fatal(got)
		}
	}
	eventually(t, 20*time.Second, "the cluster is up", func() bool {
		for _, n := range nodes {
			info := n.command("CLUSTER", "INFO")
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
				return false
			}
		}
		return true
	})
	return nodes
}

func TestCluster(t *testing.T) {
	nodes := newCluster(t)
	o := Options{Addrs: []string{nodes[0].addr}, Timeout: time.Second} // one address: found out to be a Cluster's
	a, b := open(t, o), open(t, o)
	if !a.cluster.Load() {
		t.Fatal("not seen as a Cluster")
	}
	keys := make([]string, 60)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
		fill(t, a, keys[i], "v", "even"[:4*(1-i%2)]+"x", "all")
	}
	for _, k := range keys {
		warm(t, b, k)
	}
	if _, err := a.Purge(ctx, store.Purge{Tags: []string{"evenx"}}); err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		if got := body(a, k); (got == "") != (i%2 == 0) {
			t.Errorf("A, after the purge of the even: %q is %q", k, got)
		}
	}
	eventually(t, 250*time.Millisecond, "B sees it", func() bool { return body(b, keys[0]) == "" && body(b, keys[1]) == "v" })
	if p, err := b.Purge(ctx, store.Purge{Match: "key?"}); err != nil || p.Count != 10 {
		t.Errorf("match: %+v, %v", p, err)
	}
	if p, err := a.Purge(ctx, store.Purge{Keys: keys[10:20]}); err != nil || p.Count != 10 {
		t.Errorf("keys: %+v, %v", p, err)
	}
	if _, err := a.Purge(ctx, store.Purge{All: true}); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if body(a, k) != "" {
			t.Errorf("%q is left", k)
		}
	}
	eventually(t, 250*time.Millisecond, "B sees it", func() bool { return body(b, keys[59]) == "" })
	var fills atomic.Int64
	done := make(chan error, 40)
	for i := range 40 {
		go func() {
			_, err := load([]*Store{a, b}[i%2], "together", func() string { fills.Add(1); return "v" })
			done <- err
		}()
	}
	for range 40 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if fills.Load() != 1 {
		t.Errorf("%d fills", fills.Load())
	}
}

// TestClusterNodeHangs stops one node: keys of the others go on.
func TestClusterNodeHangs(t *testing.T) {
	nodes := newCluster(t)
	s := open(t, Options{Addrs: []string{nodes[0].addr, nodes[1].addr, nodes[2].addr}})
	var there, gone string // keys of the first node, and of the last
	for i := 0; there == "" || gone == ""; i++ {
		switch k := fmt.Sprint("k", i); {
		case home(k) < numLogs/3:
			there = k
		case home(k) > 2*numLogs/3+1:
			gone = k
		}
	}
	eventually(t, 2*time.Second, "filled", func() bool {
		return (body(s, there) != "" || tryFill(s, there, "v") == nil) && (body(s, gone) != "" || tryFill(s, gone, "v") == nil)
	})
	nodes[2].signal(syscall.SIGSTOP)
	eventually(t, 2*time.Second, "its keys fail", func() bool { return body(s, gone) == "" })
	worked := 0
	for i := range 50 {
		// As long as the rest of the Cluster has not noticed, and given up.
		_, err := s.Get(ctx, there)
		if err == nil {
			worked++
		} else if errors.Is(err, store.ErrNotFound) {
			t.Errorf("round %d: %v", i, err)
		}
	}
	if worked < 40 {
		t.Errorf("keys of the other nodes worked %d times of 50", worked)
	}
	nodes[2].signal(syscall.SIGCONT)
	eventually(t, 10*time.Second, "it is back", func() bool { return body(s, gone) != "" || tryFill(s, gone, "v") == nil })
}
