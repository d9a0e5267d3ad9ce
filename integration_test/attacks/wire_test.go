package attacks

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const victimHost = "victim.example"

// A request is the bytes that go over the socket: net/http's client would tidy
// up most of what an attacker sends.
type request struct {
	raw  string
	free bool // how it is answered does not matter, only what it leaves behind
}

// get is a GET of target with the header lines of fields.
func get(target string, fields ...string) request { return ask("GET", target, "", fields...) }

// ask is a request with a Host, and with a body where there is one.
func ask(method, target, body string, fields ...string) request {
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: " + victimHost}, fields...)
	if body != "" {
		lines = append(lines, fmt.Sprint("Content-Length: ", len(body)))
	}
	return request{raw: strings.Join(lines, "\r\n") + "\r\nConnection: close\r\n\r\n" + body}
}

// unchecked is r, whose own answer does not matter.
func unchecked(r request) request {
	r.free = true
	return r
}

// name is how a failure calls r.
func (r request) name() string {
	const most = 200
	if len(r.raw) > most {
		return fmt.Sprintf("%q…", r.raw[:most])
	}
	return fmt.Sprintf("%q", r.raw)
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	wire   []byte // header and body as they were sent
}

func (a *answer) xCache() string { return a.header.Get("X-Cache") }

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

// send sends r to addr and reads the answer until the server closes the
// connection.
func send(addr string, r request) (*answer, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	go func() { _, _ = io.WriteString(c, r.raw) }() // a server may answer before it has read all of it
	wire, err := io.ReadAll(c)
	if len(wire) == 0 {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	method, _, _ := strings.Cut(r.raw, " ")
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), &http.Request{Method: method})
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q", err, wire)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	return &answer{res.StatusCode, res.Header, string(body), wire}, nil
}
