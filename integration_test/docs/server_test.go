package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

// toListen bounds how long a program takes until it listens. The catalog fills its
// database first.
const toListen = 60 * time.Second

// A server is a process that listens.
type server struct {
	cmd    *exec.Cmd
	said   *bytes.Buffer // to be read when it is gone
	ended  chan struct{} // closed when it is gone
	result error
}

// start runs a program in dir, and returns when it listens on all addresses.
func start(ctx context.Context, addrs []string, dir, name string, args ...string) (*server, error) {
	srv := &server{cmd: exec.Command(name, args...), said: new(bytes.Buffer), ended: make(chan struct{})}
	srv.cmd.Dir, srv.cmd.Stdout, srv.cmd.Stderr = dir, srv.said, srv.said
	redistest.EndWithParent(srv.cmd)
	if err := srv.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		srv.result = srv.cmd.Wait()
		close(srv.ended)
	}()
	for _, addr := range addrs {
		if err := srv.listens(ctx, addr); err != nil {
			return nil, errors.Join(err, srv.end(), fmt.Errorf("%s %q said:\n%s", filepath.Base(name), args, srv.said))
		}
	}
	return srv, nil
}

// listens returns when the address accepts connections.
func (srv *server) listens(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, toListen)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-again.C:
		case <-srv.ended:
			return fmt.Errorf("it ended: %w", srv.result)
		case <-ctx.Done():
			return fmt.Errorf("it does not listen on %s: %w", addr, err)
		}
	}
}

// end kills the process and waits for it.
func (srv *server) end() error {
	err := srv.cmd.Process.Kill()
	<-srv.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
