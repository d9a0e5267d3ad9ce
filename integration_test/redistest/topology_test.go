package redistest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestClusterMovesSlotsAndFailsOver(t *testing.T) {
	c := NewCluster(t, true)
	from, to := c.Primaries[0], c.Primaries[1]
	if got := Command(from.Addr(), "SET", "{06S}", "v").Error(); got != nil { // slot 0
		t.Fatal(got)
	}
	c.MoveSlot(0, from, to)
	if got := to.Do("GET", "{06S}"); got != "v" {
		t.Errorf("after the move the new node has %q", got)
	}
	c.Primaries[2].Kill()
	Eventually(t, 20*time.Second, "the replica takes over", func() bool {
		return strings.Contains(c.Replicas[2].Do("INFO", "replication"), "role:master")
	})
}

func TestSentinelsFailOver(t *testing.T) {
	set := NewSentinelSet(t)
	old := set.Primary()
	if old != set.Servers[0] {
		t.Fatalf("the primary is %s", old.Addr())
	}
	old.Do("SET", "k", "v")
	old.Do("WAIT", "2", "1000")
	old.Kill()
	Eventually(t, 20*time.Second, "another primary", func() bool { return set.Primary() != old })
	if got := set.Primary().Do("GET", "k"); got != "v" {
		t.Errorf("the new primary has %q", got)
	}
}

// echoServer answers each line with itself.
func echoServer(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

type dialed struct {
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string) dialed {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return dialed{c, bufio.NewReader(c)}
}

// echo returns what comes back within limit.
func (d dialed) echo(line string, limit time.Duration) (string, error) {
	if line != "" {
		if _, err := io.WriteString(d, line+"\n"); err != nil {
			return "", err
		}
	}
	_ = d.SetReadDeadline(time.Now().Add(limit))
	got, err := d.r.ReadString('\n')
	return strings.TrimSuffix(got, "\n"), err
}

func TestLink(t *testing.T) {
	l := NewLink(t, echoServer(t))
	c := dial(t, l.Addr())
	if got, err := c.echo("one", time.Second); got != "one" {
		t.Fatalf("open: %q, %v", got, err)
	}
	for _, way := range []Direction{Up, Down} {
		l.Shut(way)
		var timeout net.Error
		if got, err := c.echo("two", 50*time.Millisecond); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Fatalf("shut: %q, %v", got, err)
		}
		l.Open(way)
		if got, err := c.echo("", time.Second); got != "two" {
			t.Fatalf("what was held back came as %q, %v", got, err)
		}
	}
	l.Delay(Up, 80*time.Millisecond)
	began := time.Now()
	if got, err := c.echo("three", time.Second); got != "three" || time.Since(began) < 70*time.Millisecond {
		t.Errorf("delayed: %q, %v after %v", got, err, time.Since(began))
	}
	l.Open(Up)
	l.Cut()
	if got, err := c.echo("four", time.Second); err == nil {
		t.Errorf("cut: %q", got)
	}
	c = dial(t, l.Addr())
	l.CutAfter(Down, 3)
	if got, err := c.echo("abcdef", time.Second); got != "abc" || err == nil {
		t.Errorf("cut after 3 bytes: %q, %v", got, err)
	}
	l.CutAfter(Down, -1)
	l.Down()
	if c, err := net.Dial("tcp", l.Addr()); err == nil {
		c.Close()
		t.Error("it takes connections while down")
	}
	l.Up()
	if got, err := dial(t, l.Addr()).echo("five", time.Second); got != "five" {
		t.Errorf("up again: %q, %v", got, err)
	}
}
