package redistest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A Server is a redis-server process of one test. Its methods are for the
// test's goroutine and fail the test where they cannot do what they say.
type Server struct {
	tb   testing.TB
	proc *process
}

// Process starts a redis-server with args behind the usual ones, waits until
// it answers, and ends it with the test. It listens on the loopback only and
// writes nothing to disk, so that a restarted server is an empty one.
func Process(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return startServer(tb, "", args)
}

// startServer starts one with a configuration file, or "".
func startServer(tb testing.TB, conf string, args []string) *Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	p, err := startProcess(ctx, report, conf, args)
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	s := &Server{tb: tb, proc: p}
	tb.Cleanup(func() {
		if err := s.proc.kill(); err != nil {
			tb.Errorf("redistest: %v", err)
		}
		os.RemoveAll(s.proc.dir)
	})
	return s
}

// Addr returns the server's address as host:port. A restart does not change it.
func (s *Server) Addr() string { return s.proc.addr }

// PID returns the id of the running process. A restart changes it.
func (s *Server) PID() int { return s.proc.cmd.Process.Pid }

// Stop suspends the server (SIGSTOP): it accepts connections, since the
// kernel does, and answers nothing until Cont.
func (s *Server) Stop() { s.tb.Helper(); s.signal(syscall.SIGSTOP) }

// Cont resumes a stopped server (SIGCONT) and returns at once.
func (s *Server) Cont() { s.tb.Helper(); s.signal(syscall.SIGCONT) }

// Kill ends the server (SIGKILL) and returns when it is gone.
func (s *Server) Kill() {
	s.tb.Helper()
	if err := s.proc.kill(); err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
}

// Restart starts the server again, empty, at the same address, and returns
// when it answers. A server that still runs is killed first.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.proc.run(ctx); err != nil {
		s.tb.Fatalf("redistest: restart: %v", err)
	}
}

func (s *Server) signal(sig os.Signal) {
	s.tb.Helper()
	if err := s.proc.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatalf("redistest: %v to redis-server: %v", sig, err)
	}
}

// Start is Process for a program that is no test. It returns the server's address, as
// host:port, and what ends the server. An error tells what the server said last, if it
// did not start.
func Start(ctx context.Context, args ...string) (addr string, end func() error, err error) {
	p, err := startProcess(ctx, report, "", args)
	if err != nil {
		return "", nil, err
	}
	return p.addr, func() error { return errors.Join(p.kill(), os.RemoveAll(p.dir)) }, nil
}

// fromProcess runs the tests' shared server as a process.
func fromProcess(ctx context.Context, say reporter) (*server, error) {
	p, err := startProcess(ctx, say, "", nil)
	if err != nil {
		return nil, err
	}
	version, err := binaryVersion(ctx, p.path)
	if err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return &server{
		addr: p.addr,
		from: fmt.Sprintf("process %d, %s %s", p.cmd.Process.Pid, p.path, version),
		end:  func() error { return errors.Join(p.kill(), os.RemoveAll(p.dir)) },
	}, nil
}

// A process is one redis-server with its address, over any number of runs.
type process struct {
	path, addr string
	conf       string // a configuration file; or ""
	args       []string
	dir        string // working directory, for what args may make it write

	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd is gone
	output *bytes.Buffer // of cmd, to be read once it is gone
}

// startProcess runs a server at a free port. The port is free when we look
// and may be taken before the server binds it, hence more than one try.
func startProcess(ctx context.Context, say reporter, conf string, args []string) (*process, error) {
	path, err := binary(ctx, say)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "redistest-")
	if err != nil {
		return nil, err
	}
	for range 5 {
		p := &process{path: path, conf: conf, args: args, dir: dir}
		if p.addr, err = FreeAddr(); err != nil {
			continue
		}
		if err = p.run(ctx); err == nil {
			return p, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(dir))
}

// FreeAddr returns a free address below the range that systems take the ports
// of outgoing connections from: no client can sit on the port of a killed
// server that is to start again.
func FreeAddr() (string, error) {
	addr := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	return addr, l.Close()
}

// run starts the process and returns when it answers.
func (p *process) run(ctx context.Context) error {
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return err
	}
	args := []string{"--bind", host, "--port", port, "--daemonize", "no"}
	if p.conf == "" { // a Sentinel does not take these
		args = append(args, "--save", "", "--appendonly", "no")
	} else {
		args = append([]string{p.conf}, args...)
	}
	cmd := exec.Command(p.path, append(args, p.args...)...)
	output := new(bytes.Buffer)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, output, output
	EndWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.output, p.ended = cmd, output, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait() // how it ended does not matter: mostly we killed it
	}(p.ended)
	return p.awaitAnswer(ctx)
}

// awaitAnswer returns when the process answers, or could not start.
func (p *process) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- awaitPing(ctx, p.addr, 10*time.Second) }()
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended: %s", p.path, lastLine(p.output.Bytes()))
	case err := <-answer:
		if err != nil {
			return errors.Join(fmt.Errorf("%s, process %d: %w", p.path, p.cmd.Process.Pid, err), p.kill())
		}
		return nil
	}
}

// kill ends the process, running, stopped or already gone.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill redis-server: %w", err)
	}
	<-p.ended
	return nil
}
