package middleware_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/swr"
)

// A noted request is what a Recorder was told of it.
type noted struct {
	trace string
	o     swr.Outcome
	why   reprise.Reason
	timed bool
}

// notes is a Recorder whose Requests are no TracedRequests.
type notes struct {
	mu  sync.Mutex
	all []noted
}

func (n *notes) Policy(string) reprise.Requests            { return n }
func (n *notes) Filled(string, time.Duration, bool, error) {}
func (n *notes) StoreFailed(string, error)                 {}
func (n *notes) Flying(int)                                {}

func (n *notes) Request(o swr.Outcome, why reprise.Reason, took time.Duration) {
	n.note(noted{"", o, why, took > 0})
}

func (n *notes) note(one noted) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, one)
}

// count returns how often one was noted.
func (n *notes) count(one noted) (times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, other := range n.all {
		if other == one {
			times++
		}
	}
	return times
}

// tracedNotes is a Recorder whose Requests are.
type tracedNotes struct{ notes }

func (n *tracedNotes) Policy(string) reprise.Requests { return n }

func (n *tracedNotes) RequestOf(trace string, o swr.Outcome, why reprise.Reason, took time.Duration) {
	n.note(noted{trace, o, why, took > 0})
}

type traceKey struct{}

// tracedSite is a site whose requests have what the field Trace says in their context.
// Its handler takes a second.
func tracedSite(t *testing.T, r reprise.Recorder, id func(context.Context) string) *site {
	s := &site{t: t, cache: newCache(t, reprise.WithRecorder(r), reprise.WithTrace(id))}
	cached := s.cache.Handler(plain)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Second)
	}))
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cached.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), traceKey{}, r.Header.Get("Trace"))))
	})
	return s
}

func traceOf(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

func TestTracesOfRequestsThatAreTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(tracedNotes)
		s := tracedSite(t, n, traceOf)
		s.get("/", "Trace", "a")
		s.get("/untraced")
		s.get("/", "Trace", "b", "Cache-Control", "only-if-cached") // a hit, timed or not
		s.do("POST", "/", "Trace", "c")
		for _, want := range []noted{
			{"a", swr.Miss, reprise.ReasonURI, true},
			{"", swr.Miss, reprise.ReasonURI, true},
			{"c", swr.Bypass, reprise.ReasonMethod, true},
		} {
			if got := n.count(want); got != 1 {
				t.Errorf("%+v: %d times", want, got)
			}
		}
		if len(n.all) != 4 {
			t.Errorf("%+v", n.all)
		}
	})
}

// Of hits, whose time is taken of some, the trace is asked for of those alone.
func TestTracesOfHits(t *testing.T) {
	n, asked := new(tracedNotes), 0
	s := tracedSite(t, n, func(ctx context.Context) string { asked++; return traceOf(ctx) })
	s.get("/", "Trace", "first")
	const hits = 2000
	for range hits {
		s.get("/", "Trace", "hit")
	}
	timed := n.count(noted{"hit", swr.Hit, reprise.ReasonNone, true})
	untimed := n.count(noted{"", swr.Hit, reprise.ReasonNone, false})
	if timed+untimed != hits || timed == 0 || timed > hits/4 || asked != timed+1 {
		t.Errorf("%d traces asked for, of %d timed hits and %d others", asked, timed, untimed)
	}
}

func TestTracesThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(notes)
		s := tracedSite(t, n, func(context.Context) string {
			t.Error("the trace is asked for")
			return "x"
		})
		s.get("/", "Trace", "a")
		if n.count(noted{"", swr.Miss, reprise.ReasonURI, true}) != 1 {
			t.Errorf("%+v", n.all)
		}
		traced := new(tracedNotes)
		tracedSite(t, traced, nil).get("/", "Trace", "a")
		if traced.count(noted{"", swr.Miss, reprise.ReasonURI, true}) != 1 {
			t.Errorf("%+v", traced.all)
		}
	})
}
