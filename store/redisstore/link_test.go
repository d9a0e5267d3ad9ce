package redisstore

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// lines is a slog.Handler that keeps what it is told, a line each.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += fmt.Sprintf(" %s=%v", a.Key, a.Value); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
	return nil
}

// count returns how many lines have text in them.
func (l *lines) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

// told waits for a line with text.
func (l *lines) told(t *testing.T, text string) {
	t.Helper()
	end := time.Now().Add(5 * time.Second)
	for l.count(text) == 0 {
		if time.Now().After(end) {
			t.Fatalf("nothing tells of %q:\n%s", text, l.text())
		}
		time.Sleep(time.Millisecond)
	}
}

// TestLink looks at a connection that comes and goes.
func TestLink(t *testing.T) {
	const s = int64(time.Second)
	for name, looks := range map[string][]struct {
		away bool
		at   int64
		want news
	}{
		"nothing happens": {{false, s, nothing}, {false, 2 * s, nothing}},
		"lost and regained": {
			{true, s, lost}, {true, 2 * s, nothing}, {true, 100 * s, nothing}, {false, 101 * s, regained}, {false, 102 * s, nothing},
			{true, 120 * s, lost}, {false, 121 * s, regained},
		},
		"it flaps": {
			{true, s, lost}, {false, 2 * s, regained}, {true, 3 * s, nothing}, {false, 4 * s, nothing}, {true, 5 * s, nothing},
			{true, 10 * s, nothing}, {true, 11 * s, lost}, {false, 12 * s, regained}, {false, 30 * s, nothing},
		},
		"a loss that was not told has no end": {{true, s, lost}, {false, 2 * s, regained}, {true, 3 * s, nothing}, {false, 20 * s, nothing}},
	} {
		var l link
		for _, k := range looks {
			if got := l.look(k.away, k.at); got != k.want {
				t.Errorf("%s: away %v at %v: %d, want %d", name, k.away, time.Duration(k.at), got, k.want)
			}
		}
	}
}

func TestReport(t *testing.T) {
	const s = int64(time.Second)
	var r report
	for _, k := range []struct {
		text string
		at   int64
		want bool
	}{{"a", s, true}, {"a", 2 * s, false}, {"b", 3 * s, false}, {"a", 20 * s, false}, {"b", 20 * s, true}, {"a", 21 * s, false}} {
		if got := r.isNews(k.text, k.at); got != k.want {
			t.Errorf("%q at %v: %v", k.text, time.Duration(k.at), got)
		}
	}
}

// logged opens a store with a password, whose log must not have it.
func logged(t *testing.T, o Options) (*Store, *lines) {
	t.Helper()
	l := &lines{}
	o.Logger, o.Password = slog.New(l), "secret"
	t.Cleanup(func() {
		if strings.Contains(l.text(), o.Password) {
			t.Errorf("the log has the password:\n%s", l.text())
		}
	})
	return open(t, o), l
}

// loggedIn waits until what is logged is connected.
func loggedIn(t *testing.T, o Options) (*Store, *lines) {
	t.Helper()
	s, l := logged(t, o)
	l.told(t, "INFO redisstore: connected")
	return s, l
}

// newGuarded starts a Redis with the password of logged.
func newGuarded(t *testing.T) *server {
	t.Helper()
	server := newServer(t)
	if got := server.command("CONFIG", "SET", "requirepass", "secret"); got != "+OK" {
		t.Fatal(got)
	}
	return server
}

func TestLossAndReturnAreToldOnce(t *testing.T) {
	server := newGuarded(t)
	s, l := loggedIn(t, Options{Addrs: []string{server.addr}, Trust: 100 * time.Millisecond, Timeout: 200 * time.Millisecond})
	fill(t, s, "k", "v")
	warm(t, s, "k")
	if got := l.count(""); got != 1 || l.count("INFO redisstore: connected") != 1 {
		t.Errorf("told:\n%s", l.text())
	}
	server.signal(syscall.SIGSTOP) // nobody asks for anything: only heartbeats notice
	l.told(t, "WARN redisstore: connection lost")
	for range 10 {
		_, _ = s.Get(ctx, "absent") // and the breaker
	}
	server.signal(syscall.SIGCONT)
	l.told(t, "INFO redisstore: connection regained")
	server.kill()             // a second later: told before it is not
	for range 2 * tripAfter { // which opens the breaker again
		_, _ = s.Get(ctx, "absent")
	}
	time.Sleep(150 * time.Millisecond) // heartbeats pass
	if n := l.count("connection lost"); n != 1 {
		t.Errorf("lost %d times:\n%s", n, l.text())
	}
	if n := l.count("connection regained"); n != 1 {
		t.Errorf("regained %d times:\n%s", n, l.text())
	}
	if n := l.count(""); n > 4 { // "purges are made again" may be among them
		t.Errorf("told:\n%s", l.text())
	}
}

func TestBreakersLossIsTold(t *testing.T) {
	server := newGuarded(t)
	s, l := loggedIn(t, Options{Addrs: []string{server.addr}, Trust: time.Minute, Timeout: 200 * time.Millisecond}) // no heartbeat is due
	fill(t, s, "k", "v")
	server.signal(syscall.SIGSTOP)
	for range tripAfter {
		_, _ = s.Get(ctx, "absent")
	}
	l.told(t, "connection lost")
	if l.count("why=breaker open") != 1 || l.count("error=") != 1 {
		t.Errorf("told:\n%s", l.text())
	}
	server.signal(syscall.SIGCONT)
	l.told(t, "connection regained after=")
}

func TestAClosedConnectionIsTold(t *testing.T) {
	server := newGuarded(t)
	s, l := loggedIn(t, Options{Addrs: []string{server.addr}, Trust: time.Minute, Timeout: time.Second})
	fill(t, s, "k", "v")
	warm(t, s, "k")
	if n := l.count("lost"); n != 0 {
		t.Fatalf("told:\n%s", l.text())
	}
	c, err := net.Dial("tcp", server.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("AUTH secret\r\nCLIENT KILL TYPE normal SKIPME yes\r\n")); err != nil {
		t.Fatal(err)
	}
	l.told(t, "connection lost; going on without it why=closed")
	eventually(t, 2*time.Second, "it connects again", func() bool { return body(s, "k") == "v" })
	warm(t, s, "k")
	s.beats.kick()
	l.told(t, "connection regained")
}

func TestNotReachedIsToldOnce(t *testing.T) {
	s, l := logged(t, Options{Addrs: []string{freeAddr(t)}})
	l.told(t, "WARN redisstore: Redis cannot be reached")
	for range 20 {
		_, _ = s.Get(ctx, "k")
		time.Sleep(5 * time.Millisecond)
	}
	if n := l.count(""); n != 1 {
		t.Errorf("told:\n%s", l.text())
	}
}

// A refuser takes connections, counts them and closes them.
type refuser struct {
	net.Listener
	n atomic.Int64
}

func newRefuser(t *testing.T, addr string) *refuser {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r := &refuser{Listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.n.Add(1)
			c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return r
}

// TestBackoff counts the attempts to connect: for the first time, and after a loss.
func TestBackoff(t *testing.T) {
	const rest, watched = 400 * time.Millisecond, time.Second
	slow := Options{MinBackoff: rest, Lazy: true}
	fast := Options{MaxBackoff: 5 * time.Millisecond, Lazy: true}
	first := newRefuser(t, "127.0.0.1:0")
	slow.Addrs = []string{first.Addr().String()}
	begun := time.Now()
	open(t, slow)
	time.Sleep(watched)
	if n, most := first.n.Load(), int64(time.Since(begun)/rest)+1; n < 1 || n > most {
		t.Errorf("%d attempts to connect, at most %d expected", n, most)
	}
	second := newRefuser(t, "127.0.0.1:0")
	fast.Addrs = []string{second.Addr().String()}
	open(t, fast)
	eventually(t, 3*time.Second, "20 attempts, which by default take 4 s", func() bool { return second.n.Load() >= 20 })

	server := newServer(t)
	slow.Addrs, slow.Lazy = []string{server.addr}, false
	s := connected(t, slow)
	fill(t, s, "k", "v")
	server.kill()
	eventually(t, 3*time.Second, "the breaker opens", func() bool { _, _ = s.Get(ctx, "absent"); return s.breaker(0).open.Load() })
	after := newRefuser(t, server.addr)
	begun = time.Now()
	time.Sleep(watched)
	if n, most := after.n.Load(), int64(time.Since(begun)/rest)+1; n < 1 || n > most {
		t.Errorf("%d attempts to connect anew, at most %d expected", n, most)
	}
}

func TestBackoffDefaults(t *testing.T) {
	for _, tt := range []struct{ least, most, wantLeast, wantMost time.Duration }{
		{0, 0, minBackoff, maxBackoff},
		{time.Second, 0, time.Second, time.Second},
		{time.Millisecond, 0, time.Millisecond, maxBackoff},
		{0, time.Millisecond, time.Millisecond, time.Millisecond},
		{0, time.Second, minBackoff, time.Second},
		{2, 1, 2, 1}, // validate's to refuse
	} {
		o := Options{MinBackoff: tt.least, MaxBackoff: tt.most}.withDefaults()
		if o.MinBackoff != tt.wantLeast || o.MaxBackoff != tt.wantMost {
			t.Errorf("%v and %v: %v and %v", tt.least, tt.most, o.MinBackoff, o.MaxBackoff)
		}
	}
}

// TestLazy opens stores where nothing answers at all, and where Redis is up.
func TestLazy(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	begun := time.Now()
	s := open(t, Options{Addrs: []string{silent.Addr().String()}, Lazy: true})
	if took := time.Since(begun); took > connectWait/2+slack {
		t.Errorf("New took %v", took)
	}
	if _, err := s.Get(ctx, "k"); err == nil {
		t.Error("it finds something")
	}
	up := open(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Lazy: true, Timeout: time.Second})
	eventually(t, 2*time.Second, "it connects by itself", func() bool { return up.client.Load() != nil })
	fill(t, up, "k", "v")
}
