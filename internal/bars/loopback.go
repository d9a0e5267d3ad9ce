package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
)

const clients = 64

// overLoopback asks real servers, one after another in each round, by 64 clients
// that keep their connections.
func overLoopback(b *bench) error {
	tiers, closeAll, err := b.tiers()
	if err != nil {
		return err
	}
	defer closeAll()
	bare, err := serve("bare handler", newPage(1<<10))
	if err != nil {
		return err
	}
	defer bare.Close()
	servers := []*served{bare}
	for _, t := range tiers {
		p := newPage(1 << 10)
		h, err := p.cached(t.Store, reprise.Policy{})
		if err != nil {
			return err
		}
		s, err := serve(t.name, h)
		if err != nil {
			return err
		}
		defer s.Close()
		if _, err := s.load(100 * time.Millisecond); err != nil {
			return err
		}
		if p.runs.Load() != 1 {
			return fmt.Errorf("%s: %d runs", t.name, p.runs.Load())
		}
		servers = append(servers, s)
	}
	for range 2 * b.rounds {
		for _, s := range servers {
			took, err := s.load(10 * b.time)
			if err != nil {
				return err
			}
			s.rates = append(s.rates, float64(len(took))/(10*b.time).Seconds())
			slices.Sort(took)
			s.slow = append(s.slow, float64(took[len(took)*99/100]))
		}
	}
	for _, s := range servers[1:] {
		rate, slow := measure.Ratio(s.rates, bare.rates), measure.Ratio(s.slow, bare.slow)
		b.print(row{
			what: "loopback, " + s.name + ", 64 clients", measured: perSecond(s.rates), beside: perSecond(bare.rates),
			ratio: fmt.Sprintf("%.3f", rate), bar: "≥ 0.97", met: rate >= 0.97,
		})
		b.print(row{
			what: "loopback, " + s.name + ", p99", measured: nanoseconds(measure.Median(s.slow)), beside: nanoseconds(measure.Median(bare.slow)),
			ratio: fmt.Sprintf("%.2f", slow), bar: "≤ 1.05", met: slow <= 1.05,
		})
	}
	return nil
}

func perSecond(rates []float64) string { return fmt.Sprintf("%.0f/s", measure.Median(rates)) }

// A served is a handler behind a server, and what its clients saw by round.
type served struct {
	*http.Server

	name        string
	addr        string
	rates, slow []float64
}

func serve(name string, h http.Handler) (*served, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &served{Server: &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}, name: name, addr: l.Addr().String()}
	go func() { _ = s.Serve(l) }() // until it is closed
	return s, nil
}

// load asks for d, and returns how long each request took.
func (s *served) load(d time.Duration) (took []time.Duration, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	end := time.Now().Add(d)
	for range clients {
		all.Go(func() {
			own, failed := s.client(end)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
			if failed != nil {
				err = failed
			}
		})
	}
	all.Wait()
	return took, err
}

// client is one connection. It reads no more of an answer than it has to, so that
// what is measured is the server.
func (s *served) client(end time.Time) (took []time.Duration, err error) {
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	request := []byte("GET /things/42 HTTP/1.1\r\nHost: " + s.addr + "\r\nUser-Agent: bars\r\nAccept: */*\r\n\r\n")
	in := bufio.NewReaderSize(c, 16<<10)
	for now := time.Now(); now.Before(end); {
		if _, err := c.Write(request); err != nil {
			return nil, err
		}
		if err := readAnswer(in, 1<<10); err != nil {
			return nil, err
		}
		after := time.Now()
		took = append(took, after.Sub(now))
		now = after
	}
	return took, nil
}

// readAnswer reads an answer with status 200 and a body of size bytes.
func readAnswer(in *bufio.Reader, size int) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if string(line) != "HTTP/1.1 200 OK\r\n" {
		return fmt.Errorf("answer: %q", line)
	}
	for len(line) > 2 {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
	}
	n, err := in.Discard(size)
	if err != nil || n != size {
		return fmt.Errorf("body of %d bytes: %w", n, io.ErrUnexpectedEOF)
	}
	return nil
}
