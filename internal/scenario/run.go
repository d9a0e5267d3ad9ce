package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// Run plays s on the store that open makes, within the process and in virtual
// time: it waits for nothing.
func Run(t *testing.T, s Scenario, open func(testing.TB) store.Store) {
	synctest.Test(t, func(t *testing.T) {
		network := newPipes()
		st := newStage(t, s, open(t), network)
		st.dial, st.settle = network.dial, func(bool) { synctest.Wait() }
		for n := range s.Steps {
			if st.play(s, n); t.Failed() {
				return // what comes after it means nothing
			}
		}
	})
}

// RunLive plays s over sockets and in real time.
func RunLive(t *testing.T, s Scenario, open func(testing.TB) store.Store) {
	network, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	st := newStage(t, s, open(t), network)
	st.dial = func() (net.Conn, error) { return net.Dial("tcp", network.Addr().String()) }
	st.settle = st.awaitRefresh
	for n := range s.Steps {
		if st.play(s, n); t.Failed() {
			return
		}
	}
}

// A stage is a server with a cache, on which one scenario is played.
type stage struct {
	t         testing.TB
	handler   http.Handler
	origin    *origin
	start     time.Time
	refreshed chan struct{} // one for each refresh that has ended
	kept      kept

	dial   func() (net.Conn, error)
	settle func(refreshing bool) // until nothing is under way any more
}

// kept is the answer of the origin that is stored.
type kept struct {
	status int
	body   string
}

func newStage(t testing.TB, s Scenario, keep store.Store, network net.Listener) *stage {
	st := &stage{t: t, origin: &origin{}, refreshed: make(chan struct{}, len(s.Steps))}
	cache, err := middleware.New(keep, middleware.WithRecorder(refreshes{st.refreshed}))
	if err != nil {
		t.Fatal(err)
	}
	policy := middleware.Policy{Name: "scenario"}
	if s.Policy != nil {
		s.Policy(&policy)
	}
	st.handler = cache.Handler(policy)(st.origin)
	server := &http.Server{Handler: st.handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: patience}
	ended := make(chan error)
	go func() { ended <- server.Serve(network) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := cache.Close(ctx); err != nil {
			t.Errorf("a refresh does not end: %v", err)
		}
	})
	return st
}

// play plays one step, the first being 0, and checks what is expected of it.
func (st *stage) play(s Scenario, n int) {
	st.t.Helper()
	time.Sleep(s.Steps[n].Wait)
	if st.start.IsZero() {
		st.start = time.Now()
		st.origin.start = st.start
	}
	step := s.Steps[n].filled(n)
	st.origin.play(step)
	conn, err := st.dial()
	if err != nil {
		st.t.Fatal(err)
	}
	got := step.exchange(conn, st.start)
	if st.settle(step.Want.Origin == Behind && got.header.Get("X-Cache") == "STALE"); st.t.Failed() {
		return
	}

	want := st.expected(s, step)
	for _, fault := range step.faults(got, want, st.origin.requests(), st.start) {
		st.t.Errorf("step %d: %s", n+1, fault)
	}
	if st.t.Failed() {
		st.t.Logf("step %d: the client got %d %q %v, err %v", n+1, got.status, got.body, got.header, got.err)
	}
}

// filled returns s with what it leaves out: a body that names the step.
func (s Step) filled(n int) Step {
	o := &s.Origin
	if o.Body == "" && o.Fails == Not && o.Status != http.StatusNoContent && o.Status != http.StatusNotModified && o.Status != http.StatusResetContent {
		o.Body = fmt.Sprintf("answer %d", n+1)
	}
	if o.Status == 0 && !o.File {
		o.Status = http.StatusOK
	}
	return s
}

// expected returns status and body that the client should get in a step, and
// notes what the step stores.
func (st *stage) expected(s Scenario, step Step) kept {
	made := kept{step.Origin.Status, step.Origin.Body}
	if made.status == 0 {
		made.status = http.StatusOK
	}
	want := st.kept
	if n := step.Want.Of; n > 0 {
		o := s.Steps[n-1].filled(n - 1).Origin
		want = kept{max(o.Status, http.StatusOK), o.Body}
	}
	switch x := step.Want.XCache; {
	case x == "MISS":
		if want = made; step.method() == http.MethodGet {
			st.kept = made
		}
	case x == "BYPASS":
		want = made
	case step.Want.Origin == Behind && step.Origin.Fails == Not && made.status == http.StatusOK:
		st.kept = made
	}
	if step.Want.Status != 0 {
		want.status = step.Want.Status
	}
	if step.Want.Body != "" {
		want.body = step.Want.Body
	}
	return want
}

// awaitRefresh returns when a refresh that is expected has been stored.
func (st *stage) awaitRefresh(refreshing bool) {
	if !refreshing {
		return
	}
	select {
	case <-st.refreshed:
	case <-time.After(patience):
		st.t.Errorf("no refresh in %v", patience)
	}
}

// refreshes is a middleware.Recorder that tells when a refresh has ended.
type refreshes struct{ ended chan<- struct{} }

func (r refreshes) Policy(string) middleware.Requests { return r }

func (r refreshes) Filled(_ string, _ time.Duration, background bool, _ error) {
	if background {
		select {
		case r.ended <- struct{}{}:
		default: // more of them than steps: the test fails elsewhere
		}
	}
}

func (refreshes) Request(swr.Outcome, middleware.Reason, time.Duration) {}
func (refreshes) StoreFailed(string, error)                             {}
func (refreshes) Flying(int)                                            {}
