package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// startTimeout bounds the whole search for a server: a pull, an image build,
// an installation.
const startTimeout = 5 * time.Minute

// A server is a running Redis.
type server struct {
	addr string       // host:port
	from string       // what it is, for the report
	end  func() error // ends it; nil where it is not ours to end
}

func (s *server) close() error {
	if s.end == nil {
		return nil
	}
	return s.end()
}

// A provider is one way to a server.
type provider struct {
	name  string
	start func(context.Context, reporter) (*server, error)
}

// providers in the order of preference.
var providers = []provider{
	{"addr", fromAddr},
	{"docker", fromDocker},
	{"process", fromProcess},
}

// errUnset says that a provider was not asked for. It is not worth a line.
var errUnset = errors.New("REDIS_ADDR is not set")

// shared is the server of the package under test.
var shared struct {
	sync.Mutex
	owned  bool // Main is there to end it
	server *server
	err    error
}

// Main runs the tests of a package, ends the server that Addr may have
// started, and exits: with a failure too if goroutines are left. Call it from
// TestMain.
func Main(m *testing.M) {
	shared.Lock()
	shared.owned = true
	shared.Unlock()

	interrupted, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-interrupted:
			_ = end()
			os.Exit(1)
		case <-over:
		}
	}()

	code := m.Run()
	if err := end(); err != nil {
		fmt.Fprintln(os.Stderr, "redis: cannot end the server:", err)
		code = max(code, 1)
	}
	close(over)
	// Where a toxic is taken out while its link ends, toxiproxy 2.5.0 may leave a
	// goroutine that sends to nobody: some in an hour of faults.
	toxic := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe")
	if err := goleak.Find(toxic); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "goleak: after all tests:", err)
		code = 1
	}
	os.Exit(code)
}

// Addr returns the address, as host:port, of the server that the tests of
// this package share, and starts it first if need be. Its data is shared too:
// use a namespace of your own. Addr fails the test if there is no server.
func Addr(tb testing.TB) string {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.owned {
		tb.Fatal("redistest: Addr needs a TestMain that calls redistest.Main")
	}
	if shared.server == nil && shared.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		shared.server, shared.err = start(ctx, os.Getenv("REDIS_PROVIDER"), report)
	}
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.server.addr
}

func end() error {
	shared.Lock()
	defer shared.Unlock()
	s := shared.server
	shared.server, shared.err = nil, errors.New("redistest: the tests are over")
	if s == nil {
		return nil
	}
	return s.close()
}

// start asks the providers in turn, or the only one that is allowed.
func start(ctx context.Context, only string, say reporter) (*server, error) {
	var errs []error
	for _, p := range providers {
		if only != "" && only != p.name {
			continue
		}
		s, err := p.start(ctx, say)
		if err == nil {
			say("%s at %s", s.from, s.addr)
			return s, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		if p.name == "addr" && !errors.Is(err, errUnset) {
			break // the server that was named is wanted, and no other
		}
		if p.name != "addr" {
			say("not from %s: %s", p.name, firstLine(err))
		}
	}
	if errs == nil {
		return nil, fmt.Errorf("redistest: REDIS_PROVIDER=%s: want addr, docker or process", only)
	}
	return nil, fmt.Errorf("redistest: no Redis to test against: %w", errors.Join(errs...))
}

func fromAddr(ctx context.Context, _ reporter) (*server, error) {
	addr := os.Getenv("REDIS_ADDR")
	if addr == "" {
		return nil, errUnset
	}
	if err := awaitPing(ctx, addr, 2*time.Second); err != nil {
		return nil, fmt.Errorf("REDIS_ADDR=%s: %w", addr, err)
	}
	return &server{addr: addr, from: "REDIS_ADDR"}, nil
}

// A reporter tells the person who runs the tests which server they got.
type reporter func(format string, args ...any)

func report(format string, args ...any) {
	line := fmt.Sprintf("redis: "+format+"\n", args...)
	fmt.Print(line)
	name := os.Getenv("REDIS_REPORT")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Println("redis: REDIS_REPORT:", err)
		return
	}
	defer f.Close()
	fmt.Fprint(f, line)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
