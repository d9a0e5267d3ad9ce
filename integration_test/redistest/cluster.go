package redistest

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Cluster is a Redis Cluster of processes of one test.
type Cluster struct {
	Primaries []*Server // the slots are theirs in equal parts, in this order
	Replicas  []*Server // of the primary with the same index; none or as many
	tb        testing.TB
}

// NewCluster starts three primaries, and with replicas one for each, and waits
// until all agree. A node counts as failing after 1 s.
func NewCluster(tb testing.TB, replicas bool) *Cluster {
	tb.Helper()
	c := &Cluster{tb: tb}
	for range 3 {
		c.Primaries = append(c.Primaries, c.node())
		if replicas {
			c.Replicas = append(c.Replicas, c.node())
		}
	}
	for i, p := range c.Primaries {
		p.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*5462), strconv.Itoa(min(i*5462+5461, 16383)))
	}
	for _, n := range c.Nodes()[1:] {
		host, port, _ := net.SplitHostPort(n.Addr())
		c.Primaries[0].Do("CLUSTER", "MEET", host, port, n.proc.args[len(n.proc.args)-1])
	}
	c.await(20*time.Second, fmt.Sprintf("cluster_known_nodes:%d", len(c.Nodes())))
	for i, r := range c.Replicas {
		id := c.Primaries[i].Do("CLUSTER", "MYID")
		r.Do("CLUSTER", "REPLICATE", id)
	}
	c.await(20*time.Second, "cluster_state:ok")
	for _, r := range c.Replicas {
		Eventually(tb, 20*time.Second, "a replica follows", func() bool {
			return strings.Contains(r.Do("INFO", "replication"), "master_link_status:up")
		})
	}
	return c
}

func (c *Cluster) node() *Server {
	c.tb.Helper()
	bus, err := FreeAddr()
	if err != nil {
		c.tb.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(bus)
	return Process(c.tb, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
		"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0", "--cluster-port", port)
}

// Nodes returns all nodes, the primaries first.
func (c *Cluster) Nodes() []*Server {
	return append(append([]*Server(nil), c.Primaries...), c.Replicas...)
}

// Addrs returns the addresses of all nodes.
func (c *Cluster) Addrs() (addrs []string) {
	for _, n := range c.Nodes() {
		addrs = append(addrs, n.Addr())
	}
	return addrs
}

// await waits until CLUSTER INFO of every node has line.
func (c *Cluster) await(limit time.Duration, line string) {
	c.tb.Helper()
	Eventually(c.tb, limit, line+" everywhere", func() bool {
		for _, n := range c.Nodes() {
			if !strings.Contains(n.Do("CLUSTER", "INFO"), line) {
				return false
			}
		}
		return true
	})
}

// MoveSlot migrates a slot with its keys from one primary to another, as
// redis-cli does: keys move one after another while both nodes serve.
func (c *Cluster) MoveSlot(slot int, from, to *Server) {
	c.tb.Helper()
	n := strconv.Itoa(slot)
	fromID, toID := from.Do("CLUSTER", "MYID"), to.Do("CLUSTER", "MYID")
	host, port, _ := net.SplitHostPort(to.Addr())
	to.Do("CLUSTER", "SETSLOT", n, "IMPORTING", fromID)
	from.Do("CLUSTER", "SETSLOT", n, "MIGRATING", toID)
	for {
		keys, err := Command(from.Addr(), "CLUSTER", "GETKEYSINSLOT", n, "10").AsStrSlice()
		if err != nil {
			c.tb.Fatalf("redistest: keys of slot %d: %v", slot, err)
		}
		if len(keys) == 0 {
			break
		}
		for _, key := range keys {
			if got := from.Do("MIGRATE", host, port, key, "0", "5000", "REPLACE"); got != "OK" && got != "NOKEY" {
				c.tb.Fatalf("redistest: MIGRATE %q: %s", key, got)
			}
		}
	}
	for _, node := range append([]*Server{to, from}, c.Primaries...) {
		node.Do("CLUSTER", "SETSLOT", n, "NODE", toID)
	}
}
