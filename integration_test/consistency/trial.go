package consistency

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
	"github.com/reprise-go/reprise/swr"
)

const (
	lease   = 100 * time.Millisecond
	trust   = 200 * time.Millisecond
	readers = 8 // of each instance
)

// A Config says how a trial runs.
type Config struct {
	Instances int    // 0: one, on the memory store
	Faults    bool   // disturb it
	Only      string // with this fault; "": with all
	Duration  time.Duration
	Stop      bool // at the first violation
	// Flood asks for pages as well, one in eight times, that nobody asks for
	// again, and keeps little in each instance, so that they push each other out.
	Flood bool
	Typed bool // values of the data cache in place of responses
	Seed  uint64
}

// A trial is one run of the checker.
type trial struct {
	Config
	tb        testing.TB
	began     time.Time
	bounds    bounds
	resources []*resource
	histories []*history
	instances []*instance
	redis     *redistest.Server // nil: on the memory store
	report    *Report
	over      chan struct{}
	runs      atomic.Int64
	reads     atomic.Int64
	hits      atomic.Int64
}

// An instance is one member of the fleet.
type instance struct {
	cache   *reprise.Cache
	handler http.Handler
	values  map[string]*swr.Cache[string] // of typed resources
	link    *redistest.Link
}

// Run runs a trial and reports.
func Run(tb testing.TB, c Config) *Report {
	tb.Helper()
	t := &trial{
		Config: c, tb: tb, began: time.Now(), resources: resources(), over: make(chan struct{}),
		report: &Report{Seed: c.Seed, Faults: map[string]int{}, Errors: map[string]int{}},
		bounds: bounds{elsewhere: 250 * time.Millisecond, ordered: true},
	}
	if c.Faults {
		t.bounds = bounds{elsewhere: trust + 50*time.Millisecond}
	}
	if c.Typed {
		t.resources = typedResources()
	}
	for _, r := range t.resources {
		t.histories = append(t.histories, newHistory(r.name, r.soft))
	}
	t.assemble()
	t.run()
	t.report.Reads, t.report.Hits, t.report.Runs = t.reads.Load(), t.hits.Load(), t.runs.Load()
	t.report.collect(t.histories, len(t.instances))
	return t.report
}

// now returns the trial's time in nanoseconds, never 0.
func (t *trial) now() int64 { return int64(time.Since(t.began)) + 1 }

// assemble makes the instances.
func (t *trial) assemble() {
	t.tb.Helper()
	if t.Instances == 0 {
		st, err := memstore.New(memstore.Options{})
		if err != nil {
			t.tb.Fatal(err)
		}
		t.instances = append(t.instances, t.instance(0, st, nil))
		return
	}
	t.redis = redistest.Process(t.tb)
	for i := range t.Instances {
		link := redistest.NewLink(t.tb, t.redis.Addr())
		o := redisstore.Options{Addrs: []string{link.Addr()}, Namespace: "check", Lease: lease, Trust: trust}
		if t.Flood {
			o.LocalBytes = floodBytes
		}
		st, err := redisstore.New(o)
		if err != nil {
			t.tb.Fatal(err)
		}
		t.tb.Cleanup(func() { st.Close() })
		t.instances = append(t.instances, t.instance(i, st, link))
	}
}

func (t *trial) instance(i int, st store.Store, link *redistest.Link) *instance {
	t.tb.Helper()
	cache, err := reprise.New(st)
	if err != nil {
		t.tb.Fatal(err)
	}
	t.tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = cache.Close(ctx)
	})
	mux := http.NewServeMux()
	values := make(map[string]*swr.Cache[string])
	for k, r := range t.resources {
		if r.typed != nil {
			values[r.name] = t.newValues(r, st)
			continue
		}
		mux.Handle("GET "+r.path(), cache.Handler(r.policy)(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			t.runs.Add(1)
			r.serve(w, req, t.histories[k], t.now(), lease)
		})))
	}
	mux.Handle("GET /once/{id}", cache.Handler(reprise.Policy{Name: "once", TTL: 10 * time.Second})(http.HandlerFunc(once)))
	return &instance{cache, mux, values, link}
}

// run lets readers, purgers and faults loose until the time is over.
func (t *trial) run() {
	time.AfterFunc(t.Duration, sync.OnceFunc(func() { close(t.over) }))
	var actors, schedule sync.WaitGroup
	for i := range t.instances {
		for range readers {
			actors.Go(func() { t.readAll(i) })
		}
		actors.Go(func() { t.purgeAll(i) })
	}
	if t.Faults {
		schedule.Go(t.disturb)
	}
	actors.Wait()
	schedule.Wait()
}

// ended tells whether the trial is over.
func (t *trial) ended() bool {
	select {
	case <-t.over:
		return true
	default:
		return t.Stop && t.report.Violations() > 0
	}
}

// burst is how many reads follow each other before a reader makes room: what is
// measured are not the queues of a machine that is at its end.
const burst = 24

func (t *trial) readAll(i int) {
	requests := make(map[string]*http.Request)
	w := &writer{}
	for !t.ended() {
		for range burst {
			k := rand.IntN(len(t.resources))
			t.readOne(i, k, requests, w)
			if t.Flood && rand.IntN(8) == 0 {
				t.readOnce(i, w)
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// readOne asks for one resource and judges the answer.
func (t *trial) readOne(i, k int, requests map[string]*http.Request, w *writer) {
	r, h := t.resources[k], t.histories[k]
	if r.typed != nil {
		t.readTyped(i, k)
		return
	}
	a := answer{instance: i}
	if r.variants != nil {
		a.variant = r.variants[rand.IntN(len(r.variants))]
	}
	req := requests[r.name+" "+a.variant]
	if req == nil {
		req = r.request(a.variant)
		requests[r.name+" "+a.variant] = req
	}
	w.reset()
	a.asked = t.now()
	t.instances[i].handler.ServeHTTP(w, req)
	answered := t.now()
	t.reads.Add(1)
	a.outcome = w.header.Get("X-Cache")
	if a.outcome == "HIT" && !strings.Contains(w.header.Get("Cache-Status"), "; hit") {
		a.outcome = "COLLAPSED"
	}
	if w.status == http.StatusServiceUnavailable && r.fails > 0 { // the handler's own
		return
	}
	if w.status != http.StatusOK {
		t.report.violation("G5", fmt.Sprintf("%s at %d: status %d", r.name, i, w.status))
		return
	}
	guarantee, text := r.read(string(w.body), a.variant, &a)
	if guarantee == "" {
		guarantee, text = h.judge(a, t.bounds)
	}
	if guarantee != "" {
		t.report.violation(guarantee, text)
	}
	if a.outcome == "HIT" && guarantee == "" {
		t.hits.Add(1)
		h.saw(a, answered)
	}
}

const (
	floodBytes = 4 << 20 // kept in each instance
	oncePage   = 8 << 10
)

// once answers with a page of its own.
func once(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%-*s", oncePage, r.PathValue("id"))
}

// readOnce asks for a page that nobody asks for again.
func (t *trial) readOnce(i int, w *writer) {
	w.reset()
	id := fmt.Sprint(i, "-", t.reads.Add(1))
	t.instances[i].handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://shop.example/once/"+id, nil))
	if w.status != http.StatusOK || len(w.body) != oncePage || !strings.HasPrefix(string(w.body), id+" ") {
		t.report.violation("G5", fmt.Sprintf("page %s: status %d, %d bytes", id, w.status, len(w.body)))
	}
}

func (r *resource) request(variant string) *http.Request {
	req := httptest.NewRequest(http.MethodGet, "http://shop.example"+r.path(), nil)
	if variant != "" {
		req.Header.Set("X-Select", variant)
	}
	return req
}

func (t *trial) purgeAll(i int) {
	random := rand.New(rand.NewPCG(t.Seed, uint64(i)))
	for !t.ended() {
		t.purgeOne(i, random.IntN(len(t.resources)))
		time.Sleep(time.Duration(random.Int64N(int64(40 * time.Millisecond))))
	}
}

// purgeOne makes a new version and purges the old ones.
func (t *trial) purgeOne(i, k int) {
	r, h, cache := t.resources[k], t.histories[k], t.instances[i].cache
	if r.typed != nil && r.typed.set && i > 0 {
		return // of two who Set, the later one need not have the later version
	}
	key, err := keyfunc.Default(nil, r.request(""))
	if err != nil {
		t.tb.Error(err)
		return
	}
	version := h.version.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	switch {
	case r.typed != nil:
		err = t.endTyped(ctx, i, k, version)
	case r.url:
		_, err = cache.PurgeURL(ctx, "https://shop.example"+r.path())
	default:
		_, err = cache.Purge(ctx, r.purge(string(key)))
	}
	t.report.mu.Lock()
	defer t.report.mu.Unlock()
	switch {
	case err == nil:
		h.purged(version, i, t.now())
		t.report.Purges++
	case t.Faults:
		t.report.Failed++
	default:
		t.tb.Errorf("purge of %s at %d: %v", r.name, i, err)
	}
}

// A writer is the http.ResponseWriter of a reader.
type writer struct {
	header http.Header
	status int
	body   []byte
}

func (w *writer) reset() {
	w.header, w.status, w.body = make(http.Header), 0, w.body[:0]
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if status >= 200 && w.status == 0 {
		w.status = status
	}
}

func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}
