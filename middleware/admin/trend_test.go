package admin_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/swr"
)

// A tally counts the requests of one policy as a Collector does.
type tally struct {
	mu sync.Mutex
	reprise.PolicyCounts
	asked int
}

func (c *tally) Counts() []reprise.PolicyCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return []reprise.PolicyCounts{c.PolicyCounts}
}

func (c *tally) times() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// reset has it begin anew.
func (c *tally) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.PolicyCounts = reprise.PolicyCounts{Policy: c.Policy}
}

// count adds requests, of which some were timed and took so long each.
func (c *tally) count(o swr.Outcome, requests, timed uint64, each time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Requests[o] += requests
	c.Timed[o] += timed
	c.Took[o] += time.Duration(timed) * each
}

// A step is one of /stats.
type step struct {
	At       time.Time
	Requests int
	HitRatio *float64 `json:"hit_ratio"`
	Hit      int64    `json:"hit_ns"`
	Fill     int64    `json:"fill_ns"`
}

// ratio is -1 where there is none.
func (s step) ratio() float64 {
	if s.HitRatio == nil {
		return -1
	}
	return *s.HitRatio
}

type counted struct {
	Policy        string
	Outcomes      map[string]int
	Start, Window step
	Recent        []step
}

func (d *desk) stats() (policies []counted) {
	d.t.Helper()
	var s struct{ Policies []counted }
	if err := json.Unmarshal(d.do(query{path: "/stats"}).Body.Bytes(), &s); err != nil {
		d.t.Fatal(err)
	}
	return s.Policies
}

// The Counter is asked every five seconds, ten minutes are kept, and nothing is asked
// after Close.
func TestTrend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &tally{PolicyCounts: reprise.PolicyCounts{Policy: "products"}}
		c.count(swr.Hit, 1000, 1000, time.Hour) // before the window
		var h *admin.Handler
		d := newDesk(t, func(o *admin.Options) {
			o.Counts = c
			var err error
			if h, err = admin.New(*o); err != nil { // one of our own, to close it
				t.Fatal(err)
			}
		})
		next := func() {
			time.Sleep(5 * time.Second)
			synctest.Wait()
		}
		c.count(swr.Hit, 60, 2, 10*time.Microsecond)
		c.count(swr.HitStale, 20, 20, 50*time.Microsecond)
		c.count(swr.Miss, 10, 10, 100*time.Millisecond)
		c.count(swr.Collapsed, 10, 10, 50*time.Millisecond)
		c.count(swr.Bypass, 100, 100, time.Hour)
		next()
		next()
		c.count(swr.Bypass, 3, 3, time.Hour)
		next()
		c.count(swr.Miss, 1, 0, 0)
		next()

		p := d.stats()[0]
		if p.Policy != "products" || p.Outcomes["hit"] != 1060 || p.Outcomes["bypass"] != 103 || len(p.Recent) != 4 || p.Start.Requests != 1204 {
			t.Fatalf("%+v", p)
		}
		for i, want := range []struct {
			requests  int
			ratio     float64
			hit, fill time.Duration
		}{
			{200, 0.9, 20 * time.Microsecond, 75 * time.Millisecond}, // 60 hits at 10 µs, 20 stale at 50 µs
			{0, -1, 0, 0},
			{3, -1, 0, 0},
			{1, 0, 0, 0}, // not timed
		} {
			got := p.Recent[i]
			if got.Requests != want.requests || got.ratio() != want.ratio || got.Hit != int64(want.hit) || got.Fill != int64(want.fill) {
				t.Errorf("step %d: %+v (%v), want %+v", i, got, got.ratio(), want)
			}
		}
		if p.Window.Requests != 204 || p.Window.Hit != int64(20*time.Microsecond) {
			t.Errorf("window %+v", p.Window)
		}
		for range 200 {
			next()
		}
		if p = d.stats()[0]; len(p.Recent) != 120 || p.Window.Requests != 0 || time.Since(p.Recent[119].At) > 5*time.Second || p.Recent[1].At.Sub(p.Recent[0].At) != 5*time.Second {
			t.Errorf("%d steps, %+v", len(p.Recent), p.Window)
		}
		h.Close()
		h.Close()
		asked := c.times()
		next()
		if now := c.times(); now != asked+1 { // by the desk's own
			t.Errorf("asked %d times in five seconds", now-asked)
		}
	})
}

// A Counter that begins anew makes no step of 2^64 requests.
func TestCounterBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &tally{PolicyCounts: reprise.PolicyCounts{Policy: "products"}}
		c.count(swr.Hit, 1000, 10, time.Second)
		d := newDesk(t, func(o *admin.Options) { o.Counts = c })
		c.reset()
		time.Sleep(6 * time.Second)
		if s := d.stats()[0].Recent[0]; s.Requests != 0 || s.Hit != 0 || s.HitRatio != nil {
			t.Errorf("%+v", s)
		}
	})
}

var chartLine = regexp.MustCompile(`class="line" d="([^"]*)"`)

// The page draws what was counted: a line with gaps where there was nothing.
func TestCharts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &tally{PolicyCounts: reprise.PolicyCounts{Policy: "products"}}
		d := newDesk(t, func(o *admin.Options) { o.Counts = c })
		page := func() string { return d.do(query{path: "/"}).Body.String() }
		if p := page(); !strings.Contains(p, "nothing yet") || chartLine.MatchString(p) {
			t.Error("a line of nothing")
		}
		for _, hits := range []uint64{0, 1, 3, 0} {
			if hits > 0 {
				c.count(swr.Hit, hits, 1, time.Duration(hits)*time.Millisecond)
				c.count(swr.Miss, 1, 1, time.Second)
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
		}
		c.count(swr.Miss, 5, 5, time.Second/2)
		time.Sleep(5 * time.Second)
		synctest.Wait()

		p := page()
		lines := chartLine.FindAllStringSubmatch(p, -1)
		// Ratios of 1/2 and 3/4, a gap and 0; hits that took 1 ms and 3 ms; fills of 1 s and 0.5 s.
		want := []string{"M117 20.0h0L118 10.0M120 40.0h0", "M117 26.7h0L118 0.0", "M117 0.0h0L118 0.0M120 20.0h0"}
		if len(lines) != 3 || lines[0][1] != want[0] || lines[1][1] != want[1] || lines[2][1] != want[2] {
			t.Errorf("lines %q, want %q", lines, want)
		}
		for _, text := range []string{"11 requests in the last ten minutes", "<strong>36.4 %</strong>", "top 3ms", "products. Hit ratio in the last ten minutes: 36.4 % on average, from 0.0 % to 75.0 %"} {
			if !strings.Contains(p, text) {
				t.Errorf("no %q in %s", text, p)
			}
		}
	})
}

type stats swr.Stats

func (s stats) Stats() swr.Stats { return swr.Stats(s) }

func TestDataCaches(t *testing.T) {
	d := newDesk(t, func(o *admin.Options) {
		o.DataCaches = map[string]admin.Tally{"user": stats{Hits: 3, Misses: 1, Loads: 1, LoadLatency: time.Second}, "row": stats{}}
	})
	var s struct {
		Caches []map[string]any `json:"data_caches"`
	}
	if err := json.Unmarshal(d.do(query{path: "/stats"}).Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Caches) != 2 || s.Caches[0]["cache"] != "row" || s.Caches[1]["hits"] != 3.0 || s.Caches[1]["hit_rate"] != 0.75 || s.Caches[1]["load_latency_ns"] != 1e9 {
		t.Errorf("%v", s.Caches)
	}
	if page := d.do(query{path: "/"}).Body.String(); !strings.Contains(page, `<th scope="row">user</th><td>75.0 %</td>`) {
		t.Error(page)
	}
}
