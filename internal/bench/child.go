package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An order tells a child what to serve.
type order struct {
	Subject string
	Size    int
	Delay   time.Duration
	Redis   string
}

// orderEnv is the variable of a child's environment with its order.
const orderEnv = "REPRISE_BENCH_ORDER"

// serve is what a child does. It writes its address, and for each line that it
// reads how often the origin has run, until there are no more.
func serve(text string, in io.Reader, out io.Writer) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == o.Subject })
	if i < 0 {
		return fmt.Errorf("no subject is called %q", o.Subject)
	}
	site, err := subjects[i].open(newOrigin(o.Size, o.Delay), o.Redis)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- site.serve(l) }()
	fmt.Fprintln(out, l.Addr())
	asked := bufio.NewScanner(in)
	for asked.Scan() {
		fmt.Fprintln(out, site.origin.runs.Load())
	}
	select {
	case err := <-failed:
		return err
	default:
		return asked.Err()
	}
}

// A child is a subject in a process of its own.
type child struct {
	addr   string
	origin *origin // for what its answers must be
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
}

func startChild(s subject, size int, delay time.Duration, redis string) (*child, error) {
	text, err := json.Marshal(order{s.name, size, delay, redis})
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), orderEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{origin: newOrigin(size, 0), cmd: cmd, in: in, out: bufio.NewScanner(out)}
	if c.addr, err = c.line(); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *child) line() (string, error) {
	if !c.out.Scan() {
		return "", errors.Join(errors.New("the child has ended"), c.out.Err())
	}
	return c.out.Text(), nil
}

func (c *child) stop() {
	_ = c.in.Close()
	kill := time.AfterFunc(5*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	_ = c.cmd.Wait() // it has said on stderr what it had to say
}

// get is of target.
func (c *child) get(path string) error {
	w, err := dial(c.addr, 10*time.Second)
	if err != nil {
		return err
	}
	defer w.close()
	return w.get(path, c.origin)
}

// runs is of target.
func (c *child) runs() (int64, error) {
	if _, err := fmt.Fprintln(c.in); err != nil {
		return 0, err
	}
	line, err := c.line()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(line), 10, 64)
}
