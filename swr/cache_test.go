package swr_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/swr"
)

type user struct {
	ID    int
	Name  string
	Roles []string
}

// A den is a store, a cache of users in it, and its loads.
type den struct {
	t    *testing.T
	st   store.Store
	c    *swr.Cache[user]
	log  bytes.Buffer
	runs atomic.Int64
}

var base = swr.Config[user]{Name: "user", Windows: swr.Windows{Fresh: time.Minute}, Jitter: -1}

func newMemstore(t testing.TB) *memstore.Store {
	t.Helper()
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func newDen(t *testing.T, change ...func(*swr.Config[user])) *den {
	t.Helper()
	return newDenOn(t, newMemstore(t), change...)
}

func newDenOn(t *testing.T, st store.Store, change ...func(*swr.Config[user])) *den {
	t.Helper()
	d := &den{t: t, st: st}
	config := base
	config.Logger = slog.New(slog.NewTextHandler(&d.log, nil))
	for _, f := range change {
		f(&config)
	}
	c, err := swr.NewCache(st, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	d.c = c
	return d
}

// den runs test in virtual time.
func inDen(t *testing.T, test func(t *testing.T, d *den), change ...func(*swr.Config[user])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newDen(t, change...)) })
}

// brings is a load that takes a second.
func (d *den) brings(name string, err error) func(context.Context) (user, error) {
	return func(context.Context) (user, error) {
		d.runs.Add(1)
		time.Sleep(time.Second)
		return user{1, name, []string{"a"}}, err
	}
}

func (d *den) ask(name string) (user, error) {
	d.t.Helper()
	return d.c.GetOrSet(d.t.Context(), "1", d.brings(name, nil))
}

// wants asks by a load of name and wants what is called want, after runs loads.
func (d *den) wants(name, want string, runs int64) {
	d.t.Helper()
	u, err := d.ask(name)
	if err != nil || u.Name != want {
		d.t.Errorf("got %q, %v, want %q", u.Name, err, want)
	}
	synctest.Wait()
	if n := d.runs.Load(); n != runs {
		d.t.Errorf("%d loads, want %d", n, runs)
	}
}

func (d *den) wantErr(err, want error) {
	d.t.Helper()
	if !errors.Is(err, want) {
		d.t.Errorf("got error %v, want %v", err, want)
	}
}

func (d *den) wantGet(name string, want error) {
	d.t.Helper()
	u, err := d.c.Get(d.t.Context(), "1")
	if !errors.Is(err, want) || u.Name != name {
		d.t.Errorf("Get: %q, %v, want %q, %v", u.Name, err, name, want)
	}
}

func TestAValueIsLoadedOnceAndKept(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wantGet("", swr.ErrMiss)
		d.wants("a", "a", 1)
		d.wants("b", "a", 1)
		d.wantGet("a", nil)
		time.Sleep(time.Minute)
		d.wantGet("", swr.ErrMiss)
		d.wants("b", "b", 2)
	})
}

func TestAHundredCallersLoadOnce(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if u, err := d.ask("a"); err != nil || u.Name != "a" {
					t.Errorf("%v, %v", u, err)
				}
			})
		}
		wg.Wait()
		if s := d.c.Stats(); s.Loads != 1 || s.Misses != 1 || s.Collapsed != 99 {
			t.Errorf("%+v", s)
		}
	})
}

// Each caller may write to what it gets: it reaches nobody else, whoever loaded.
func TestAValueIsItsCallersOwn(t *testing.T) {
	clone := func(c *swr.Config[user]) {
		c.Clone = func(u user) user { u.Roles = slices.Clone(u.Roles); return u }
	}
	for name, change := range map[string]func(*swr.Config[user]){"decoded": func(*swr.Config[user]) {}, "cloned": clone} {
		t.Run(name, func(t *testing.T) {
			inDen(t, func(t *testing.T, d *den) {
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() {
						for range 3 {
							u, err := d.ask("a")
							if err != nil || u.Roles[0] != "a" {
								t.Errorf("%v, %v", u, err)
							}
							u.Roles[0] = "written" // the race detector looks
						}
					})
				}
				wg.Wait()
			}, change)
		})
	}
}

func TestAnImmutableValueIsDecodedOnce(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		first, _ := d.ask("a")
		second, _ := d.ask("a")
		third, _ := d.c.Get(t.Context(), "1")
		if &second.Roles[0] != &third.Roles[0] {
			t.Error("decoded twice")
		}
		if first.Roles[0] != "a" || second.Roles[0] != "a" {
			t.Error(first, second)
		}
	}, func(c *swr.Config[user]) { c.Immutable = true })
}

// Caches of one type and prefix may differ in who shares: neither hands out what
// the other's callers share.
func TestCachesThatShareMeetOthers(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		share := newDenOn(t, d.st, func(c *swr.Config[user]) { c.Immutable = true })
		d.wants("a", "a", 1)
		shared, _ := share.c.Get(t.Context(), "1")
		own, _ := d.c.Get(t.Context(), "1")
		own.Roles[0] = "written"
		again, _ := share.c.Get(t.Context(), "1")
		if shared.Roles[0] != "a" || again.Roles[0] != "a" {
			t.Error(shared, again)
		}
		if _, err := d.c.Delete(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		if _, err := share.ask("b"); err != nil { // stored the other way
			t.Fatal(err)
		}
		shared, _ = share.c.Get(t.Context(), "1")
		d.wantGet("b", nil)
		own, _ = d.c.Get(t.Context(), "1")
		if own.Roles[0] = "written"; shared.Roles[0] != "a" {
			t.Error(shared)
		}
	})
}

func TestSetStoresForItsTTL(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		if err := d.c.Set(t.Context(), "1", user{Name: "set"}, time.Second); err != nil {
			t.Fatal(err)
		}
		d.wants("a", "set", 0)
		if err := d.c.Set(t.Context(), "1", user{Name: "again"}, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - 1)
		d.wants("a", "again", 0)
		time.Sleep(time.Nanosecond)
		d.wants("a", "a", 1)
	})
}

// A load that was under way when Set came has read what was there before.
func TestSetOvertakesALoad(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		done := make(chan string)
		go func() {
			u, _ := d.ask("old")
			done <- u.Name
		}()
		synctest.Wait()
		if err := d.c.Set(t.Context(), "1", user{Name: "set"}, 0); err != nil {
			t.Fatal(err)
		}
		d.wantGet("set", nil)
		if name := <-done; name != "old" { // it asked before
			t.Errorf("got %q", name)
		}
		d.wants("b", "set", 1)
	})
}

func TestAPurgeDuringALoadIsNotOvertaken(t *testing.T) {
	for name, purge := range map[string]func(d *den) error{
		"delete": func(d *den) error { _, err := d.c.Delete(d.t.Context(), "1"); return err },
		"match":  func(d *den) error { _, err := d.c.DeleteMatch(d.t.Context(), "*"); return err },
		"tag":    func(d *den) error { return d.c.PurgeTags(d.t.Context(), "user:1") },
	} {
		t.Run(name, func(t *testing.T) {
			inDen(t, func(t *testing.T, d *den) {
				var wg sync.WaitGroup
				wg.Go(func() { _, _ = d.ask("old") })
				synctest.Wait()
				if err := purge(d); err != nil {
					t.Fatal(err)
				}
				var late user
				wg.Go(func() { late, _ = d.ask("new") }) // it joins the load, if it may
				wg.Wait()
				d.wantGet("new", nil)
				if late.Name != "new" {
					t.Errorf("asked after the purge, got %q", late.Name)
				}
			}, func(c *swr.Config[user]) {
				c.Tags = func(key string, _ user) []string { return []string{"user:" + key} }
			})
		})
	}
}

func TestDeleteMatchKeepsToItsPrefix(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		other := newDenOn(t, d.st, func(c *swr.Config[user]) { c.Name = "user.s" })
		for _, key := range []string{"1", "10", "2"} {
			for _, c := range []*swr.Cache[user]{d.c, other.c} {
				if err := c.Set(t.Context(), key, user{Name: key}, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n, err := d.c.DeleteMatch(t.Context(), "1*"); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		d.wantGet("", swr.ErrMiss)
		other.wantGet("1", nil)
		if n, err := d.c.Delete(t.Context(), "1", "2", "3"); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := d.c.DeleteMatch(t.Context(), "*"); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		other.wantGet("1", nil)
	})
}

func TestAStaleValueIsServedAndRefreshed(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		time.Sleep(time.Minute + time.Second)
		d.wantGet("a", nil)
		d.wants("b", "a", 2)
		time.Sleep(2 * time.Second)
		d.wants("c", "b", 2)
		if s := d.c.Stats(); s.Stale != 2 || s.Hits != 1 || s.Misses != 1 || s.HitRate() != 0.75 {
			t.Errorf("%+v, %v", s, s.HitRate())
		}
	}, func(c *swr.Config[user]) { c.Windows.Stale = time.Minute })
}

// What a refresh is made of outlives the call, the pool's next one included.
func TestARefreshKeepsItsOwnKeyAndLoad(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		load := func(name string) func(context.Context) (user, error) {
			return func(context.Context) (user, error) { time.Sleep(time.Second); return user{Name: name}, nil }
		}
		for range 2 { // load, and find stale
			for i := range 50 {
				key := fmt.Sprint("key", i)
				if _, err := d.c.GetOrSet(t.Context(), key, load(key)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute)
		}
		for i := range 50 {
			key := fmt.Sprint("key", i)
			if u, err := d.c.Get(t.Context(), key); err != nil || u.Name != key {
				t.Errorf("%s: %v, %v", key, u, err)
			}
		}
	}, func(c *swr.Config[user]) { c.Windows.Stale = time.Hour })
}

func TestAFailingLoadIsStoodInFor(t *testing.T) {
	broken := errors.New("broken")
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		time.Sleep(time.Minute)
		if u, err := d.c.GetOrSet(t.Context(), "1", d.brings("", broken)); err != nil || u.Name != "a" {
			t.Errorf("%v, %v", u, err)
		}
		if s := d.c.Stats(); s.Rescued != 1 {
			t.Errorf("%+v", s)
		}
		d.wantGet("", swr.ErrMiss) // it is for a load that fails only
		time.Sleep(time.Minute)
		_, err := d.c.GetOrSet(t.Context(), "1", d.brings("", broken))
		d.wantErr(err, broken)
	}, func(c *swr.Config[user]) { c.Windows.Error = time.Minute })
}

func TestCallersWhoWaitShareAFailure(t *testing.T) {
	broken := errors.New("broken")
	inDen(t, func(t *testing.T, d *den) {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, err := d.c.GetOrSet(t.Context(), "1", d.brings("", broken))
				d.wantErr(err, broken)
			})
		}
		wg.Wait()
		if n := d.runs.Load(); n != 1 {
			t.Errorf("%d loads", n)
		}
		if s := d.c.Stats(); s.Errors != 100 {
			t.Errorf("%+v", s)
		}
		d.wants("a", "a", 2) // and nothing is kept of it
	})
}

func TestWhatIsMissingIsKeptAsSuch(t *testing.T) {
	gone := fmt.Errorf("user 1: %w", swr.ErrNotFound)
	inDen(t, func(t *testing.T, d *den) {
		for range 2 {
			_, err := d.c.GetOrSet(t.Context(), "1", d.brings("", gone))
			d.wantErr(err, swr.ErrNotFound)
		}
		d.wantGet("", swr.ErrNotFound)
		time.Sleep(10 * time.Second)
		d.wants("a", "a", 2)
	}, func(c *swr.Config[user]) { c.Missing = 10 * time.Second })
	inDen(t, func(t *testing.T, d *den) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := d.c.GetOrSet(t.Context(), "1", d.brings("", gone))
				d.wantErr(err, swr.ErrNotFound)
			})
		}
		wg.Wait()
		if n := d.runs.Load(); n != 1 {
			t.Errorf("%d loads", n)
		}
		d.wantGet("", swr.ErrMiss)
		d.wants("a", "a", 2)
	})
}

// What has ceased to exist is not served any longer, as if its load had failed.
func TestWhatIsGoneDropsWhatWasStored(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		time.Sleep(time.Minute)
		_, err := d.c.GetOrSet(t.Context(), "1", d.brings("", swr.ErrNotFound))
		d.wantErr(err, swr.ErrNotFound)
		_, err = d.c.GetOrSet(t.Context(), "1", d.brings("", errors.New("broken")))
		if err == nil {
			t.Error("it came back")
		}
	}, func(c *swr.Config[user]) { c.Windows.Error = time.Hour })
}

func TestJitterSpreadsLives(t *testing.T) {
	ends := func(jitter float64) map[int]int {
		n := make(map[int]int)
		inDen(t, func(t *testing.T, d *den) {
			for i := range 100 {
				_, _ = d.c.GetOrSet(t.Context(), fmt.Sprint(i), func(context.Context) (user, error) { return user{}, nil })
			}
			for s := range 120 {
				time.Sleep(time.Second)
				for i := range 100 {
					if _, err := d.c.Get(t.Context(), fmt.Sprint(i)); err == nil {
						n[i] = s
					}
				}
			}
		}, func(c *swr.Config[user]) { c.Jitter = jitter })
		return n
	}
	spread := func(n map[int]int) (low, high int) {
		low = 1000
		for _, s := range n {
			low, high = min(low, s), max(high, s)
		}
		return low, high
	}
	if low, high := spread(ends(-1)); low != 58 || high != 58 {
		t.Errorf("without: %d to %d", low, high)
	}
	if low, high := spread(ends(0)); low < 52 || low > 57 || high > 65 || high < 59 {
		t.Errorf("by default: %d to %d", low, high)
	}
}

func TestEarlyRefreshComesBeforeTheEnd(t *testing.T) {
	refreshed := func(beta float64) (n int) {
		inDen(t, func(t *testing.T, d *den) {
			d.wants("a", "a", 1)
			for d.c.Stats().Misses == 1 { // until somebody waits
				if time.Sleep(100 * time.Millisecond); d.runs.Load() > 10 {
					break
				}
				_, _ = d.ask("b")
			}
			n = int(d.runs.Load())
		}, func(c *swr.Config[user]) { c.EarlyRefresh = beta })
		return n
	}
	if n := refreshed(0); n != 2 {
		t.Errorf("without: %d loads before one waits", n)
	}
	if n := refreshed(3); n < 5 { // each of them fails to come early with less than 1 in 1,000
		t.Errorf("with: %d loads before one waits", n)
	}
}

func TestWaitingHasALimit(t *testing.T) {
	slow := func(d *den) func(context.Context) (user, error) {
		return func(context.Context) (user, error) {
			d.runs.Add(1)
			time.Sleep(20 * time.Second)
			return user{Name: "slow"}, nil
		}
	}
	for name, c := range map[string]struct {
		waiting swr.Waiting
		err     error
		took    time.Duration
	}{
		"then fill": {swr.WaitThenFill, nil, 6 * time.Second},
		"then fail": {swr.WaitThenFail, swr.ErrWaitTimeout, 5 * time.Second},
		"not":       {swr.NoWait, nil, time.Second},
	} {
		for _, where := range []string{"in the process", "elsewhere"} {
			t.Run(name+" "+where, func(t *testing.T) {
				inDen(t, func(t *testing.T, d *den) {
					first := d.c
					if where == "elsewhere" {
						first = newDenOn(t, d.st).c
					}
					var wg sync.WaitGroup
					wg.Go(func() { _, _ = first.GetOrSet(t.Context(), "1", slow(d)) })
					synctest.Wait()
					began := time.Now()
					u, err := d.ask("own")
					d.wantErr(err, c.err)
					if err == nil && u.Name != "own" {
						t.Errorf("got %q", u.Name)
					}
					if took := time.Since(began); took < c.took-c.took/8 || took > c.took+c.took/8 {
						t.Errorf("took %v, want about %v", took, c.took)
					}
					wg.Wait()
				}, func(c2 *swr.Config[user]) { c2.Waiting = c.waiting })
			})
		}
	}
}

// Past the wait limit what may stand in does.
func TestAWaitTimeoutIsStoodInFor(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		time.Sleep(time.Minute)
		hold := newDenOn(t, d.st, func(c *swr.Config[user]) { c.Windows.Error = time.Minute })
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = hold.c.GetOrSet(t.Context(), "1", func(context.Context) (user, error) {
				time.Sleep(20 * time.Second)
				return user{Name: "late"}, nil
			})
		})
		synctest.Wait()
		if u, err := d.ask("own"); err != nil || u.Name != "a" {
			t.Errorf("%v, %v", u, err)
		}
		wg.Wait()
	}, func(c *swr.Config[user]) {
		c.Waiting, c.Windows.Error = swr.WaitThenFail, time.Minute
	})
}

func TestWhatDoesNotValidateIsEvicted(t *testing.T) {
	named := func(c *swr.Config[user]) {
		c.Validate = func(u user) error {
			if u.Name == "" {
				return errors.New("no name")
			}
			return nil
		}
	}
	for _, immutable := range []bool{false, true} {
		inDen(t, func(t *testing.T, d *den) {
			for i := range 3 { // by a program that does not validate
				if err := newDenOn(t, d.st).c.Set(t.Context(), fmt.Sprint(i), user{}, 0); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 3 {
				for range 2 {
					_, err := d.c.Get(t.Context(), fmt.Sprint(i))
					d.wantErr(err, swr.ErrMiss)
				}
			}
			if s := d.c.Stats(); s.Refused != 3 || s.Misses != 6 { // evicted by the first look at each
				t.Errorf("%+v", s)
			}
			if n := strings.Count(d.log.String(), "\n"); n != 1 || !strings.Contains(d.log.String(), "why=invalid") {
				t.Errorf("logged %q", d.log.String())
			}
			d.wants("a", "a", 1)
		}, named, func(c *swr.Config[user]) { c.Immutable = immutable })
	}
	inDen(t, func(t *testing.T, d *den) { // what is loaded, and what is Set
		d.wants("a", "a", 1)
		time.Sleep(time.Minute)
		d.wants("", "a", 2) // the last good one stands in
		time.Sleep(time.Minute)
		_, err := d.ask("")
		d.wantErr(err, swr.ErrInvalid)
		d.wantErr(d.c.Set(t.Context(), "1", user{}, 0), swr.ErrInvalid)
		d.wantGet("", swr.ErrMiss)
	}, named, func(c *swr.Config[user]) { c.Windows.Error = time.Minute })
}

// commit stores e under key.
func commit(t *testing.T, st store.Store, key string, e store.Entry) {
	t.Helper()
	base, _ := st.Get(t.Context(), key)
	l, err := st.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: key}, Base: base, Hold: time.Second})
	if err == nil {
		err = l.Commit(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNoValueIsAMiss(t *testing.T) {
	type older struct {
		ID   int
		Name int
	}
	for name, c := range map[string]struct {
		put     func(t *testing.T, d *den)
		why     string
		evicted bool
	}{
		"a response": {func(t *testing.T, d *den) {
			commit(t, d.st, "user:1", store.Entry{Meta: []byte("GET and more than a head has of bytes, and so on and on and on"), Life: time.Hour})
		}, "foreign", false},
		"nothing at all": {func(t *testing.T, d *den) { commit(t, d.st, "user:1", store.Entry{Life: time.Hour}) }, "foreign", false},
		"another type": {func(t *testing.T, d *den) {
			c, err := swr.NewCache(d.st, swr.Config[older]{Name: "user", Windows: base.Windows})
			if err == nil {
				err = c.Set(t.Context(), "1", older{1, 2}, 0)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "schema", false},
		"another schema": {func(t *testing.T, d *den) {
			other := newDenOn(t, d.st, func(c *swr.Config[user]) { c.Schema = "2" })
			if err := other.c.Set(t.Context(), "1", user{Name: "x"}, 0); err != nil {
				t.Fatal(err)
			}
		}, "schema", false},
		"damaged": {func(t *testing.T, d *den) {
			if err := d.c.Set(t.Context(), "1", user{Name: "x"}, 0); err != nil {
				t.Fatal(err)
			}
			it, _ := d.st.Get(t.Context(), "user:1")
			commit(t, d.st, "user:1", store.Entry{Meta: it.Meta, Body: it.Body[:len(it.Body)/2], Life: time.Hour})
		}, "decode", true},
	} {
		t.Run(name, func(t *testing.T) {
			inDen(t, func(t *testing.T, d *den) {
				c.put(t, d)
				d.wantGet("", swr.ErrMiss)
				if _, err := d.st.Get(t.Context(), "user:1"); errors.Is(err, store.ErrNotFound) != c.evicted {
					t.Errorf("evicted: %v", err)
				}
				if got := d.log.String(); !strings.Contains(got, "why="+c.why) {
					t.Errorf("logged %q", got)
				}
				d.wants("a", "a", 1) // and a load takes its place
				d.wantGet("a", nil)
			})
		})
	}
}

func TestWhatCannotBeStoredIsStillForAllWhoWait(t *testing.T) {
	for name, change := range map[string]func(*swr.Config[user]){
		"too large": func(c *swr.Config[user]) { c.MaxBytes = 10 },
		"no life":   func(c *swr.Config[user]) { c.FreshFor = func(user) time.Duration { return 0 } },
		"a bad tag": func(c *swr.Config[user]) { c.Tags = func(string, user) []string { return []string{""} } },
		"tag of 257": func(c *swr.Config[user]) {
			c.Tags = func(string, user) []string { return []string{strings.Repeat("x", 257)} }
		},
		"our tag": func(c *swr.Config[user]) { c.Tags = func(string, user) []string { return []string{"\x00url x"} } },
		"65 tags": func(c *swr.Config[user]) { c.Tags = func(string, user) []string { return make([]string, 65) } },
	} {
		t.Run(name, func(t *testing.T) {
			inDen(t, func(t *testing.T, d *den) {
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() {
						if u, err := d.ask("a"); err != nil || u.Name != "a" {
							t.Errorf("%v, %v", u, err)
						}
					})
				}
				wg.Wait()
				d.wantGet("", swr.ErrMiss)
				d.wants("b", "b", 2)
			}, change)
		})
	}
}

func TestFreshForIsEachValuesOwn(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		time.Sleep(time.Second - 1)
		d.wantGet("a", nil)
		time.Sleep(time.Nanosecond)
		d.wantGet("", swr.ErrMiss)
	}, func(c *swr.Config[user]) {
		c.FreshFor = func(u user) time.Duration { return time.Duration(u.ID) * time.Second }
	})
}

func TestAKeyHasABound(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		long := strings.Repeat("x", 1024)
		for range 2 {
			if _, err := d.c.GetOrSet(t.Context(), long, d.brings("a", nil)); err != nil {
				t.Error(err)
			}
			if _, err := d.c.GetOrSet(t.Context(), "", d.brings("a", nil)); err != nil {
				t.Error(err)
			}
			if _, err := d.c.GetOrSet(t.Context(), long+"x", d.brings("a", nil)); err != nil {
				t.Error(err)
			}
		}
		if n := d.runs.Load(); n != 5 {
			t.Errorf("%d loads", n)
		}
		_, err := d.c.Get(t.Context(), "")
		d.wantErr(err, swr.ErrKey)
		d.wantErr(d.c.Set(t.Context(), long+"x", user{}, 0), swr.ErrKey)
		if s := d.c.Stats(); s.Bypassed != 4 || s.Loads != uint64(d.runs.Load()) {
			t.Errorf("%+v", s)
		}
	})
}

func TestLoadLoadsByTheConfig(t *testing.T) {
	var runs atomic.Int64
	inDen(t, func(t *testing.T, d *den) {
		for _, key := range []string{"7", "7", "8", strings.Repeat("x", 2000)} {
			u, err := d.c.Load(t.Context(), key)
			if err != nil || u.Name != key {
				t.Errorf("%v, %v", u, err)
			}
		}
		if n := runs.Load(); n != 3 {
			t.Errorf("%d loads", n)
		}
	}, func(c *swr.Config[user]) {
		c.Load = func(_ context.Context, key string) (user, error) { runs.Add(1); return user{Name: key}, nil }
	})
}

func TestTheCallersContextEndsItsWait(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = d.ask("a") })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := d.c.GetOrSet(ctx, "1", d.brings("b", nil))
		d.wantErr(err, context.DeadlineExceeded)
		wg.Wait()
		d.wants("b", "a", 1)
	})
}

// The load of who has gone is for those who wait.
func TestALoadOutlivesItsCaller(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = d.c.GetOrSet(ctx, "1", func(ctx context.Context) (user, error) {
				time.Sleep(time.Second)
				return user{Name: ctx.Value(key{}).(string)}, ctx.Err()
			})
		})
		synctest.Wait()
		cancel()
		d.wants("b", "v", 0)
		wg.Wait()
	})
}

func TestAPanicOfALoadReachesItsCaller(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		func() {
			defer func() {
				if p := recover(); p != "boom" {
					t.Errorf("recovered %v", p)
				}
			}()
			_, _ = d.c.GetOrSet(t.Context(), "1", func(context.Context) (user, error) { panic("boom") })
		}()
		d.wants("a", "a", 1)
	})
}

func TestStatsAreReset(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		d.wants("a", "a", 1)
		s := d.c.Stats()
		if s.Hits != 1 || s.Misses != 1 || s.Loads != 1 || s.Calls() != 2 || s.HitRate() != 0.5 || s.LoadLatency != time.Second || s.Latency != time.Second/2 {
			t.Errorf("%+v", s)
		}
		if d.c.ResetStats(); d.c.Stats() != (swr.Stats{}) || d.c.Stats().HitRate() != 0 {
			t.Errorf("%+v", d.c.Stats())
		}
	})
}

// A store that cannot tell how it is.
type mute struct{ store.Store }

func TestPingIsTheStores(t *testing.T) {
	st := newMemstore(t)
	c := newDenOn(t, st).c
	if err := c.Set(t.Context(), "1", user{}, 0); err != nil {
		t.Fatal(err)
	}
	if h, err := c.Ping(t.Context()); err != nil || h.Local.Entries != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if h, err := newDenOn(t, mute{st}).c.Ping(t.Context()); err != nil || h != (store.Health{}) {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestAConfigIsToldAllThatIsWrong(t *testing.T) {
	_, err := swr.NewCache(nil, swr.Config[user]{
		Prefix: "a:b", Windows: swr.Windows{Stale: -1, Error: 1 << 62}, Missing: -1, Jitter: 1, EarlyRefresh: -1, MaxBytes: -1,
		Refreshes: -1, Waiting: 9, WaitTimeout: -1, LoadTimeout: -1, Immutable: true, Clone: func(u user) user { return u },
	})
	for _, field := range []string{
		"store", "Name", "Prefix", "Windows.Fresh", "Windows.Stale", "Windows.Error", "Missing", "Jitter", "EarlyRefresh", "MaxBytes",
		"Refreshes", "Waiting", "WaitTimeout", "LoadTimeout", "Clone",
	} {
		if !strings.Contains(fmt.Sprint(err), ": "+field+" = ") {
			t.Errorf("nothing of %s", field)
		}
	}
	var one *swr.ConfigError
	if !errors.As(err, &one) {
		t.Errorf("%T", err)
	}
	if _, err := swr.NewCache(newMemstore(t), swr.Config[user]{Name: "two words", Windows: base.Windows}); err == nil {
		t.Error("a name that begins no key")
	}
}

// Who does not wait loads for himself and stores nothing; so it must not undo what
// the one does who stores.
func TestWhoLoadsForHimselfLeavesWhatIsStored(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("old", "old", 1)
		time.Sleep(2 * time.Minute) // into the error window
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = d.ask("first") })
		time.Sleep(time.Millisecond)
		quick := func(context.Context) (user, error) { return user{Name: "quick"}, nil }
		if u, err := d.c.GetOrSet(t.Context(), "1", quick); err != nil || u.Name != "quick" {
			t.Errorf("%v, %v", u, err)
		}
		wg.Wait()
		d.wantGet("first", nil)
	}, func(c *swr.Config[user]) { c.Waiting, c.Windows.Error = swr.NoWait, time.Hour })
}

func TestWhatCannotBeStoredIsValidated(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		_, err := d.c.GetOrSet(t.Context(), strings.Repeat("k", 2000), d.brings("", nil))
		d.wantErr(err, swr.ErrInvalid)
	}, func(c *swr.Config[user]) {
		c.Validate = func(u user) error {
			if u.Name == "" {
				return errors.New("no name")
			}
			return nil
		}
	})
}

func TestARefreshThatPanicsIsALoad(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		time.Sleep(61 * time.Second)
		_, err := d.c.GetOrSet(t.Context(), "1", func(context.Context) (user, error) { time.Sleep(time.Second); panic("no") })
		time.Sleep(2 * time.Second)
		if s := d.c.Stats(); err != nil || s.Loads != 2 || s.LoadLatency != time.Second {
			t.Errorf("%+v, %v", s, err)
		}
	}, func(c *swr.Config[user]) { c.Windows.Stale = time.Hour })
}

// A readOnly store takes no values.
type readOnly struct{ store.Store }

type readOnlyLease struct{ store.Lease }

func (r readOnly) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	l, err := r.Store.Acquire(ctx, c)
	return readOnlyLease{l}, err
}

func (readOnlyLease) Commit(context.Context, ...store.Entry) error { return errAway }

func TestAnEvictionThatFailsIsCounted(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		if err := d.c.Set(t.Context(), "1", user{}, 0); err != nil {
			t.Fatal(err)
		}
		c := newDenOn(t, readOnly{d.st}, func(c *swr.Config[user]) { c.Validate = func(user) error { return errors.New("no") } }).c
		_, _ = c.Get(t.Context(), "1")
		if s := c.Stats(); s.Failures != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A rival writes whenever somebody has looked.
type rival struct {
	store.Store
	write func()
}

func (r rival) Get(ctx context.Context, key string) (*store.Item, error) {
	it, err := r.Store.Get(ctx, key)
	r.write()
	return it, err
}

func TestSetGivesWayToOthersThatKeepWriting(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		c := newDenOn(t, rival{d.st, func() {
			if err := d.c.Set(t.Context(), "1", user{Name: "rival"}, 0); err != nil {
				t.Error(err)
			}
		}}).c
		if err := c.Set(t.Context(), "1", user{Name: "set"}, 0); err != nil {
			t.Error(err)
		}
		d.wantGet("", swr.ErrMiss) // rather than what a load may have read before
	})
}

// A Get refreshes nothing, so that there is no reason to take what is fresh for stale.
func TestAGetIsNoEarlyRefresh(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		d.wants("a", "a", 1)
		for range 100 {
			d.wantGet("a", nil)
			d.c.GetMany(t.Context(), "1", "2")
		}
		if s := d.c.Stats(); s.Hits != 200 || s.Stale != 0 {
			t.Errorf("%+v", s)
		}
	}, func(c *swr.Config[user]) { c.EarlyRefresh = 30 })
}

// What a value's tags say may be personal: the log has none of it.
func TestTheLogHasNoTags(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		if err := d.c.Set(t.Context(), "1", user{Name: "x"}, 0); err == nil {
			t.Error("an empty tag is taken")
		}
		if log := d.log.String(); !strings.Contains(log, "why=tags") || strings.Contains(log, "secret") {
			t.Errorf("logged %s", log)
		}
	}, func(c *swr.Config[user]) {
		c.Tags = func(string, user) []string { return []string{"secret", ""} }
	})
}
