package datacache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/child"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
	"github.com/reprise-go/reprise/swr"
)

const patience = 10 * time.Second

func TestGetSetDelete(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		c := cacheOf(t, st)
		if _, err := c.Get(t.Context(), "1"); !errors.Is(err, swr.ErrMiss) {
			t.Error(err)
		}
		for _, name := range []string{"chair", "table"} {
			if err := c.Set(t.Context(), "1", product{ID: "1", Name: name}, 0); err != nil {
				t.Fatal(err)
			}
			if p, err := c.Get(t.Context(), "1"); err != nil || p.Name != name {
				t.Errorf("%v, %v", p, err)
			}
		}
		if err := c.Set(t.Context(), "2", product{ID: "2"}, 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		redistest.Eventually(t, patience, "the end of its TTL", func() bool {
			_, err := c.Get(t.Context(), "2")
			return errors.Is(err, swr.ErrMiss)
		})
		if n, err := c.Delete(t.Context(), "1", "3"); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := c.Get(t.Context(), "1"); !errors.Is(err, swr.ErrMiss) {
			t.Error(err)
		}
	})
}

func TestGetOrSetLoadsOnceAndSharesWithOtherInstances(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		var s source
		c := cacheOf(t, st)
		for range 3 {
			must(t, c, &s, "1")
		}
		must(t, cacheOf(t, st), &s, "1")
		s.wantLoads(t, 1)
	})
}

func TestDeleteMatch(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		c := cacheOf(t, st)
		other := cacheOf(t, st, func(c *swr.Config[product]) { c.Name = "products" })
		for i := range 30 {
			for _, cache := range []*swr.Cache[product]{c, other} {
				if err := cache.Set(t.Context(), fmt.Sprintf("shop:%d", i), product{}, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n, err := c.DeleteMatch(t.Context(), "shop:1*"); n != 11 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := c.DeleteMatch(t.Context(), "*"); n != 19 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := other.DeleteMatch(t.Context(), "shop:?"); n != 10 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := other.DeleteMatch(ctx, "*"); err == nil && t.Name() == "TestDeleteMatch/redis" {
			t.Error("no error of a context that has ended")
		}
	})
}

func TestStaleWhileRevalidate(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		var s source
		c := cacheOf(t, st, func(c *swr.Config[product]) {
			c.Windows = swr.Windows{Fresh: 20 * time.Millisecond, Stale: time.Hour}
		})
		first := must(t, c, &s, "1").Name
		redistest.Eventually(t, patience, "the refreshed value", func() bool { return must(t, c, &s, "1").Name != first })
		if n := c.Stats(); n.Stale == 0 || n.Misses != 1 {
			t.Errorf("%+v", n)
		}
	})
}

func TestStaleIfError(t *testing.T) {
	broken := errors.New("broken")
	onBoth(t, func(t *testing.T, st store.Store) {
		var s source
		c := cacheOf(t, st, func(c *swr.Config[product]) {
			c.Windows = swr.Windows{Fresh: 20 * time.Millisecond, Error: time.Hour}
		})
		must(t, c, &s, "1")
		s.fails(broken)
		redistest.Eventually(t, patience, "an answer in the error window", func() bool {
			must(t, c, &s, "1")
			return c.Stats().Rescued > 0
		})
		if _, err := c.GetOrSet(t.Context(), "2", s.of("2")); !errors.Is(err, broken) {
			t.Error(err)
		}
	})
}

func TestNotFoundIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		var s source
		s.fails(fmt.Errorf("product: %w", swr.ErrNotFound))
		c := cacheOf(t, st, func(c *swr.Config[product]) { c.Missing = time.Minute })
		for range 3 {
			if _, err := c.GetOrSet(t.Context(), "1", s.of("1")); !errors.Is(err, swr.ErrNotFound) {
				t.Error(err)
			}
		}
		s.wantLoads(t, 1)
	})
}

// One purge of a tag drops pages and values alike, and what is being made of
// either.
func TestOnePurgeDropsPagesAndValues(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		var s source
		c := cacheOf(t, st, func(c *swr.Config[product]) {
			c.Tags = func(key string, _ product) []string { return []string{"product:" + key} }
		})
		pages, err := reprise.New(st)
		if err != nil {
			t.Fatal(err)
		}
		h := pages.Handler(reprise.Policy{Name: "products", TTL: time.Hour})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reprise.Tag(r.Context(), "product:42")
			p, err := c.GetOrSet(r.Context(), "42", s.of("42"))
			fmt.Fprint(w, p.Name, err)
		}))
		page := func() string {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://shop.example/products/42", nil))
			return w.Body.String()
		}
		first := page()
		for i, purge := range []func() error{
			func() error { return c.PurgeTags(t.Context(), "product:42") },
			func() error { _, err := pages.PurgeTags(t.Context(), "product:42"); return err },
		} {
			if again := page(); again != first {
				t.Errorf("not kept: %q, then %q", first, again)
			}
			if err := purge(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Get(t.Context(), "42"); !errors.Is(err, swr.ErrMiss) {
				t.Errorf("the value is there: %v", err)
			}
			if again := page(); again == first {
				t.Errorf("purge %d: the page is there: %q", i, again)
			} else {
				first = again
			}
		}
		s.wantLoads(t, 3)
	})
}

// A pattern of the data cache is not one for pages.
func TestPagesAndValuesDoNotMeet(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		c := cacheOf(t, st)
		pages, err := reprise.New(st)
		if err != nil {
			t.Fatal(err)
		}
		runs := 0
		key := func(dst []byte, _ *http.Request) ([]byte, error) { return append(dst, c.Key("42")...), nil }
		h := pages.Handler(reprise.Policy{Name: "odd", TTL: time.Hour, Key: key})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			runs++
			fmt.Fprint(w, "page")
		}))
		page := func() {
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://shop.example/x", nil)); w.Code != 200 || w.Body.String() != "page" {
				t.Errorf("%d %q", w.Code, w.Body)
			}
		}
		var s source
		for range 2 { // each takes the place of the other
			page()
			if _, err := c.Get(t.Context(), "42"); !errors.Is(err, swr.ErrMiss) {
				t.Error(err)
			}
			must(t, c, &s, "42")
		}
		if s.wantLoads(t, 2); runs != 2 {
			t.Errorf("%d runs", runs)
		}
	})
}

func TestTheSameLogicalRequestHasOneKey(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		var s source
		c := cacheOf(t, st)
		keys := []string{
			keyfunc.Key("42").Field("details").Query("currency", "USD").Query("locale", "en").String(),
			keyfunc.Key("42").Field("details").Query("locale", "en").Query("currency", "USD").String(),
			keyfunc.Key("42", "details").Values(map[string][]string{"locale": {"en"}, "currency": {"USD"}}).String(),
		}
		for _, key := range keys {
			if _, err := c.GetOrSet(t.Context(), key, s.of(key)); err != nil {
				t.Fatal(err)
			}
		}
		s.wantLoads(t, 1)
		if want := keyfunc.Key("product", "42", "details").Query("currency", "USD").Query("locale", "en").String(); c.Key(keys[0]) != want {
			t.Errorf("%s, want %s", c.Key(keys[0]), want)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, st store.Store) {
		c := cacheOf(t, st)
		var asked [][]string
		load := func(_ context.Context, ids []string) (map[string]product, error) {
			asked = append(asked, ids)
			found := make(map[string]product)
			for _, id := range ids {
				if id != "7" {
					found[id] = product{ID: id}
				}
			}
			return found, nil
		}
		var ids []string
		for i := range 200 {
			ids = append(ids, fmt.Sprint(i))
		}
		for _, n := range []int{100, 200} {
			got, err := c.GetOrSetMany(t.Context(), ids[:n], load)
			if err != nil || len(got) != n-1 || got["8"].ID != "8" {
				t.Errorf("%d, %v", len(got), err)
			}
		}
		if len(asked) != 2 || len(asked[0]) != 100 || len(asked[1]) != 101 { // of those without a value nothing is kept
			t.Errorf("%d loads: %v", len(asked), asked)
		}
		if got := cacheOf(t, st).GetMany(t.Context(), ids...); len(got) != 199 {
			t.Errorf("%d found", len(got))
		}
	})
}

func TestFiveHundredCallersInTwoProcessesLoadOnce(t *testing.T) {
	ns := namespace(t)
	two := []*child.Process{start(t, redistest.Addr(t), ns), start(t, redistest.Addr(t), ns)}
	for round := range 5 {
		for _, p := range two {
			p.Write(fmt.Sprint("key-", round))
		}
		total := 0
		for _, p := range two {
			var loads, wrong int
			if _, err := fmt.Sscan(p.Read(), &loads, &wrong); err != nil || wrong != 0 {
				t.Fatalf("%d wrong, %v", wrong, err)
			}
			total += loads
		}
		if total != 1 {
			t.Errorf("round %d: %d loads", round, total)
		}
	}
}

func TestWaitingForAnotherInstance(t *testing.T) {
	ns := namespace(t)
	held, free := make(chan struct{}), make(chan struct{})
	first := cacheOf(t, open(t, ns))
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = first.GetOrSet(t.Context(), "1", func(context.Context) (product, error) {
			close(held)
			<-free
			return product{ID: "1", Name: "first"}, nil
		})
	})
	<-held
	var s source
	second := open(t, ns)
	fails := cacheOf(t, second, func(c *swr.Config[product]) {
		c.Waiting, c.WaitTimeout = swr.WaitThenFail, 50*time.Millisecond
	})
	if _, err := fails.GetOrSet(t.Context(), "1", s.of("1")); !errors.Is(err, swr.ErrWaitTimeout) {
		t.Error(err)
	}
	s.wantLoads(t, 0)
	own := cacheOf(t, second, func(c *swr.Config[product]) { c.Waiting = swr.NoWait })
	if p := must(t, own, &s, "1"); p.Name != "load 1" {
		t.Error(p)
	}
	if _, err := own.Get(t.Context(), "1"); !errors.Is(err, swr.ErrMiss) {
		t.Error("what nobody waited for is stored")
	}
	var waited sync.WaitGroup
	waits := cacheOf(t, second)
	for range 10 {
		waited.Go(func() {
			if p, err := waits.GetOrSet(t.Context(), "1", s.of("1")); err != nil || p.Name != "first" {
				t.Errorf("%v, %v", p, err)
			}
		})
	}
	close(free)
	waited.Wait()
	wg.Wait()
	s.wantLoads(t, 1)
}

// Redis is stopped, hung, killed: no call fails, none takes longer than a few
// deadlines of the store.
func TestAStoreThatIsAwayFailsNoCall(t *testing.T) {
	redis := redistest.Process(t)
	st, err := redisstore.New(redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: "away"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var s source
	c := cacheOf(t, st)
	must(t, c, &s, "1")
	redis.Stop()
	for range 200 {
		must(t, c, &s, "1")
	}
	redis.Cont()
	redis.Kill()
	for range 200 {
		must(t, c, &s, "1")
	}
	if got, err := c.GetOrSetMany(t.Context(), []string{"1", "2"}, func(_ context.Context, ids []string) (map[string]product, error) {
		return map[string]product{"1": {ID: "1"}, "2": {ID: "2"}}, nil
	}); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if err := c.Set(t.Context(), "1", product{}, 0); err == nil {
		t.Error("set without a store")
	}
	redis.Restart()
	redistest.Eventually(t, patience, "a hit after Redis came back", func() bool {
		hits := c.Stats().Hits
		must(t, c, &s, "1")
		return c.Stats().Hits > hits
	})
	if n := c.Stats(); n.Errors != 0 || n.Failures == 0 {
		t.Errorf("%+v", n)
	}
}

// What somebody else writes over a value in Redis is a miss, and replaced.
func TestDamagedInRedis(t *testing.T) {
	for name, damage := range map[string][]string{
		"garbage":   {"SET", "KEY", "garbage"},
		"truncated": {"SETRANGE", "KEY", "60", "xxxxxxxx"},
		"gone":      {"UNLINK", "KEY"},
		"a list":    {"RENAME", "LIST", "KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			ns := strings.ReplaceAll(namespace(t), "/", "-")
			st := open(t, ns)
			c := cacheOf(t, st)
			var s source
			must(t, c, &s, "1")
			keys, err := redistest.Command(redistest.Addr(t), "KEYS", ns+":{product:1}").AsStrSlice()
			if err != nil || len(keys) != 1 {
				t.Fatalf("%q, %v", keys, err)
			}
			redistest.Command(redistest.Addr(t), "RPUSH", "list-"+ns, "x")
			for i, word := range damage {
				damage[i] = strings.NewReplacer("KEY", keys[0], "LIST", "list-"+ns).Replace(word)
			}
			if err := redistest.Command(redistest.Addr(t), damage...).Error(); err != nil {
				t.Fatal(err)
			}
			redistest.Eventually(t, patience, "a load in the place of it", func() bool {
				must(t, c, &s, "1")
				return s.loads.Load() > 1
			})
		})
	}
}

func TestAnotherSchemaIsAMiss(t *testing.T) {
	type older struct{ ID, Name string }
	onBoth(t, func(t *testing.T, st store.Store) {
		c := cacheOf(t, st)
		old, err := swr.NewCache(st, swr.Config[older]{Name: "product", Windows: products.Windows})
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Set(t.Context(), "1", older{"1", "x"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(t.Context(), "1"); !errors.Is(err, swr.ErrMiss) {
			t.Error(err)
		}
		if p, err := old.Get(t.Context(), "1"); err != nil || p.Name != "x" { // not evicted: others can read it
			t.Error(p, err)
		}
		var s source
		must(t, c, &s, "1")
		if _, err := old.Get(t.Context(), "1"); !errors.Is(err, swr.ErrMiss) {
			t.Error(err)
		}
	})
}

func TestLargeValuesAreCompressedInRedis(t *testing.T) {
	ns := namespace(t)
	st := open(t, ns, func(o *redisstore.Options) { o.CompressOver = 1 << 10 })
	c := cacheOf(t, st)
	long := strings.Repeat("long ", 4<<10)
	for id, name := range map[string]string{"small": "x", "large": long} {
		if err := c.Set(t.Context(), id, product{ID: id, Name: name}, 0); err != nil {
			t.Fatal(err)
		}
	}
	size, err := redistest.Command(redistest.Addr(t), "STRLEN", ns+":{product:large}").AsInt64()
	if err != nil || size == 0 || size > int64(len(long)/10) {
		t.Errorf("%d bytes of %d, %v", size, len(long), err)
	}
	if p, err := cacheOf(t, open(t, ns)).Get(t.Context(), "large"); err != nil || p.Name != long {
		t.Errorf("%d bytes, %v", len(p.Name), err)
	}
}

// A hot value is decoded once per process where it is immutable, and asks Redis
// for nothing.
func TestAHotValueCostsRedisNothing(t *testing.T) {
	redis := redistest.Process(t)
	st, err := redisstore.New(redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: "hot", Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var s source
	var decodes atomic.Int64
	c := cacheOf(t, st, func(c *swr.Config[product]) {
		c.Immutable, c.Codec = true, counting{decodes: &decodes}
	})
	for range 2 {
		must(t, c, &s, "1")
	}
	gets := func() (n int) {
		_, after, _ := strings.Cut(redis.Do("INFO", "commandstats"), "cmdstat_get:calls=")
		if _, err := fmt.Sscan(after[:max(strings.IndexByte(after, ','), 0)], &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const hits = 10_000
	before := gets()
	for range hits {
		must(t, c, &s, "1")
	}
	if n := gets() - before; n > hits/100 { // a heartbeat is a GET as well, eight of them in a second
		t.Errorf("%d reads by %d hits", n, hits)
	}
	if n := decodes.Load(); n > 1 {
		t.Errorf("decoded %d times", n)
	}
}

type counting struct {
	swr.JSON[product]
	decodes *atomic.Int64
}

func (c counting) Decode(data []byte) (product, error) {
	c.decodes.Add(1)
	return c.JSON.Decode(data)
}

// The example's own test, which runs in memory, runs on Redis too.
func TestTheExampleOnRedis(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./...")
	cmd.Dir = "../../examples/datacache"
	cmd.Env = append(os.Environ(), "REDIS_URL=redis://"+redistest.Addr(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
