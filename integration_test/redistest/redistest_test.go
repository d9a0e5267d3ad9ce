package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/redis/rueidis"
	"github.com/testcontainers/testcontainers-go"
)

func TestMain(m *testing.M) { Main(m) }

func TestAddrIsOneServerForAllTests(t *testing.T) {
	addr := Addr(t)
	if again := Addr(t); again != addr {
		t.Errorf("Addr = %s, then %s", addr, again)
	}
	setAndGet(t, addr)
}

// Every provider that can work on this machine does; the ones that cannot say why.
func TestProviders(t *testing.T) {
	named := Process(t)
	tests := []struct {
		name, only, addr string
		from             string
	}{
		{name: "addr", only: "addr", addr: named.Addr(), from: "REDIS_ADDR"},
		{name: "addr comes first", addr: named.Addr(), from: "REDIS_ADDR"},
		{name: "process", only: "process", from: "process "},
		{name: "docker", only: "docker", from: "testcontainers, "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("REDIS_ADDR", tt.addr)
			s, err := start(t.Context(), tt.only, t.Logf)
			if tt.only == "docker" && !engineRuns(t) {
				if err == nil || !strings.Contains(err.Error(), "no Docker engine") {
					t.Fatalf("without an engine: error = %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			setAndGet(t, s.addr)
			if !strings.HasPrefix(s.from, tt.from) {
				t.Errorf("from = %q, want %q…", s.from, tt.from)
			}
			if err := s.close(); err != nil {
				t.Fatalf("close: %v", err)
			}
			answers := awaitPing(t.Context(), s.addr, 300*time.Millisecond) == nil
			if ours := tt.addr == ""; answers == ours {
				t.Errorf("after close: the server answers = %v, it was ours to end = %v", answers, ours)
			}
		})
	}
}

func TestProvidersRefuse(t *testing.T) {
	silent, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, only, addr, path string
		want                   string
	}{
		{name: "unknown provider", only: "podman", want: "REDIS_PROVIDER=podman"},
		{name: "forced and unset", only: "addr", want: "REDIS_ADDR is not set"},
		{name: "nobody there", addr: silent, want: "REDIS_ADDR=" + silent + ": no PONG"},
		{name: "no redis-server", only: "process", path: t.TempDir(), want: "apt-get install redis-server"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("REDIS_ADDR", tt.addr)
			if tt.path != "" {
				t.Setenv("PATH", tt.path)
			}
			s, err := start(t.Context(), tt.only, t.Logf)
			if err == nil {
				t.Fatalf("got %s at %s, want an error", s.from, s.addr)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %q, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestLocalImageAnswers(t *testing.T) {
	image, err := localImage(t.Context(), t.Logf)
	if !engineRuns(t) {
		if err == nil {
			t.Fatalf("without an engine: built %s", image)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := runContainer(t.Context(), image)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	setAndGet(t, s.addr)
}

func TestOrphanedContainers(t *testing.T) {
	gone := startAndEnd(t)
	for label, want := range map[string]bool{
		strconv.Itoa(os.Getpid()): false, // ours
		strconv.Itoa(gone):        true,
		"":                        false, // not one of redistest's
	} {
		c := container.Summary{Labels: map[string]string{labelPID: label}}
		if got := orphaned(c); got != want {
			t.Errorf("process %q: orphaned = %v, want %v", label, got, want)
		}
	}
}

func TestProcessStopAndCont(t *testing.T) {
	s := Process(t)
	c := connect(t, s.Addr())
	s.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Do(ctx, c.B().Ping().Build()).Error(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stopped server: error = %v, want %v", err, context.DeadlineExceeded)
	}
	s.Cont()
	setAndGet(t, s.Addr())
}

func TestProcessKillAndRestart(t *testing.T) {
	s := Process(t)
	addr, pid := s.Addr(), s.PID()
	setAndGet(t, addr)
	s.Kill()
	if err := ping(t.Context(), addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a killed server: error = %v, want %v", err, syscall.ECONNREFUSED)
	}
	s.Kill() // a second time is no failure
	s.Restart()
	if s.Addr() != addr || s.PID() == pid {
		t.Errorf("restarted at %s as %d; it was at %s as %d", s.Addr(), s.PID(), addr, pid)
	}
	c := connect(t, addr)
	if n, err := c.Do(t.Context(), c.B().Dbsize().Build()).AsInt64(); n != 0 || err != nil {
		t.Errorf("restarted with %d keys (%v), want none", n, err)
	}
	setAndGet(t, addr)
}

func TestProcessKilledWhileStopped(t *testing.T) {
	s := Process(t)
	s.Stop()
	s.Restart()
	setAndGet(t, s.Addr())
}

func TestProcessArgs(t *testing.T) {
	s := Process(t, "--maxmemory", "3mb")
	c := connect(t, s.Addr())
	got, err := c.Do(t.Context(), c.B().ConfigGet().Parameter("maxmemory").Build()).AsStrMap()
	if err != nil || got["maxmemory"] != "3145728" {
		t.Errorf("maxmemory = %v, %v", got, err)
	}
	_, err = startProcess(t.Context(), t.Logf, "", []string{"--no-such-setting", "1"})
	if err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("a wrong setting: error = %v, want one that says that the server ended", err)
	}
}

func TestReportFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "report")
	t.Setenv("REDIS_REPORT", name)
	report("%s at %s", "a test", "nowhere")
	report("again")
	got, err := os.ReadFile(name)
	if want := "redis: a test at nowhere\nredis: again\n"; err != nil || string(got) != want {
		t.Errorf("report = %q, %v; want %q", got, err, want)
	}
}

func connect(t *testing.T, addr string) rueidis.Client {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, ForceSingleClient: true, DisableRetry: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func setAndGet(t *testing.T, addr string) {
	t.Helper()
	c := connect(t, addr)
	key, value := "redistest:"+t.Name(), fmt.Sprint(time.Now().UnixNano())
	if err := c.Do(t.Context(), c.B().Set().Key(key).Value(value).ExSeconds(60).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Do(t.Context(), c.B().Get().Key(key).Build()).ToString()
	if err != nil || got != value {
		t.Fatalf("GET = %q, %v; want %q", got, err, value)
	}
}

// engineRuns asks the engine itself, past the code under test.
func engineRuns(t *testing.T) (up bool) {
	t.Helper()
	defer func() {
		if recover() != nil {
			up = false
		}
	}()
	engine, err := testcontainers.NewDockerClientWithOpts(t.Context())
	if err != nil {
		return false
	}
	defer engine.Close()
	_, err = engine.Ping(t.Context(), client.PingOptions{})
	return err == nil
}

// startAndEnd returns the id of a process that is no more.
func startAndEnd(t *testing.T) int {
	t.Helper()
	s := Process(t)
	defer s.Kill()
	return s.PID()
}
