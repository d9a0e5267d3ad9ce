package redisstore

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// rueidis's own, of a Cluster: they sleep up to 5 s and end.
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient)._refresh.func2"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"),
	)
}

// A server is a redis-server of a test's own.
type server struct {
	t    testing.TB
	addr string
	dir  string
	args []string
	cmd  *exec.Cmd
}

// newServer starts a redis-server on a free port; it ends with the test.
func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{t: t, addr: freeAddr(t), dir: t.TempDir(), args: args}
	s.start()
	t.Cleanup(func() { s.kill() })
	return s
}

func (s *server) start() {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		path, err = exec.LookPath("valkey-server")
	}
	if err != nil {
		s.t.Fatal("redis-server 7 or later is needed: install the package redis-server, or set REDIS_ADDR to a running one")
	}
	_, port, _ := net.SplitHostPort(s.addr)
	s.cmd = exec.Command(path, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir}, s.args...)...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, 5*time.Second, "redis-server answers", func() bool { return s.command("PING") == "+PONG" })
}

func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// command sends one command over a connection of its own and returns the
// answer: a line, or the text of a bulk; "" if there is none.
func (s *server) command(args ...string) string { return command(s.addr, args...) }

func command(addr string, args ...string) string {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	msg := "*" + strconv.Itoa(len(args)) + "\r\n"
	for _, a := range args {
		msg += "$" + strconv.Itoa(len(a)) + "\r\n" + a + "\r\n"
	}
	if _, err := c.Write([]byte(msg)); err != nil {
		return ""
	}
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil {
		return ""
	}
	if n, err := strconv.Atoi(line[1 : len(line)-2]); line[0] == '$' && err == nil && n > 0 {
		bulk := make([]byte, n)
		if _, err := io.ReadFull(r, bulk); err != nil {
			return ""
		}
		return string(bulk)
	}
	return line[:len(line)-2]
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// sharedAddr is a Redis for tests that do it no harm: REDIS_ADDR, or a new one.
func sharedAddr(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv("REDIS_ADDR"); addr != "" {
		return addr
	}
	return newServer(t).addr
}

func randomNamespace() string { return fmt.Sprintf("test-%x", store.NewStamp()) }

// open returns a Store that is closed with the test.
func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pair returns two Stores on one Redis and namespace.
func pair(t testing.TB) (a, b *Store) {
	t.Helper()
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second}
	return open(t, o), open(t, o)
}

func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); ; {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-time.After(time.Millisecond)
	}
}
