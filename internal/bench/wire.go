package main

import (
	"bufio"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// A wire is a connection that stays open, and a client that does as little as it
// can: the servers that are measured have the same processors.
type wire struct {
	conn   net.Conn
	in     *bufio.Reader
	answer fasthttp.Response
}

// dial returns a wire that ends, with an error, after the time given.
func dial(addr string, after time.Duration) (*wire, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(after)); err != nil {
		return nil, err
	}
	return &wire{conn: conn, in: bufio.NewReader(conn)}, nil
}

func (w *wire) close() { _ = w.conn.Close() }

// get asks for path, and makes sure that what comes is o's.
func (w *wire) get(path string, o *origin) error {
	if _, err := w.conn.Write(wireRequest(path)); err != nil {
		return err
	}
	if err := w.answer.Read(w.in); err != nil {
		return err
	}
	return o.check(w.answer.StatusCode(), w.answer.Body())
}

// wireRequest is request for a wire.
func wireRequest(path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n")
}
