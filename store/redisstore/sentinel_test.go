package redisstore

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// newSentinel starts a Sentinel that watches primary under the name "main".
func newSentinel(t *testing.T, primary *server, more ...string) (addr string) {
	t.Helper()
	addr = freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	host, of, _ := net.SplitHostPort(primary.addr)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := "port " + port + "\nbind 127.0.0.1\nsentinel monitor main " + host + " " + of + " 1\n" + strings.Join(more, "")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(primary.cmd.Path, conf, "--sentinel")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, 5*time.Second, "the Sentinel answers", func() bool { return command(addr, "PING") != "" })
	return addr
}

func TestSentinel(t *testing.T) {
	primary := newServer(t)
	addr := newSentinel(t, primary)
	o := Options{Addrs: []string{addr}, SentinelMaster: "main", Timeout: time.Second}
	a, b := open(t, o), open(t, o)
	eventually(t, 5*time.Second, "connected", func() bool { return body(a, "k") == "v" || tryFill(a, "k", "v", "tag") == nil })
	eventually(t, 5*time.Second, "B sees it", func() bool { return body(b, "k") == "v" })
	if p, err := a.Purge(ctx, store.Purge{Match: "k", Tags: []string{"tag"}}); err != nil || p.Count != -1 {
		t.Errorf("%+v, %v", p, err)
	}
	eventually(t, 250*time.Millisecond, "B sees the purge", func() bool { return body(b, "k") == "" })
	if body(a, "k") != "" {
		t.Error("A does not")
	}
}
