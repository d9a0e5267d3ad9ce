package attacks

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const victimHost = "victim.example"

// A request is the bytes that go over the socket: net/http's client would tidy
// up most of what an attacker sends.
type request struct {
	raw    string
	free   bool // how it is answered does not matter, only what it leaves behind
	secure bool // it goes over TLS
}

// get is a GET of target with the header lines of fields.
func get(target string, fields ...string) request { return ask("GET", target, "", fields...) }

// ask is a request with a Host, and with a body where there is one.
func ask(method, target, body string, fields ...string) request {
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: " + victimHost}, fields...)
	if body != "" {
		lines = append(lines, fmt.Sprint("Content-Length: ", len(body)))
	}
	return request{raw: strings.Join(lines, "\r\n") + "\r\n\r\n" + body}
}

// unchecked is r, whose own answer does not matter.
func unchecked(r request) request {
	r.free = true
	return r
}

// name is how a failure calls r.
func (r request) name() string {
	const most = 200
	over := ""
	if r.secure {
		over = "over TLS: "
	}
	if len(r.raw) > most {
		return fmt.Sprintf("%s%q…", over, r.raw[:most])
	}
	return fmt.Sprintf("%s%q", over, r.raw)
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	wire   []byte // header and body as they were sent; nil over HTTP/2
	last   bool   // the server closes the connection
}

func (a *answer) xCache() string { return a.header.Get("X-Cache") }

// fromCache tells whether no handler ran for a.
func (a *answer) fromCache() bool { return a.xCache() == "HIT" || a.xCache() == "STALE" }

// same tells whether b is what a is, in all that a client acts on.
func (a *answer) same(b *answer) bool {
	for _, name := range []string{"Location", "Set-Cookie", "Content-Type", "Content-Range", "Www-Authenticate", "X-Echo"} {
		if strings.Join(a.header[name], "\n") != strings.Join(b.header[name], "\n") {
			return false
		}
	}
	return a.status == b.status && a.body == b.body
}

func (a *answer) String() string {
	body := a.body
	if len(body) > 300 {
		body = fmt.Sprintf("%s… (%d bytes)", body[:300], len(body))
	}
	return fmt.Sprintf("%d %s Location=%q Set-Cookie=%q Cache-Status=%q %q", a.status, a.xCache(), a.header["Location"], a.header["Set-Cookie"], a.header["Cache-Status"], body)
}

// A wire is the way to one server. It keeps connections for the next request, as
// clients do, where neither side has asked to close them.
type wire struct {
	dial func() (net.Conn, error)

	mu   sync.Mutex
	idle []*connection
}

// A connection keeps what has come over it since the request.
type connection struct {
	net.Conn
	in  *bufio.Reader
	got bytes.Buffer
}

// maxKept is how large a request may be, in bytes, for its connection to be kept: of
// a larger one the server may not have read all when it answers.
const maxKept = 16 << 10

// send sends r and reads the answer. Anything that comes behind it is an error.
func (w *wire) send(r request) (*answer, error) {
	for {
		c, kept, err := w.take()
		if err != nil {
			return nil, err
		}
		a, err := c.exchange(r)
		if err == nil && !a.last && len(r.raw) <= maxKept {
			w.give(c)
			return a, nil
		}
		_ = c.Close()
		if err == nil || !kept || c.got.Len() > 0 { // else the server had closed it meanwhile
			return a, err
		}
	}
}

func (w *wire) take() (c *connection, kept bool, _ error) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		c, w.idle = w.idle[n-1], w.idle[:n-1]
	}
	w.mu.Unlock()
	if c != nil {
		return c, true, nil
	}
	c, err := w.open()
	return c, false, err
}

func (w *wire) open() (*connection, error) {
	raw, err := w.dial()
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: raw}
	c.in = bufio.NewReader(io.TeeReader(raw, &c.got))
	return c, nil
}

func (w *wire) give(c *connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, c)
}

// warm opens n connections, for those whose time is taken.
func (w *wire) warm(n int) error {
	for range n {
		c, err := w.open()
		if err != nil {
			return err
		}
		w.give(c)
	}
	return nil
}

func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.idle {
		_ = c.Close()
	}
	w.idle = nil
}

// exchange sends r and reads the answer, up to the end of the connection if the
// server closes it.
func (c *connection) exchange(r request) (*answer, error) {
	c.got.Reset()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if len(r.raw) > maxKept {
		go func() { _, _ = io.WriteString(c, r.raw) }() // a server may answer before it has read all of it
	} else if _, err := io.WriteString(c, r.raw); err != nil {
		return nil, err
	}
	method, _, _ := strings.Cut(r.raw, " ")
	res, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return nil, fmt.Errorf("no answer: %w: %.200q", err, c.got.Bytes())
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{status: res.StatusCode, header: res.Header, body: string(body), last: res.Close}
	behind := int64(c.in.Buffered())
	if a.last {
		behind, _ = io.Copy(io.Discard, c.in)
	}
	a.wire = bytes.Clone(c.got.Bytes())
	if behind > 0 {
		return a, fmt.Errorf("%d bytes behind the answer: %q", behind, a.wire)
	}
	return a, nil
}
