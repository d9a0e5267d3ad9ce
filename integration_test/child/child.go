// Package child starts processes that talk to their test by lines, and end when their
// standard input does.
package child

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A Process is one that the test has started.
type Process struct {
	*os.Process

	tb   testing.TB
	in   io.WriteCloser
	out  *bufio.Reader
	lost bool
}

// Start starts binary with env beside this process's own environment, and returns it
// with the first line that it says. Its errors go where ours go. It ends with the
// test, and fails it if it ends otherwise than well.
func Start(tb testing.TB, binary string, env ...string) (p *Process, first string) {
	tb.Helper()
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p = &Process{Process: cmd.Process, tb: tb, in: in, out: bufio.NewReader(out)}
	tb.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil && !p.lost {
			tb.Errorf("process %d: %v", p.Pid, err)
		}
	})
	return p, p.Read()
}

// MayDie has the test not fail when p does not end well: it is to be killed.
func (p *Process) MayDie() { p.lost = true }

// Read returns the next line that p says.
func (p *Process) Read() string {
	p.tb.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.tb.Fatalf("process %d says nothing more: %v", p.Pid, err)
	}
	return strings.TrimSpace(line)
}

// Write says line to p.
func (p *Process) Write(line string) {
	p.tb.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.tb.Fatal(err)
	}
}
