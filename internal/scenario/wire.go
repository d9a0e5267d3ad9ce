package scenario

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A reply is what a client got.
type reply struct {
	early  []Message
	status int
	header http.Header
	body   string
	err    error // the connection broke
}

// wire writes the request of s as a client sends it.
func (s *Step) wire(start time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", s.method(), s.target())
	if !strings.HasPrefix(strings.Join(s.Fields, "\n"), "Host:") {
		fmt.Fprintf(&b, "Host: %s\r\n", host)
	}
	for _, field := range s.Fields {
		fmt.Fprintf(&b, "%s\r\n", dated(field, start))
	}
	if s.Body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(s.Body))
	}
	fmt.Fprintf(&b, "\r\n%s", s.Body)
	return b.String()
}

// host is who is asked.
const host = "example.com"

func (s *Step) method() string {
	if s.Method == "" {
		return http.MethodGet
	}
	return s.Method
}

func (s *Step) target() string {
	if s.Target == "" {
		return "/page"
	}
	return s.Target
}

// patience is how long a client waits.
const patience = 20 * time.Second

// exchange sends one request on a connection of its own.
func (s *Step) exchange(conn net.Conn, start time.Time) (got reply) {
	defer conn.Close()
	if got.err = conn.SetDeadline(time.Now().Add(patience)); got.err != nil {
		return got
	}
	if _, got.err = io.WriteString(conn, s.wire(start)); got.err != nil {
		return got
	}
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadResponse(in, &http.Request{Method: s.method()})
		if err != nil {
			got.err = err
			return got
		}
		if r.StatusCode < 200 {
			got.early = append(got.early, Message{r.StatusCode, fields(r.Header)})
			continue
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		got.status, got.header, got.body, got.err = r.StatusCode, r.Header, string(text), err
		for name, values := range r.Trailer {
			got.header[name] = values
		}
		return got
	}
}

func fields(h http.Header) (list []string) {
	for name, values := range h {
		for _, v := range values {
			list = append(list, name+": "+v)
		}
	}
	return list
}

// pipes is a network within the process, whose connections block only on each
// other, as synctest asks.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Accept is part of net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close is part of net.Listener.
func (p *pipes) Close() error {
	close(p.done)
	return nil
}

// Addr is part of net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
