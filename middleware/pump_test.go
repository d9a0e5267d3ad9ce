package middleware_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A slowWriter is of a client who takes nothing before ready is closed, or the
// deadline has passed.
type slowWriter struct {
	*httptest.ResponseRecorder
	ready, expired chan struct{}
}

func newSlowWriter() *slowWriter {
	return &slowWriter{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
}

func (w *slowWriter) Write(p []byte) (int, error) {
	select {
	case <-w.ready:
		return w.ResponseRecorder.Write(p)
	case <-w.expired:
		return 0, os.ErrDeadlineExceeded
	}
}

func (w *slowWriter) FlushError() error { return nil }

func (w *slowWriter) SetWriteDeadline(d time.Time) error {
	time.AfterFunc(time.Until(d), func() { close(w.expired) })
	return nil
}

// flushing answers with n lines, each flushed, and calls then at the end.
func flushing(n int, then func()) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		for i := range n {
			fmt.Fprintf(w, "line %d\n", i)
			w.(http.Flusher).Flush()
		}
		if then != nil {
			then()
		}
	}
}

func TestASlowClientOfAFlushingHandlerHoldsNobody(t *testing.T) {
	inBubble(t, plain, flushing(100, nil), func(s *site) {
		slow := newSlowWriter()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(slow, httptest.NewRequest("GET", "/", nil))
		}()
		synctest.Wait()
		began := time.Now()
		a := s.get("/")
		a.want(t, "HIT", "*")
		if took := time.Since(began); took != time.Second || strings.Count(a.text, "line") != 100 {
			t.Errorf("%d bytes after %v", len(a.text), took)
		}
		time.Sleep(time.Hour)
		close(slow.ready)
		<-done
		if got := slow.Body.String(); got != a.text {
			t.Errorf("the slow client got %d bytes of %d", len(got), len(a.text))
		}
		s.wantRuns(1)
	})
}

// Past the limit, nobody waits for the response but its own client, and the
// handler for that.
func TestASlowClientOfALongStreamHoldsTheHandler(t *testing.T) {
	p := plain
	p.Limits.Body = 500
	ended := false
	inBubble(t, p, flushing(100, func() { ended = true }), func(s *site) {
		slow := newSlowWriter()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(slow, httptest.NewRequest("GET", "/", nil))
		}()
		time.Sleep(time.Minute)
		if ended {
			t.Error("the whole stream is in memory")
		}
		close(slow.ready)
		<-done
		if got := strings.Count(slow.Body.String(), "line"); got != 100 {
			t.Errorf("the client got %d lines", got)
		}
	})
}

func TestAPanicAfterAFlushDoesNotWaitForASlowClient(t *testing.T) {
	inBubble(t, plain, flushing(10, func() { panic(http.ErrAbortHandler) }), func(s *site) {
		slow := newSlowWriter()
		began := time.Now()
		defer func() {
			if p := recover(); p != any(http.ErrAbortHandler) {
				t.Errorf("panicked with %v", p)
			}
			if took := time.Since(began); took > time.Second+50*time.Millisecond {
				t.Errorf("the panic came after %v", took)
			}
		}()
		s.ServeHTTP(slow, httptest.NewRequest("GET", "/", nil))
	})
}

// What a handler flushed before it panicked reaches its client, as it does
// without a cache.
func TestWhatWasFlushedBeforeAPanicArrives(t *testing.T) {
	_, server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for range 100 {
		res, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil || string(body) != "half" {
			t.Fatalf("got %q, %v", body, err)
		}
	}
}

type panickingWriter struct{ *httptest.ResponseRecorder }

var errWriter = errors.New("a writer that panics")

func (panickingWriter) Write([]byte) (int, error) { panic(errWriter) }

// A ResponseWriter of an outer handler that panics does so in the request's own
// goroutine, where a server recovers, and others get the response.
func TestAPanicOfTheClientsWriterStaysWithItsRequest(t *testing.T) {
	inBubble(t, plain, flushing(10, nil), func(s *site) {
		func() {
			defer func() {
				if p := recover(); p != any(errWriter) {
					t.Errorf("panicked with %v", p)
				}
			}()
			s.ServeHTTP(panickingWriter{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil))
		}()
		s.get("/").want(t, "HIT", "*")
		s.wantRuns(1)
	})
}

// A plainWriter is of an outer handler that knows nothing of deadlines.
type plainWriter struct{ w *slowWriter }

func (p plainWriter) Header() http.Header         { return p.w.Header() }
func (p plainWriter) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p plainWriter) WriteHeader(status int)      { p.w.WriteHeader(status) }
func (p plainWriter) Flush()                      {}

func TestAPanicAfterAFlushHoldsNobodyWithoutDeadlines(t *testing.T) {
	first := true
	inBubble(t, plain, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		fmt.Fprint(w, "half")
		if first {
			first = false
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}, func(s *site) {
		slow := newSlowWriter()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			s.ServeHTTP(plainWriter{slow}, httptest.NewRequest("GET", "/", nil))
		}()
		time.Sleep(time.Millisecond)
		began := time.Now()
		s.get("/").want(t, "MISS", "half")
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the next one waited %v", took)
		}
		close(slow.ready)
		<-done
	})
}

// The first flush of a handler that has written nothing is no write.
type countingWriter struct {
	*httptest.ResponseRecorder
	writes int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.writes++
	return w.ResponseRecorder.Write(p)
}

func TestAFlushOfTheHeaderIsNoWrite(t *testing.T) {
	s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
	})
	w := &countingWriter{ResponseRecorder: httptest.NewRecorder()}
	s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.writes != 0 || !w.Flushed {
		t.Errorf("%d writes, flushed: %v", w.writes, w.Flushed)
	}
}
