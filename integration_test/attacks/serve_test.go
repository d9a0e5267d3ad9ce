package attacks

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A protocol is what an attack's requests go over.
type protocol uint8

const (
	cleartext protocol = iota
	alsoTLS            // those that are secure go to a second socket
	overHTTP2          // all of them, on one connection
)

// A server is a handler behind sockets, and the way to them.
type server struct {
	addr          string // of the cleartext socket
	plain, secure *wire
	h2            http.RoundTripper // nil: the wires are used
	tlsAddr       string
	trust         *tls.Config // of the TLS socket's certificate
}

func serve(t *testing.T, h http.Handler, over protocol) *server {
	t.Helper()
	plain := listen(t, h, func(s *httptest.Server) { s.Start() })
	s := &server{addr: plain.Listener.Addr().String()}
	s.plain = &wire{dial: func() (net.Conn, error) { return net.Dial("tcp", s.addr) }}
	t.Cleanup(s.plain.close)
	if over == cleartext {
		return s
	}
	second := listen(t, h, func(s *httptest.Server) {
		s.EnableHTTP2 = over == overHTTP2
		s.StartTLS()
	})
	transport := second.Client().Transport.(*http.Transport)
	transport.DisableCompression = true
	s.tlsAddr, s.trust = second.Listener.Addr().String(), transport.TLSClientConfig.Clone()
	s.trust.ServerName = "example.com" // as the test's certificate has it
	if over == overHTTP2 {
		s.h2 = transport
	}
	s.secure = &wire{dial: func() (net.Conn, error) { return tls.Dial("tcp", s.tlsAddr, s.trust) }}
	t.Cleanup(s.secure.close)
	return s
}

// listen starts a server of h that logs nothing: attackers make it complain.
func listen(t *testing.T, h http.Handler, start func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) send(r request) (*answer, error) {
	switch {
	case s.h2 != nil:
		return s.sendHTTP2(r)
	case r.secure:
		return s.secure.send(r)
	}
	return s.plain.send(r)
}

// sendHTTP2 sends what r says in HTTP/1.1 over HTTP/2.
func (s *server) sendHTTP2(r request) (*answer, error) {
	hr, err := http.ReadRequest(bufio.NewReader(strings.NewReader(r.raw)))
	if err != nil {
		return nil, err
	}
	hr.RequestURI, hr.URL.Scheme, hr.URL.Host = "", "https", s.tlsAddr
	res, err := s.h2.RoundTrip(hr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return &answer{status: res.StatusCode, header: res.Header, body: string(body)}, err
}
