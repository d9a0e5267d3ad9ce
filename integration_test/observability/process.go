package observability

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

// A process is a server that runs beside this program.
type process struct {
	url string // http://host:port

	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd is gone
	output *bytes.Buffer // of cmd, to be read once it is gone
}

// readyWithin is how long a server may take from its start to its first answer.
const readyWithin = 15 * time.Second

// serve starts what command returns, which is to listen at addr, and returns when it
// answers 200 to a GET of path. The port is free when we look and may be taken before
// the server binds it, hence more than one try.
func serve(ctx context.Context, path string, command func(addr string) *exec.Cmd) (p *process, err error) {
	for range 5 {
		var addr string
		if addr, err = redistest.FreeAddr(); err != nil {
			continue
		}
		if p, err = startProcess(ctx, "http://"+addr, path, command(addr)); err == nil || ctx.Err() != nil {
			return p, err
		}
	}
	return nil, err
}

func startProcess(ctx context.Context, url, path string, cmd *exec.Cmd) (*process, error) {
	p := &process{url: url, cmd: cmd, ended: make(chan struct{}), output: new(bytes.Buffer)}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	redistest.EndWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended is asked of stop
	}()
	if err := p.await(ctx, path); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// await returns when the process answers, or could not start.
func (p *process) await(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := ok(ctx, p.url+path)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-p.ended:
			return fmt.Errorf("%s ended: %s", p.cmd.Path, p.said())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", p.cmd.Path, err)
		}
	}
}

// ok returns nil where a GET of url is answered 200.
func ok(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Close = true // nobody else asks it
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return nil
}

// stop ends the process, in peace if it takes no longer than ten seconds, and tells
// whether it ended well.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // gone already: its state says how
	patience := time.NewTimer(10 * time.Second)
	defer patience.Stop()
	select {
	case <-p.ended:
	case <-patience.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("%s: %v: %s", p.cmd.Path, p.cmd.ProcessState, p.said())
	}
	return nil
}

// said returns the end of what the process wrote. It is gone.
func (p *process) said() string {
	lines := strings.Split(strings.TrimSpace(p.output.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}
