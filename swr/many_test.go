package swr_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A many loads users called as their keys, but for those of without, and notes
// what it was asked for.
type many struct {
	mu      sync.Mutex
	asked   [][]string
	without []string
	err     error
}

func (m *many) load(_ context.Context, keys []string) (map[string]user, error) {
	m.mu.Lock()
	m.asked = append(m.asked, slices.Sorted(slices.Values(keys)))
	m.mu.Unlock()
	time.Sleep(time.Second)
	found := make(map[string]user)
	for _, key := range keys {
		if !slices.Contains(m.without, key) {
			found[key] = user{Name: key}
		}
	}
	return found, m.err
}

// wants compares what was loaded, call by call.
func (m *many) wants(t *testing.T, calls ...string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var got []string
	for _, keys := range m.asked {
		got = append(got, strings.Join(keys, " "))
	}
	if slices.Sort(got); !slices.Equal(got, calls) {
		t.Errorf("loaded %q, want %q", got, calls)
	}
}

func names(users map[string]user) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(users)) {
		if all = append(all, key); users[key].Name != key {
			all = append(all, "="+users[key].Name)
		}
	}
	return strings.Join(all, " ")
}

func TestManyAreLoadedByOneCall(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		m := &many{without: []string{"4"}}
		if err := d.c.Set(t.Context(), "2", user{Name: "2"}, 0); err != nil {
			t.Fatal(err)
		}
		got, err := d.c.GetOrSetMany(t.Context(), []string{"1", "2", "3", "4", "1"}, m.load)
		if err != nil || names(got) != "1 2 3" {
			t.Errorf("%q, %v", names(got), err)
		}
		m.wants(t, "1 3 4")
		if got := d.c.GetMany(t.Context(), "1", "3", "4", "5", "1"); names(got) != "1 3" {
			t.Errorf("%q", names(got))
		}
		if s := d.c.Stats(); s.Hits != 3 || s.Misses != 5 || s.Loads != 3 {
			t.Errorf("%+v", s)
		}
		got, err = d.c.GetOrSetMany(t.Context(), nil, m.load)
		if err != nil || len(got) != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// What cannot be stored is loaded all the same, by each of its callers: nobody is to
// take it for missing.
func TestManyThatCannotBeStoredAreLoaded(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		long, none := strings.Repeat("x", 2000), strings.Repeat("y", 2000)
		m := &many{without: []string{none}}
		for range 2 {
			got, err := d.c.GetOrSetMany(t.Context(), []string{"1", long, none, long}, m.load)
			if err != nil || names(got) != "1 "+long {
				t.Errorf("%q, %v", names(got), err)
			}
		}
		m.wants(t, "1", long+" "+none, long+" "+none)
		if s := d.c.Stats(); s.Bypassed != 4 || s.Misses != 1 || s.Hits != 1 {
			t.Errorf("%+v", s)
		}
		broken := errors.New("broken")
		_, err := d.c.GetOrSetMany(t.Context(), []string{"1", long}, (&many{err: broken, without: []string{long}}).load)
		d.wantErr(err, broken)
	})
}

func TestManyMissingAreKeptAsSuch(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		m := &many{without: []string{"1", "2"}}
		for range 2 {
			got, err := d.c.GetOrSetMany(t.Context(), []string{"1", "2", "3"}, m.load)
			if err != nil || names(got) != "3" {
				t.Errorf("%q, %v", names(got), err)
			}
		}
		m.wants(t, "1 2 3")
	}, func(c *swr.Config[user]) { c.Missing = time.Minute })
}

// Two who ask for much of the same at once load each key once, whoever comes first.
func TestManyJoinEachOther(t *testing.T) {
	for _, where := range []string{"in the process", "elsewhere"} {
		t.Run(where, func(t *testing.T) {
			inDen(t, func(t *testing.T, d *den) {
				m := &many{}
				other := d
				if where == "elsewhere" {
					other = newDenOn(t, d.st)
				}
				var wg sync.WaitGroup
				for i, keys := range [][]string{{"1", "2", "3"}, {"3", "4", "2"}, {"5", "1"}} {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * time.Millisecond)
						c := []*den{d, other, d}[i].c
						got, err := c.GetOrSetMany(t.Context(), keys, m.load)
						if want := strings.Join(slices.Sorted(slices.Values(keys)), " "); err != nil || names(got) != want {
							t.Errorf("%q, %v, want %q", names(got), err, want)
						}
					})
				}
				wg.Wait()
				m.wants(t, "1 2 3", "4", "5")
			})
		})
	}
}

func TestManyFailTogether(t *testing.T) {
	broken := errors.New("broken")
	inDen(t, func(t *testing.T, d *den) {
		if err := d.c.Set(t.Context(), "2", user{Name: "2"}, 0); err != nil {
			t.Fatal(err)
		}
		if err := d.c.Set(t.Context(), "3", user{Name: "3"}, time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		m := &many{err: broken, without: []string{"1", "2", "3"}}
		got, err := d.c.GetOrSetMany(t.Context(), []string{"1", "2", "3"}, m.load)
		if d.wantErr(err, broken); names(got) != "2 3" { // 3 is in its error window
			t.Errorf("%q", names(got))
		}
		m.wants(t, "1 3")
		got, err = d.c.GetOrSetMany(t.Context(), []string{"1"}, (&many{}).load)
		if err != nil || names(got) != "1" {
			t.Errorf("%q, %v", names(got), err)
		}
	}, func(c *swr.Config[user]) { c.Windows.Error = time.Minute })
}

func TestStaleOnesOfManyAreRefreshedBehind(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		m := &many{}
		for i := range 2 {
			began := time.Now()
			got, err := d.c.GetOrSetMany(t.Context(), []string{"1", "2"}, m.load)
			if err != nil || names(got) != "1 2" {
				t.Errorf("%q, %v", names(got), err)
			}
			if took := time.Since(began); took > 0 && i == 1 {
				t.Errorf("took %v", took)
			}
			time.Sleep(time.Minute)
		}
		m.wants(t, "1", "1 2", "2")
	}, func(c *swr.Config[user]) { c.Windows.Stale = time.Hour })
}

func TestAPurgeDuringALoadOfManyIsNotOvertaken(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		m := &many{}
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = d.c.GetOrSetMany(t.Context(), []string{"1", "2", "3"}, m.load) })
		synctest.Wait()
		if _, err := d.c.Delete(t.Context(), "2"); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if got := d.c.GetMany(t.Context(), "1", "2", "3"); names(got) != "1 3" {
			t.Errorf("%q", names(got))
		}
	})
}

func TestAPanicOfALoadOfManyReachesItsCaller(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() {
				if p := recover(); p != "boom" {
					t.Errorf("recovered %v", p)
				}
			}()
			_, _ = d.c.GetOrSetMany(t.Context(), []string{"1", "2", "3"}, func(context.Context, []string) (map[string]user, error) {
				time.Sleep(time.Second)
				panic("boom")
			})
		})
		synctest.Wait()
		d.wants("a", "a", 1) // who waited loads
		wg.Wait()
	})
}

func TestManyWithAStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDenOn(t, down{})
		m := &many{}
		for range 2 {
			got, err := d.c.GetOrSetMany(t.Context(), []string{"1", "2"}, m.load)
			if err != nil || names(got) != "1 2" {
				t.Errorf("%q, %v", names(got), err)
			}
		}
		m.wants(t, "1 2", "1 2")
	})
}

// down is a store that cannot be reached.
type down struct{}

var errAway = errors.New("away")

func (down) Get(context.Context, string) (*store.Item, error)                  { return nil, errAway }
func (down) Variant(context.Context, *store.Item, string) (*store.Item, error) { return nil, errAway }
func (down) Acquire(context.Context, store.Claim) (store.Lease, error)         { return down{}, errAway }
func (down) Wait(context.Context, store.Slot) error                            { return errAway }
func (down) Commit(context.Context, ...store.Entry) error                      { return errAway }
func (down) Release(context.Context) error                                     { return nil }
func (down) Purge(context.Context, store.Purge) (store.Purged, error)          { return store.Purged{}, errAway }

func TestAStoreThatFailsIsAnEmptyOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDenOn(t, down{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if u, err := d.ask("a"); err != nil || u.Name != "a" {
					t.Errorf("%v, %v", u, err)
				}
			})
		}
		wg.Wait()
		if n := d.runs.Load(); n != 1 { // collapsed all the same
			t.Errorf("%d loads", n)
		}
		d.wantGet("", swr.ErrMiss)
		d.wantErr(d.c.Set(t.Context(), "1", user{}, 0), errAway)
		_, err := d.c.Delete(t.Context(), "1")
		d.wantErr(err, errAway)
		_, err = d.c.DeleteMatch(t.Context(), "*")
		d.wantErr(err, errAway)
		d.wantErr(d.c.PurgeTags(t.Context(), "x"), errAway)
		if got := d.c.GetMany(t.Context(), "1", "2"); len(got) != 0 {
			t.Errorf("%v", got)
		}
		if s := d.c.Stats(); s.Failures == 0 || s.Errors != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A manyGetter counts how it is asked.
type manyGetter struct {
	store.Store
	gets, manys int
	fails       bool
}

func (m *manyGetter) Get(ctx context.Context, key string) (*store.Item, error) {
	m.gets++
	return m.Store.Get(ctx, key)
}

func (m *manyGetter) GetMany(ctx context.Context, keys []string, items []*store.Item) error {
	m.manys++
	for i, key := range keys {
		items[i], _ = m.Store.Get(ctx, key)
	}
	if m.fails {
		return errAway
	}
	return nil
}

func TestManyAreLookedForAtOnce(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		st := &manyGetter{Store: d.st, fails: true}
		c := newDenOn(t, st).c
		keys := make([]string, 100)
		for i := range keys {
			keys[i] = fmt.Sprint(i)
		}
		m := &many{}
		for range 2 {
			if got, err := c.GetOrSetMany(t.Context(), keys, m.load); err != nil || len(got) != 100 {
				t.Errorf("%d, %v", len(got), err)
			}
		}
		if st.gets != 0 || st.manys != 2 {
			t.Errorf("%d and %d looks", st.gets, st.manys)
		}
		if n := c.Stats().Failures; n != 2 {
			t.Errorf("%d failures", n)
		}
	})
}

func TestAPanicOfValidateEndsTheLoadsOfMany(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		bad := newDenOn(t, d.st, func(c *swr.Config[user]) {
			c.Validate = func(u user) error {
				if u.Name == "bad" {
					panic("boom")
				}
				return nil
			}
		}).c
		if err := d.c.Set(t.Context(), "2", user{Name: "bad"}, 0); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if p := recover(); p != "boom" {
					t.Errorf("recovered %v", p)
				}
			}()
			_, _ = bad.GetOrSetMany(t.Context(), []string{"1", "2"}, (&many{}).load)
		}()
		synctest.Wait()
		began := time.Now()
		if u, err := d.ask("a"); err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("%v, %v after %v", u, err, time.Since(began))
		}
		_, _ = d.c.Delete(t.Context(), "2")
	})
}

// What a load did not come to is not known to be missing.
func TestALoadOfManyThatExitsLoadsNothing(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		var wg sync.WaitGroup
		var got map[string]user
		var err error
		wg.Go(func() {
			got, err = d.c.GetOrSetMany(t.Context(), []string{"1", "2", "3"}, func(context.Context, []string) (map[string]user, error) {
				runtime.Goexit()
				return nil, nil
			})
		})
		wg.Wait()
		if len(got) != 0 || err == nil {
			t.Errorf("%v, %v", got, err)
		}
		for _, key := range []string{"1", "2", "3"} {
			if _, err := d.c.Get(t.Context(), key); !errors.Is(err, swr.ErrMiss) {
				t.Errorf("%s: %v", key, err)
			}
		}
	}, func(c *swr.Config[user]) { c.Missing = time.Minute })
}

// A busyStore takes its time to open and to end fills, and notes how many it has
// opened or ended at the same time.
type busyStore struct {
	store.Store
	now, most atomic.Int64
}

func (b *busyStore) work() {
	b.most.Store(max(b.most.Load(), b.now.Add(1)))
	time.Sleep(time.Millisecond)
	b.now.Add(-1)
}

func (b *busyStore) Acquire(ctx context.Context, c store.Claim) (store.Lease, error) {
	b.work()
	l, err := b.Store.Acquire(ctx, c)
	return busyLease{l, b}, err
}

type busyLease struct {
	store.Lease
	b *busyStore
}

func (l busyLease) Commit(ctx context.Context, entries ...store.Entry) error {
	l.b.work()
	return l.Lease.Commit(ctx, entries...)
}

// Thousands of calls at once would keep each other from ending in the time that a
// store gives them.
func TestVeryManyDoNotReachTheStoreAtOnce(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		st := &busyStore{Store: d.st}
		c := newDenOn(t, st).c
		keys := make([]string, 10*swr.MaxPlaces)
		for i := range keys {
			keys[i] = fmt.Sprint(i)
		}
		m := &many{}
		if got, err := c.GetOrSetMany(t.Context(), keys, m.load); err != nil || len(got) != len(keys) || len(m.asked) != 1 {
			t.Errorf("%d by %d loads, %v", len(got), len(m.asked), err)
		}
		if got := c.GetMany(t.Context(), keys...); len(got) != len(keys) {
			t.Errorf("%d of %d are stored", len(got), len(keys))
		}
		if n := st.most.Load(); n != swr.MaxPlaces {
			t.Errorf("%d at once, want %d", n, swr.MaxPlaces)
		}
	})
}
