package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/integration_test/figures"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// host is the one that all instances answer for, as behind a load balancer.
const host = "shop.example"

// A site is what all instances of a test show: pages with versions. It stands
// for the database, and knows what has been purged when.
type site struct {
	work    time.Duration // that making a page takes
	filling int           // bytes of a page beside its first line

	runs  atomic.Int64
	mu    sync.Mutex
	pages map[string]*page
}

type page struct {
	version int
	// gone tells when the purge of a version first returned; missing: not yet.
	gone map[int]time.Time
}

// page returns the page called id. The caller holds s.mu.
func (s *site) page(id string) *page {
	p := s.pages[id]
	if p == nil {
		if s.pages == nil {
			s.pages = make(map[string]*page)
		}
		p = &page{gone: make(map[int]time.Time)}
		s.pages[id] = p
	}
	return p
}

func (s *site) version(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.page(id).version
}

// change makes a new version of the page and purges the old ones. Only a purge
// that returned nil counts.
func (s *site) change(id string, purge func() error) error {
	s.mu.Lock()
	s.page(id).version++
	v := s.page(id).version
	s.mu.Unlock()
	if err := purge(); err != nil {
		return err
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for old := range v {
		if _, ok := s.page(id).gone[old]; !ok {
			s.page(id).gone[old] = now
		}
	}
	return nil
}

// lag returns how long after the purge of its version's successor a was asked for;
// 0: it was not stale.
func (s *site) lag(a answer) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone, ok := s.page(a.id).gone[a.version]
	if !ok {
		return 0
	}
	return max(0, a.asked.Sub(gone))
}

// plain answers with a page that takes no work.
func (s *site) plain(w http.ResponseWriter, r *http.Request) {
	s.write(w, r.PathValue("id"), s.version(r.PathValue("id")))
}

func (s *site) write(w http.ResponseWriter, id string, version int) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("X-Page", id)
	_, _ = io.WriteString(w, s.text(id, version))
}

// ServeHTTP makes a page.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	v := s.version(id)
	s.runs.Add(1)
	reprise.Tag(r.Context(), "page:"+id)
	if s.work > 0 {
		select {
		case <-time.After(s.work):
		case <-r.Context().Done():
			return
		}
	}
	s.write(w, id, v)
}

// text is a page. All of it names the page and its version, so that no byte of
// another's goes unnoticed.
func (s *site) text(id string, version int) string {
	first := fmt.Sprintf("page %s version %d\n", id, version)
	again := fmt.Sprintf("%s.%d ", id, version)
	return first + strings.Repeat(again, s.filling/len(again))
}

// serveLanguages makes a page in the language that is asked for.
func (s *site) serveLanguages(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept-Language")
	r.SetPathValue("id", r.PathValue("id")+"."+r.Header.Get("Accept-Language"))
	s.ServeHTTP(w, r)
}

// An instance is one program of a fleet: a cache on a store of its own, before
// the site, behind a socket. /page/ is cached, so is /lang/, in languages. /bare/
// is not, nor /plain/, which takes no work.
type instance struct {
	t      testing.TB
	site   *site
	store  *redisstore.Store
	cache  *reprise.Cache
	ops    *operations
	url    string
	client *http.Client

	mu     sync.Mutex
	served []answer // of timed
}

// defaults is the policy of most tests. Nothing is served stale by permission,
// so that what is old is a fault.
var defaults = reprise.Policy{Name: "page", TTL: time.Hour, Jitter: -1}

// newInstance starts one, which ends with the test.
func newInstance(t testing.TB, s *site, o redisstore.Options, p reprise.Policy) *instance {
	t.Helper()
	ops := &operations{}
	o.Recorder = ops
	st, err := redisstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	cache, err := reprise.New(st)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := cache.Close(ctx); err != nil {
			t.Errorf("close the cache: %v", err)
		}
	})
	mux := http.NewServeMux()
	i := &instance{t: t, site: s, store: st, cache: cache, ops: ops}
	mux.Handle("GET /page/{id}", i.timed(cache.Handler(p)(s)))
	p.Name = "lang"
	mux.Handle("GET /lang/{id}", cache.Handler(p)(http.HandlerFunc(s.serveLanguages)))
	mux.Handle("GET /bare/{id}", s)
	mux.Handle("GET /plain/{id}", i.timed(http.HandlerFunc(s.plain)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 512}
	t.Cleanup(transport.CloseIdleConnections)
	i.url, i.client = server.URL, &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return i
}

// timed notes how long the answers took that no handler worked for: from what is
// stored, or under /plain/. The socket and its clients are not in it.
func (i *instance) timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		next.ServeHTTP(w, r)
		a := answer{asked: began, took: time.Since(began), cache: w.Header().Get("X-Cache")}
		a.cached = a.cache != ""
		if a.cached && (a.cache != "HIT" || strings.Contains(w.Header().Get("Cache-Status"), "fwd=")) {
			return // the handler's answer, another's maybe
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		i.served = append(i.served, a)
	})
}

// timings returns what was noted since the last call.
func (i *instance) timings() []answer {
	i.mu.Lock()
	defer i.mu.Unlock()
	served := i.served
	i.served = nil
	return served
}

// newPair starts two instances on one Redis.
func newPair(t testing.TB, s *site, o redisstore.Options) [2]*instance {
	t.Helper()
	return [2]*instance{newInstance(t, s, o, defaults), newInstance(t, s, o, defaults)}
}

// namespace is one that no test uses again.
func namespace(t testing.TB) string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
}

// An answer is what a client was answered, and when it had asked.
type answer struct {
	id      string
	asked   time.Time
	took    time.Duration
	cached  bool   // asked under /page/
	cache   string // X-Cache
	version int
	err     error // anything but the whole of the page
}

// get asks for the page called id as one client does.
func (i *instance) get(kind, id string) answer { return i.ask(kind, id, "") }

// ask asks for it in a language.
func (i *instance) ask(kind, id, language string) answer {
	a := answer{id: id, cached: kind == "page" || kind == "lang"}
	r, err := http.NewRequest("GET", i.url+"/"+kind+"/"+id, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	r.Host = host
	if language != "" {
		a.id += "." + language
		r.Header.Set("Accept-Language", language)
	}
	a.asked = time.Now()
	res, err := i.client.Do(r)
	if err != nil {
		a.err = err
		return a
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	a.took = time.Since(a.asked)
	a.cache = res.Header.Get("X-Cache")
	a.version, a.err = i.site.read(a.id, res, string(body), err)
	return a
}

// read checks that an answer is the whole of a version of the page called id.
func (s *site) read(id string, res *http.Response, body string, err error) (version int, _ error) {
	switch {
	case err != nil:
		return 0, err
	case res.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("page %s: status %d: %.100q", id, res.StatusCode, body)
	}
	first, _, _ := strings.Cut(body, "\n")
	number, ok := strings.CutPrefix(first, "page "+id+" version ")
	version, err = strconv.Atoi(number)
	if !ok || err != nil || body != s.text(id, version) {
		return 0, fmt.Errorf("page %s: answered with %.100q", id, body)
	}
	if res.Header.Get("Content-Type") != "text/plain" || res.Header.Get("X-Page") != id {
		return 0, fmt.Errorf("page %s: answered with the header of another: %v", id, res.Header)
	}
	return version, nil
}

// page asks for a page, which must come.
func (i *instance) page(id string) answer {
	i.t.Helper()
	a := i.get("page", id)
	if a.err != nil {
		i.t.Fatal(a.err)
	}
	return a
}

// keeps tells whether a page is served from what is stored, the second time from
// the instance's own memory at the latest.
func (i *instance) keeps(id string) bool {
	i.t.Helper()
	first, again := i.page(id), i.page(id)
	return first.cache == "HIT" && again.cache == "HIT"
}

// purgeURL and purgeTag purge one page.
func (i *instance) purgeURL(id string) error {
	_, err := i.cache.PurgeURL(context.Background(), "http://"+host+"/page/"+id)
	return err
}

func (i *instance) purgeTag(id string) error {
	_, err := i.cache.PurgeTags(context.Background(), "page:"+id)
	return err
}

// fresh numbers pages that nobody has asked for yet.
var fresh atomic.Int64

func newPage() string { return fmt.Sprint("new", fresh.Add(1)) }

// share tells whether what one instance fills the other is served.
func share(two [2]*instance) bool {
	id := newPage()
	return two[0].page(id).err == nil && two[1].page(id).cache == "HIT"
}

// thirdParty returns somebody with access to Redis who is not of the fleet.
func thirdParty(t testing.TB, addr string) func(args ...string) rueidis.RedisResult {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return func(args ...string) rueidis.RedisResult {
		t.Helper()
		r := c.Do(context.Background(), c.B().Arbitrary(args...).Build())
		if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
			t.Fatalf("%.100q: %v", args, err)
		}
		return r
	}
}

// keyOf returns the Redis key of the stored page called id.
func keyOf(t testing.TB, third func(args ...string) rueidis.RedisResult, ns, id string) string {
	t.Helper()
	keys, err := third("KEYS", ns+":{*/page/"+id+"*}").AsStrSlice()
	if err != nil || len(keys) != 1 {
		t.Fatalf("page %s is stored under %q, %v", id, keys, err)
	}
	return keys[0]
}

// traffic is clients who ask again and again, and what they were answered.
type traffic struct {
	stop    chan struct{}
	clients sync.WaitGroup
	mu      sync.Mutex
	answers []answer
}

// drive lets clients ask, each with a pause after each answer, until end.
func drive(clients int, pause time.Duration, ask func(client, n int) answer) *traffic {
	tr := &traffic{stop: make(chan struct{})}
	for c := range clients {
		tr.clients.Go(func() {
			var own []answer
			defer func() {
				tr.mu.Lock()
				tr.answers = append(tr.answers, own...)
				tr.mu.Unlock()
			}()
			for n := 0; ; n++ {
				own = append(own, ask(c, n))
				select {
				case <-tr.stop:
					return
				case <-time.After(pause):
				}
			}
		})
	}
	return tr
}

// end stops the clients and returns all they were answered.
func (tr *traffic) end() []answer {
	close(tr.stop)
	tr.clients.Wait()
	return tr.answers
}

// between returns the answers to what was asked from one moment to another.
func between(answers []answer, from, to time.Time) []answer {
	return only(answers, func(a answer) bool { return !a.asked.Before(from) && a.asked.Before(to) })
}

func only(answers []answer, f func(answer) bool) (some []answer) {
	for _, a := range answers {
		if f(a) {
			some = append(some, a)
		}
	}
	return some
}

func cached(a answer) bool { return a.cached }
func bare(a answer) bool   { return !a.cached }
func miss(a answer) bool   { return a.cache == "MISS" }

// noErrors prints how many answers were no whole page of the site: the bar is
// none, in every row.
func noErrors(t testing.TB, row string, answers []answer) {
	t.Helper()
	bad := only(answers, func(a answer) bool { return a.err != nil })
	for _, a := range bad[:min(len(bad), 5)] {
		t.Error(a.err)
	}
	figures.Exactly(t, row, fmt.Sprintf("errors of %d answers", len(answers)), len(bad), 0)
}

// quantile returns the q-th part of how long answers took; 0 of none.
func quantile(q float64, answers []answer) time.Duration {
	took := make([]time.Duration, len(answers))
	for n := range answers {
		took[n] = answers[n].took
	}
	return rank(q, took)
}

func rank(q float64, took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	took = slices.Clone(took)
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}

// added returns by how much the cache's answers are slower than the bare
// handler's to the same clients at the same time, at p99. What the machine adds
// is in both.
func added(answers []answer) time.Duration {
	return quantile(0.99, only(answers, cached)) - quantile(0.99, only(answers, bare))
}

// round is for printing.
func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// operations is a store.Recorder.
type operations struct {
	mu    sync.Mutex
	count map[string]int // by "op result"
	took  map[string][]time.Duration
}

var _ store.Recorder = (*operations)(nil)

// StoreOp is of store.Recorder.
func (o *operations) StoreOp(op, result string, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.count == nil {
		o.count, o.took = make(map[string]int), make(map[string][]time.Duration)
	}
	o.count[op+" "+result]++
	o.took[op] = append(o.took[op], took)
}

// Purged is of store.Recorder.
func (o *operations) Purged(string, bool, error) {}

// of returns how many operations ended with one of these results.
func (o *operations) of(results ...string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for what, count := range o.count {
		_, result, _ := strings.Cut(what, " ")
		if slices.Contains(results, result) {
			n += count
		}
	}
	return n
}

// durations returns how long the operations took that have the usual deadline.
// Waiting for another's fill has none of its own, and purges have a longer one.
func (o *operations) durations() (all []time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for op, took := range o.took {
		if op != "wait" && op != "purge" {
			all = append(all, took...)
		}
	}
	return all
}

// reset forgets what was recorded.
func (o *operations) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count, o.took = nil, nil
}
