package redisstore

import (
	"net"
	"sync"
	"testing"
)

// A proxy stands between a store and its Redis, and can hold back either
// direction without closing anything.
type proxy struct {
	addr string
	l    net.Listener
	up   gate // to Redis
	down gate // from Redis
	wg   sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

// A gate stops what passes while it is shut.
type gate struct {
	mu   sync.Mutex
	open *sync.Cond
	shut bool
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	g.open.Broadcast()
}

func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut {
		g.open.Wait()
	}
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), l: l}
	p.up.open, p.down.open = sync.NewCond(&p.up.mu), sync.NewCond(&p.down.mu)
	p.wg.Go(func() { p.serve(target) })
	t.Cleanup(p.close)
	return p
}

func (p *proxy) serve(target string) {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", target)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Go(func() { copyThrough(out, in, &p.up) })
		p.wg.Go(func() { copyThrough(in, out, &p.down) })
	}
}

func copyThrough(dst, src net.Conn, g *gate) {
	defer dst.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		g.pass()
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) close() {
	p.l.Close()
	p.up.set(false)
	p.down.set(false)
	p.cut()
	p.wg.Wait()
}
