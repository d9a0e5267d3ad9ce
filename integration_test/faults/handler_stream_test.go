package faults

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	reprise "github.com/reprise-go/reprise/middleware"
)

// The other streams of this row have their tests where no store matters: that
// WebSockets echo is TestWebSocketsEchoThroughTheMiddleware of package streams;
// that 103 and trailers are forwarded, and never stored, are
// TestEarlyHintsPassAndAreNotStored, TestTrailersPass and
// TestTrailersWithoutAFlushPass of package middleware.

// A body of 1 GiB (256 MiB under the race detector) goes through without being
// kept: no more of it is in memory than may be stored, and buffers.
func TestAGigabyteBody(t *testing.T) {
	const size, chunk, limit = 1 << 30 / handlerShare, 64 << 10, 1 << 20
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		var base, peak atomic.Int64
		sample := func() { // what lives; garbage is the collector's affair
			heap, _ := handlerMemory()
			peak.Store(max(peak.Load(), heap-base.Load()))
		}
		data := make([]byte, chunk)
		policy := reprise.Policy{Name: "page", TTL: time.Minute, Limits: reprise.Limits{Body: limit}}
		server := handlerServer(t, handlerCache(t, b.store(t)).Handler(policy)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/announced" {
				w.Header().Set("Content-Length", strconv.Itoa(size))
			}
			for sent := 0; sent < size; sent += chunk {
				if sent <= 2*limit || sent%(64<<20) == 0 {
					sample()
				}
				if n, err := w.Write(data); n != chunk || err != nil {
					t.Errorf("after %d bytes: %d, %v", sent, n, err)
					return
				}
			}
			sample()
		})))
		client := handlerClient(t)
		for _, kind := range []string{"announced", "chunked"} {
			row := "1 GiB body, " + kind + ", " + b.name
			heap, _ := handlerMemory()
			base.Store(heap)
			peak.Store(0)
			res, err := client.Get(server.URL + "/" + kind)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			n, err := io.Copy(io.Discard, res.Body)
			took := time.Since(began)
			res.Body.Close()
			if err != nil || res.Header.Get("X-Cache") != "MISS" {
				t.Errorf("%v, X-Cache %q", err, res.Header.Get("X-Cache"))
			}
			figures.Exactly(t, row, "bytes that arrived", n, size)
			figures.AtMost(t, row, "bytes of heap beyond idle", peak.Load(), limit+2<<20)
			figures.Note(t, row, "MiB a second", int(size>>20/took.Seconds()))
		}
	})
}

// The first event of a stream is as soon at its client as from a bare handler,
// whether the client says that it wants events, which is a bypass, or not. Every
// stream has a path of its own, so that none profits from what was learnt from
// another.
func TestFirstServerSentEvent(t *testing.T) {
	const rounds = 40
	events := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: first\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done() // more may come
	})
	handlerBackends(t, func(t *testing.T, b *handlerBackend) {
		bare := handlerServer(t, events)
		cached := handlerServer(t, handlerCache(t, b.store(t)).Handler(reprise.Policy{Name: "page", TTL: time.Minute})(events))
		for _, accept := range []string{"", "text/event-stream"} {
			row := "SSE, Accept: " + accept + ", " + b.name
			handlerInTime(t, row, "first event later than bare, medians", 10*time.Millisecond, func(round int) time.Duration {
				var without, with []time.Duration
				for i := range rounds { // in turn, so that a busy machine is so for both
					path := fmt.Sprintf("/%d/%d", round, i) + accept
					without = append(without, handlerFirstEvent(t, bare, path, accept))
					with = append(with, handlerFirstEvent(t, cached, path, accept))
				}
				figures.Note(t, row, "first event from a bare handler, median", handlerPercentile(without, 50).Round(10*time.Microsecond))
				return handlerPercentile(with, 50) - handlerPercentile(without, 50)
			})
		}
	})
}

// handlerFirstEvent returns how long after its request a client has an event.
func handlerFirstEvent(t *testing.T, s *httptest.Server, path, accept string) time.Duration {
	t.Helper()
	client := handlerClient(t)
	r, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	began := time.Now()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	took := time.Since(began)
	if err != nil || line != "data: first\n" {
		t.Errorf("got %q, %v", line, err)
	}
	return took
}
