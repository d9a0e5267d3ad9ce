package middleware_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

func TestWhatIsWrongIsTyped(t *testing.T) {
	var policy *reprise.PolicyError
	if err := (reprise.Policy{TTL: -1}).Validate(); !errors.As(err, &policy) || policy.Field == "" {
		t.Errorf("a policy: %v", err)
	}
	var option *reprise.OptionError
	if _, err := reprise.New(nil); !errors.As(err, &option) || option.Option != "store" {
		t.Errorf("New: %v", err)
	}
}

// lifetimes are the ttl of the first hit of many URLs.
func lifetimes(t *testing.T, jitter float64) map[int]int {
	seen := make(map[int]int)
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.TTL, p.Jitter = 100*time.Second, jitter
		s := newSite(t, p, say("x"))
		for i := range 200 {
			path := fmt.Sprint("/", i)
			s.get(path)
			var ttl int
			if _, err := fmt.Sscanf(s.get(path).Header.Get("Cache-Status"), "reprise; hit; ttl=%d", &ttl); err != nil {
				t.Fatal(err)
			}
			seen[ttl]++
		}
	})
	return seen
}

func TestJitter(t *testing.T) {
	if seen := lifetimes(t, -1); len(seen) != 1 || seen[100] != 200 {
		t.Errorf("without jitter: %v", seen)
	}
	for jitter, most := range map[float64]int{0: 10, 0.5: 50} {
		seen := lifetimes(t, jitter)
		if len(seen) < most/2 {
			t.Errorf("jitter %v: only %d lifetimes", jitter, len(seen))
		}
		for ttl := range seen {
			if ttl < 100-most || ttl > 100+most {
				t.Errorf("jitter %v: a lifetime of %d s", jitter, ttl)
			}
		}
	}
}

func TestTheLogNamesThePolicyAndNoKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &site{t: t, cache: newCache(t, reprise.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))}
		s.Handler = s.cache.Handler(staleWindows())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.runs.Add(1) > 1 {
				panic("on purpose")
			}
			fmt.Fprint(w, "x")
		}))
		s.get("/secret?token=1")
		time.Sleep(12 * time.Second)
		s.get("/secret?token=1").want(t, "STALE", "x")
		synctest.Wait()
		for _, want := range []string{"level=ERROR", "policy=stale", "on purpose", "options_test.go"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q: %s", want, log.String())
			}
		}
		if strings.Contains(log.String(), "secret") {
			t.Errorf("the log has the key: %s", log.String())
		}
	})
}

func TestRefreshWorkersBoundTheRefreshesOfAPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		s := &site{t: t, cache: newCache(t, reprise.WithRefreshWorkers(2))}
		s.Handler = s.cache.Handler(staleWindows())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Second)
			w.Header().Set("Cache-Control", "public, max-age=5, stale-while-revalidate=60")
			fmt.Fprint(w, "x")
		}))
		for i := range 10 {
			s.get(fmt.Sprint("/", i))
		}
		time.Sleep(20 * time.Second)
		most.Store(0)
		for i := range 5 {
			s.get(fmt.Sprint("/", i)).want(t, "STALE", "x")
			s.get(fmt.Sprint("/", 5+i), "Authorization", "Basic eDp5").want(t, "STALE", "x")
		}
		time.Sleep(5 * time.Second)
		if most.Load() != 2 {
			t.Errorf("%d refreshes ran at once, want 2", most.Load())
		}
	})
}

func TestSeveralRangesAndIfRangeOnAHit(t *testing.T) {
	s := newSite(t, plain, with(say("0123456789"), "ETag", `"v1"`))
	s.get("/")
	a := s.get("/", "Range", "bytes=0-1,8-9")
	if a.StatusCode != http.StatusPartialContent || !strings.HasPrefix(a.Header.Get("Content-Type"), "multipart/byteranges") ||
		!strings.Contains(a.text, "01") || !strings.Contains(a.text, "89") || a.Header.Get("X-Cache") != "HIT" {
		t.Errorf("got %d %v %q", a.StatusCode, a.Header, a.text)
	}
	s.get("/", "Range", "bytes=0-1", "If-Range", `"v1"`).want(t, "HIT", "01")
	s.get("/", "Range", "bytes=0-1", "If-Range", `"v0"`).want(t, "HIT", "0123456789")
	s.get("/", "Range", "bytes=0-1", "If-Range", `W/"v1"`).want(t, "HIT", "0123456789") // strong only
}
