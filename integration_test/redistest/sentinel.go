package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// SentinelMaster is the name under which Sentinels know the primary.
const SentinelMaster = "main"

// A SentinelSet is a primary with two replicas, watched by three Sentinels.
type SentinelSet struct {
	Servers   []*Server // the first one is the primary at the start
	Sentinels []*Server
	tb        testing.TB
}

// NewSentinelSet starts one and waits until the Sentinels know each other and
// the replicas follow. A primary counts as down after 500 ms.
func NewSentinelSet(tb testing.TB) *SentinelSet {
	tb.Helper()
	set := &SentinelSet{tb: tb, Servers: []*Server{Process(tb, "--repl-diskless-sync-delay", "0")}}
	host, port, _ := net.SplitHostPort(set.Servers[0].Addr())
	for range 2 {
		set.Servers = append(set.Servers, Process(tb, "--repl-diskless-sync-delay", "0", "--replicaof", host+" "+port))
	}
	for _, s := range set.Servers[1:] {
		Eventually(tb, 20*time.Second, "a replica follows", func() bool {
			return strings.Contains(s.Do("INFO", "replication"), "master_link_status:up")
		})
	}
	for i := range 3 {
		set.Sentinels = append(set.Sentinels, sentinel(tb, i, host, port))
	}
	for _, s := range set.Sentinels {
		Eventually(tb, 30*time.Second, "the Sentinels know each other", func() bool {
			info := s.Do("INFO", "sentinel")
			return strings.Contains(info, "slaves=2,sentinels=3")
		})
	}
	return set
}

func sentinel(tb testing.TB, i int, host, port string) *Server {
	tb.Helper()
	conf := filepath.Join(tb.TempDir(), fmt.Sprintf("sentinel%d.conf", i))
	text := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]s 2\nsentinel down-after-milliseconds %[1]s 500\n"+
		"sentinel failover-timeout %[1]s 5000\nsentinel parallel-syncs %[1]s 2\n", SentinelMaster, host, port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return startServer(tb, conf, []string{"--sentinel"})
}

// Addrs returns the addresses of the Sentinels.
func (set *SentinelSet) Addrs() (addrs []string) {
	for _, s := range set.Sentinels {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// Primary returns the server that the Sentinels now take for the primary.
func (set *SentinelSet) Primary() *Server {
	set.tb.Helper()
	var addr string
	Eventually(set.tb, 10*time.Second, "a Sentinel names the primary", func() bool {
		reply, err := Command(set.Sentinels[0].Addr(), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SentinelMaster).AsStrSlice()
		if err == nil && len(reply) == 2 {
			addr = net.JoinHostPort(reply[0], reply[1])
		}
		return addr != ""
	})
	for _, s := range set.Servers {
		if s.Addr() == addr {
			return s
		}
	}
	set.tb.Fatalf("redistest: the Sentinels name a stranger, %s", addr)
	return nil
}
