package faults

import (
	"bufio"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
)

// A handlerGate is a handler that answers when it is told to.
type handlerGate struct {
	runs  atomic.Int64
	open  chan struct{}
	mu    sync.Mutex
	ended time.Time // of the last run
}

func newHandlerGate() *handlerGate { return &handlerGate{open: make(chan struct{})} }

func (g *handlerGate) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	g.runs.Add(1)
	<-g.open
	_, _ = io.WriteString(w, handlerPage)
	g.mu.Lock()
	g.ended = time.Now()
	g.mu.Unlock()
}

func (g *handlerGate) await(t *testing.T) {
	t.Helper()
	redistest.Eventually(t, handlerLimit, "the handler runs", func() bool { return g.runs.Load() > 0 })
}

// handlerPatient is a policy by which nobody gives up, however slow the machine is.
func handlerPatient() reprise.Policy {
	return reprise.Policy{Name: "page", TTL: time.Minute, Limits: reprise.Limits{Wait: 2 * handlerLimit, Fill: 2 * handlerLimit}}
}

// 50,000 requests (12,500 under the race detector) wait for one handler. They come without sockets, of which a
// process has not so many, and share one *http.Request. The bar is on the heap,
// which is the cache's. A stack is as deep as its goroutine has ever been, in
// steps of two: 4 KiB for a look into memory, 8 for a read from Redis; net/http's
// own has 8 before it calls a handler.
func Test50kWaitersOnOneKey(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		const waiters = 50_000 / handlerShare
		row := "50k waiters, " + b.name
		r, err := http.NewRequest(http.MethodGet, "http://shop.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		var heap, stack int64
		handlerInTime(t, row, "all released after the fill", 500*time.Millisecond, func(int) time.Duration {
			b.fresh(t)
			gate := newHandlerGate()
			h := handlerCache(t, b.store(t)).Handler(handlerPatient())(gate)
			var whole atomic.Int64
			var all sync.WaitGroup
			ask := func() {
				w := &handlerSink{}
				if h.ServeHTTP(w, r); w.whole {
					whole.Add(1)
				}
			}
			all.Go(ask)
			gate.await(t)
			heapBefore, stackBefore := handlerMemory()
			for range waiters {
				all.Go(ask)
			}
			handlerAwait(t, waiters)
			heap, stack = handlerMemory()
			heap, stack = (heap-heapBefore)/waiters, (stack-stackBefore)/waiters
			close(gate.open)
			all.Wait()
			released := time.Since(gate.ended)
			if gate.runs.Load() != 1 || whole.Load() != waiters+1 {
				t.Errorf("%d handler runs, %d whole answers", gate.runs.Load(), whole.Load())
			}
			return released
		})
		figures.Note(t, row, "requests for one handler run", waiters+1)
		figures.Note(t, row, "bytes of stack each", stack)
		handlerBytes(t, row, "bytes of heap each", heap)
	})
}

// handlerBytes records what a waiter takes. The race detector's own memory is no
// figure of the cache.
func handlerBytes(t *testing.T, row, what string, bytes int64) {
	t.Helper()
	if handlerRace {
		figures.Note(t, row, what+", and of the race detector", bytes)
	} else {
		figures.AtMost(t, row, what, bytes, 4<<10)
	}
}

// handlerMemory is what the heap and the stacks hold, in bytes, without garbage.
func handlerMemory() (heap, stack int64) {
	var m runtime.MemStats
	for range 5 { // what pools hold goes with the second, and each halves the stacks
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}

// 2,000 of them (500 under the race detector) on connections of their own. What a waiter takes is compared
// with what net/http takes for a request that waits in a bare handler.
func Test2000WaitersOnSockets(t *testing.T) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		const waiters = 2000 / handlerShare
		row := "2,000 waiters on sockets, " + b.name
		var heap, stack int64
		handlerInTime(t, row, "all answered after the fill", 500*time.Millisecond, func(int) time.Duration {
			var bareHeap, bareStack int64
			for range 2 { // the second time, as the third, on what is there already
				bare := newHandlerGate()
				_, bareHeap, bareStack = handlerCrowd(t, bare, bare, waiters)
			}
			b.fresh(t)
			gate := newHandlerGate()
			took, h, s := handlerCrowd(t, handlerCache(t, b.store(t)).Handler(handlerPatient())(gate), gate, waiters)
			heap, stack = (h-bareHeap)/waiters, (s-bareStack)/waiters
			if gate.runs.Load() != 1 {
				t.Errorf("%d handler runs", gate.runs.Load())
			}
			return took
		})
		figures.Note(t, row, "bytes of stack each, beyond bare", stack)
		handlerBytes(t, row, "bytes of heap each, beyond bare", heap)
	})
}

// handlerCrowd lets n clients wait for gate behind h. It returns how long after
// the gate's end all have their answers, and what memory they took meanwhile.
func handlerCrowd(t *testing.T, h http.Handler, gate *handlerGate, n int) (took time.Duration, heap, stack int64) {
	t.Helper()
	server := handlerServer(t, h)
	var whole atomic.Int64
	var all sync.WaitGroup
	for range n {
		c := handlerDial(t, server, "/")
		all.Go(func() {
			defer c.Close()
			res, err := http.ReadResponse(bufio.NewReaderSize(c, 1024), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err == nil && string(body) == handlerPage {
				whole.Add(1)
			}
		})
	}
	redistest.Eventually(t, handlerLimit, "all requests wait", func() bool { return gate.runs.Load()+int64(handlerWaiting()) >= int64(n) })
	heap, stack = handlerMemory()
	close(gate.open)
	all.Wait()
	took = time.Since(gate.ended)
	if whole.Load() != int64(n) {
		t.Errorf("%d of %d clients have the whole page", whole.Load(), n)
	}
	return took, heap, stack
}
