package middleware

import (
	"net/http"
	"sync"
	"time"
)

const (
	// pumpAt is how much a handler may write, in bytes, before it goes out
	// without a flush: what net/http buffers.
	pumpAt = 4 << 10
	// abandonAfter is for what a handler flushed before it panicked, while its
	// key is locked.
	abandonAfter = 20 * time.Millisecond
)

// A pump sends to the client of a handler what that flushes, behind the
// handler's back: others wait for the handler, and must not wait for a client
// who reads slowly. What it holds is the body that is captured anyway, so that
// Limits.Body bounds it.
//
// It writes from a goroutine of its own, which ends when there is nothing to
// send. Nobody else may touch the ResponseWriter before drain has returned.
type pump struct {
	w http.ResponseWriter

	mu      sync.Mutex
	body    []byte // so far
	taken   int    // bytes of it that the goroutine has
	flush   bool   // when it has sent them
	running chan struct{}
	panic   any // of w, which is not ours
}

// send takes body, of which the pump knows the beginning already.
func (p *pump) send(body []byte, flush bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !flush && len(body)-p.taken < pumpAt {
		return
	}
	p.body, p.flush = body, p.flush || flush
	p.start()
}

// start runs the goroutine, if need be. The caller holds p.mu.
func (p *pump) start() {
	if p.running == nil && p.panic == nil {
		p.running = make(chan struct{})
		go p.run(p.running)
	}
}

func (p *pump) run(ended chan struct{}) {
	defer close(ended)
	defer func() {
		if v := recover(); v != nil {
			p.mu.Lock()
			p.running, p.panic = nil, v
			p.mu.Unlock()
		}
	}()
	for {
		p.mu.Lock()
		next, flush := p.body[p.taken:], p.flush
		p.taken, p.flush = len(p.body), false
		if len(next) == 0 && !flush {
			p.running = nil
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		if len(next) > 0 {
			p.w.Write(next) // the client may leave; the others who wait get it whole
		}
		if flush {
			_ = http.NewResponseController(p.w).Flush()
		}
	}
}

// drain sends the rest of body, and waits until the client has it all or has
// left. It panics with what w panicked with.
func (p *pump) drain(body []byte) {
	p.mu.Lock()
	if p.body = body; len(body) > p.taken {
		p.start()
	}
	running := p.running
	p.mu.Unlock()
	if running != nil {
		<-running
	}
	if p.panic != nil {
		panic(p.panic)
	}
}

// abandon is drain for a handler that has panicked: for what it flushed, and not
// for long. The connection is about to be closed anyway. Behind a writer that knows
// no deadlines it may be long: then letGo is called first, for others not to wait.
func (p *pump) abandon(letGo func()) {
	p.mu.Lock()
	running := p.running
	p.mu.Unlock()
	if running != nil {
		if http.NewResponseController(p.w).SetWriteDeadline(time.Now().Add(abandonAfter)) != nil {
			letGo()
		}
		<-running
	}
}
