package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// servingAt begins the line in which a process says where it listens.
const servingAt = "catalog: serving at"

// A node is one running instance of the API.
type node struct {
	name string // "" where there is only one
	url  string
	stop func() error
}

// startFleet starts the API: in this process, or with Redis in two processes of their own.
func startFleet(ctx context.Context, cfg config) ([]*node, error) {
	if cfg.redis == "" {
		n, err := startHere(ctx, cfg)
		return []*node{n}, err
	}
	if err := forget(ctx, cfg); err != nil {
		return nil, err
	}
	a, err := startChild(ctx, cfg, "A")
	if err != nil {
		return nil, err
	}
	b, err := startChild(ctx, cfg, "B")
	if err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return []*node{a, b}, nil
}

// forget drops what earlier runs left in Redis. It also finds out whether Redis
// is there at all: the API would run without it, and the demo would claim too much.
func forget(ctx context.Context, cfg config) error {
	st, err := redisstore.New(redisstore.Options{URL: cfg.redis, Namespace: cfg.namespace})
	if err != nil {
		return err
	}
	defer st.Close()
	if _, err := st.Purge(ctx, store.Purge{All: true}); err != nil {
		return fmt.Errorf("the Redis of -redis or REDIS_URL does not answer: %w", err)
	}
	return nil
}

func startHere(ctx context.Context, cfg config) (*node, error) {
	ctx, cancel := context.WithCancel(ctx)
	urls, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- serve(ctx, cfg, func(url string) { urls <- url }) }()
	stop := func() error {
		cancel()
		return <-ended
	}
	select {
	case url := <-urls:
		return &node{url: url, stop: stop}, nil
	case err := <-ended:
		cancel()
		return nil, err
	}
}

// startChild runs this program again, as serve.
func startChild(ctx context.Context, cfg config, name string) (*node, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, self, "serve", "-addr", cfg.addr, "-db", cfg.db, "-namespace", cfg.namespace, "-log", "warn")
	cmd.Env = append(os.Environ(), "REDIS_URL="+cfg.redis) // not an argument: it may hold a password
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = shutdownTime + 5*time.Second // whoever has not ended by then is killed
	stop := func() error {
		cancel()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("process %s: %w", name, err)
		}
		return nil
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("process %s: %w", name, err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, found := strings.CutPrefix(line, servingAt)
	if err != nil || !found {
		return nil, errors.Join(fmt.Errorf("process %s did not start: it said %q", name, line), stop())
	}
	return &node{name: name, url: strings.TrimSpace(url), stop: stop}, nil
}
