package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
)

// handlerFollowerBar is how much later than the handler's end a follower may
// have its answer, whatever becomes of the leader's client.
const handlerFollowerBar = 20 * time.Millisecond

// A handlerScene is what one path's handler and its clients agree about.
type handlerScene struct {
	once    sync.Once
	started chan struct{} // closed when the handler runs
	arrived atomic.Int64  // requests that have come to the cache
	served  atomic.Int64  // and gone
	expect  int64         // the handler waits for so many
	ended   time.Time
}

// handlerScenes serves, behind a cache, pages whose handlers wait until their
// followers have come, and take a while then.
type handlerScenes struct {
	*httptest.Server
	client *http.Client
	body   []byte
	small  atomic.Bool // connections from now on have little room for what nobody reads
	runs   atomic.Int64
	of     sync.Map // by path
}

const handlerWork = 5 * time.Millisecond

// newHandlerScenes: with flush, the handler sends each quarter of body on its way.
func newHandlerScenes(t *testing.T, b *handlerBackend, body []byte, flush bool) *handlerScenes {
	t.Helper()
	s := &handlerScenes{client: handlerClient(t), body: body}
	cached := handlerCache(t, b.store(t)).Handler(reprise.Policy{Name: "page", TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sc := s.scene(r.URL.Path)
		s.runs.Add(1)
		sc.once.Do(func() { close(sc.started) })
		for quarter := range 4 {
			if quarter == 1 {
				for end := time.Now().Add(handlerLimit); sc.arrived.Load() < sc.expect && time.Now().Before(end); {
					time.Sleep(100 * time.Microsecond)
				}
				time.Sleep(handlerWork)
			}
			w.Write(body[len(body)*quarter/4 : len(body)*(quarter+1)/4])
			if flush {
				w.(http.Flusher).Flush()
			}
		}
		sc.ended = time.Now()
	}))
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.scene(r.URL.Path).arrived.Add(1)
		cached.ServeHTTP(w, r)
		s.scene(r.URL.Path).served.Add(1)
	}))
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if s.small.Load() {
			_ = c.(*net.TCPConn).SetWriteBuffer(4096) // without it, the machine takes up to 4 MB
		}
		return ctx
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *handlerScenes) scene(path string) *handlerScene {
	sc, _ := s.of.Load(path)
	return sc.(*handlerScene)
}

// follow lets n clients ask for path, whose handler is running, and returns how
// long after its end each of them has the whole body.
func (s *handlerScenes) follow(t *testing.T, path string, n int) []time.Duration {
	t.Helper()
	replies := make([]handlerReply, n)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = handlerGet(s.client, s.Server, path) })
	}
	all.Wait()
	late := make([]time.Duration, n)
	for i, a := range replies {
		if a.err != nil || a.status != http.StatusOK || !bytes.Equal(a.body, s.body) {
			t.Errorf("%s: a follower got %d, %d bytes, %v", path, a.status, len(a.body), a.err)
		}
		late[i] = a.at.Sub(s.scene(path).ended)
	}
	return late
}

// lead opens a connection whose request leads path's flight.
func (s *handlerScenes) lead(t *testing.T, path string, followers int) *net.TCPConn {
	t.Helper()
	sc := &handlerScene{started: make(chan struct{}), expect: int64(followers) + 1}
	s.of.Store(path, sc)
	c := handlerDial(t, s.Server, path)
	<-sc.started
	return c
}

// handlerEachMode runs a row on each store, with a handler that just writes and
// one that flushes.
func handlerEachMode(t *testing.T, body []byte, row func(t *testing.T, name string, s *handlerScenes)) {
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		row(t, "held, "+b.name, newHandlerScenes(t, b, body, false))
		b.fresh(t)
		row(t, "flushed, "+b.name, newHandlerScenes(t, b, body, true))
	})
}

// The leader's client reads some bytes and leaves: none, all, and every number
// in between, in the header as in the body, while the handler runs as after it.
func TestLeaderDisconnectsAtAnyByte(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 10)
	handlerEachMode(t, body, func(t *testing.T, row string, s *handlerScenes) {
		const followers = 2
		row = "leader leaves, " + row
		whole := handlerResponseSize(t, s)
		figures.Note(t, row, "leaders, each reads a byte more", whole+1)
		rounds, before := 0, s.runs.Load()
		handlerInTime(t, row, "followers after the handler's end, p99", handlerFollowerBar, func(round int) time.Duration {
			rounds++
			late := handlerTogether(4, whole+1, func(n int) []time.Duration {
				path := fmt.Sprintf("/%d/%d", round, n)
				c := s.lead(t, path, followers)
				left := make(chan struct{})
				go func() {
					defer close(left)
					_, _ = io.CopyN(io.Discard, c, int64(n))
					c.Close()
				}()
				late := s.follow(t, path, followers)
				redistest.Eventually(t, handlerLimit, "the leader's request has ended", func() bool {
					return s.scene(path).served.Load() == followers+1
				})
				c.Close() // some have not n bytes: flushes met, or an age has a digit less
				<-left
				return late
			})
			return handlerPercentile(late, 99)
		})
		figures.Exactly(t, row, "handler runs a leader", float64(s.runs.Load()-before)/float64(rounds*(whole+1)), 1)
	})
}

// handlerTogether runs each for 0 to n-1, some at the same time, and returns
// what they return.
func handlerTogether[T any](together, n int, each func(int) []T) (results []T) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for worker := range together {
		all.Go(func() {
			for i := worker; i < n; i += together {
				rs := each(i)
				mu.Lock()
				results = append(results, rs...)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return results
}

// handlerResponseSize returns how many bytes a response has on the wire.
func handlerResponseSize(t *testing.T, s *handlerScenes) int {
	t.Helper()
	c := s.lead(t, "/whole", 0)
	if err := c.SetReadDeadline(time.Now().Add(handlerLimit)); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil { // so that the server ends it
		t.Fatal(err)
	}
	raw, err := io.ReadAll(c)
	if err != nil || len(raw) <= len(s.body) {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	return len(raw)
}

// The leader's client takes a byte a second of a body that no buffer between
// holds. Nobody else waits for it.
func TestLeaderReadsAByteASecond(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	handlerEachMode(t, body, func(t *testing.T, row string, s *handlerScenes) {
		const followers, leaders = 4, 25
		row = "leader reads 1 B/s, " + row
		end := make(chan struct{})
		var all sync.WaitGroup
		defer all.Wait()
		defer close(end)
		led, busy := 0, 0
		handlerInTime(t, row, "followers after the handler's end, p99", handlerFollowerBar, func(round int) time.Duration {
			var late []time.Duration
			for n := range leaders {
				path := fmt.Sprintf("/%d/%d", round, n)
				s.small.Store(true)
				c := s.lead(t, path, followers)
				s.small.Store(false)
				all.Go(func() { handlerReadSlowly(c, end) })
				late = append(late, s.follow(t, path, followers)...)
				led++
				if s.scene(path).served.Load() <= followers {
					busy++
				}
			}
			return handlerPercentile(late, 99)
		})
		figures.Exactly(t, row, "leaders whose answers are still on their way", busy, led)
		figures.Exactly(t, row, "handler runs a leader", float64(s.runs.Load())/float64(led), 1)
	})
}

// handlerReadSlowly takes a byte a second of c until end is closed, and closes c.
func handlerReadSlowly(c net.Conn, end chan struct{}) {
	defer c.Close()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for b := make([]byte, 1); ; {
		if _, err := c.Read(b); err != nil {
			return
		}
		select {
		case <-second.C:
		case <-end:
			return
		}
	}
}

// A handler never comes back. Those who ask next are answered within the wait
// limit, in its process and in others, by one more run.
func TestHandlerStallsForEver(t *testing.T) {
	const wait, followers = 500 * time.Millisecond, 20
	// Each wait is spread by a tenth, so that not all give up together.
	const bar = wait + wait/10 + 50*time.Millisecond
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		row := "handler stalls, " + b.name
		var runs atomic.Int64
		stalled, release := make(chan struct{}, 1), make(chan struct{})
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if runs.Add(1) == 1 {
				stalled <- struct{}{}
				<-release // whatever its context says
			}
			fmt.Fprint(w, handlerPage)
		})
		var servers [2]*httptest.Server
		for i := range servers {
			policy := reprise.Policy{Name: "page", TTL: time.Minute, Limits: reprise.Limits{Wait: wait}}
			servers[i] = handlerServer(t, handlerCache(t, b.store(t)).Handler(policy)(handler))
		}
		t.Cleanup(func() { close(release) }) // before the servers close
		client := handlerClient(t)
		most := int64(0)
		handlerInTime(t, row, "slowest of the next 20, wait limit 500ms", bar, func(round int) time.Duration {
			runs.Store(0)
			path := fmt.Sprintf("/%d", round)
			leader := handlerDial(t, servers[0], path)
			defer leader.Close()
			<-stalled
			began := time.Now()
			var slowest atomic.Int64
			var all sync.WaitGroup
			for i := range followers {
				all.Go(func() {
					a := handlerGet(client, servers[i%2], path)
					if a.err != nil || string(a.body) != handlerPage {
						t.Errorf("got %d %q, %v", a.status, a.body, a.err)
					}
					for d := int64(a.at.Sub(began)); ; {
						if old := slowest.Load(); d <= old || slowest.CompareAndSwap(old, d) {
							break
						}
					}
				})
			}
			all.Wait()
			most = max(most, runs.Load())
			return time.Duration(slowest.Load())
		})
		figures.AtMost(t, row, "handler runs, with the one that stalls", most, 3) // an instance each, and it
	})
}
