package swr_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// counted is a store that counts look-ups and leads to its items.
type counted struct {
	store.Store
	gets int
}

func (c *counted) Get(ctx context.Context, key string) (*store.Item, error) {
	c.gets++
	return c.Store.Get(ctx, key)
}

func (c *counted) Ref(it *store.Item) *store.Ref { return c.Store.(store.Referrer).Ref(it) }

// heat hits key until it is well known, and tells what it then holds.
func heat(t *testing.T, c *swr.Cache[user], key string) (u user, err error) {
	t.Helper()
	for range 3 * swr.WellKnown {
		time.Sleep(time.Microsecond)
		u, err = c.Get(t.Context(), key)
	}
	return u, err
}

// What is well known is answered past the store, and never otherwise than by it.
func TestTheWellKnownAreWhatTheStoreHas(t *testing.T) {
	ctx := context.Background()
	ann, bob := user{Name: "ann", Roles: []string{"x"}}, user{Name: "bob"}
	set := func(t *testing.T, c *swr.Cache[user], u user) {
		if err := c.Set(ctx, "1", u, 0); err != nil {
			t.Fatal(err)
		}
	}
	for name, what := range map[string]struct {
		change func(t *testing.T, c *swr.Cache[user])
		name   string
		err    error
	}{
		"nothing": {func(*testing.T, *swr.Cache[user]) {}, "ann", nil},
		"Set":     {func(t *testing.T, c *swr.Cache[user]) { set(t, c, bob) }, "bob", nil},
		"Delete":  {func(_ *testing.T, c *swr.Cache[user]) { _, _ = c.Delete(ctx, "1") }, "", swr.ErrMiss},
		"tag":     {func(_ *testing.T, c *swr.Cache[user]) { _ = c.PurgeTags(ctx, "ann") }, "", swr.ErrMiss},
		"match":   {func(_ *testing.T, c *swr.Cache[user]) { _, _ = c.DeleteMatch(ctx, "*") }, "", swr.ErrMiss},
		"age":     {func(*testing.T, *swr.Cache[user]) { time.Sleep(time.Minute) }, "", swr.ErrMiss},
		"almost":  {func(*testing.T, *swr.Cache[user]) { time.Sleep(50 * time.Second) }, "ann", nil},
	} {
		for how, keep := range map[string]func(*swr.Config[user]){
			"immutable": func(c *swr.Config[user]) { c.Immutable = true },
			"clone":     func(c *swr.Config[user]) { c.Clone = func(u user) user { return u } },
			"own":       func(*swr.Config[user]) {},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					st := &counted{Store: newMemstore(t)}
					d := newDenOn(t, st, keep, func(c *swr.Config[user]) { c.Tags = func(_ string, u user) []string { return []string{u.Name} } })
					set(t, d.c, ann)
					if u, err := heat(t, d.c, "1"); err != nil || u.Name != "ann" {
						t.Fatal(u, err)
					}
					gets := st.gets
					if _, err := heat(t, d.c, "1"); err != nil {
						t.Fatal(err)
					}
					switch gets = st.gets - gets; {
					case how == "own" && gets != 3*swr.WellKnown:
						t.Errorf("%d look-ups", gets)
					case how != "own" && (gets == 0 || gets > swr.WellKnown/2): // 48 / 32, by lot
						t.Errorf("%d look-ups of what is well known", gets)
					}
					what.change(t, d.c)
					if u, err := d.c.Get(ctx, "1"); u.Name != what.name || !errors.Is(err, what.err) {
						t.Errorf("%v, %v", u, err)
					}
					if s := d.c.Stats(); s.Hits+s.Misses != 6*swr.WellKnown+1 {
						t.Errorf("%+v", s)
					}
				})
			})
		}
	}
}

// What is known to be missing is known as well, and a stale value is refreshed.
func TestTheWellKnownAreMissingOrStale(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		load := func(context.Context) (user, error) { d.runs.Add(1); return user{}, swr.ErrNotFound }
		for range 3 * swr.WellKnown {
			time.Sleep(time.Microsecond)
			if _, err := d.c.GetOrSet(t.Context(), "none", load); !errors.Is(err, swr.ErrNotFound) {
				t.Fatal(err)
			}
		}
		load = func(context.Context) (user, error) { d.runs.Add(1); return user{Name: "ann"}, nil }
		for range 3 * swr.WellKnown {
			time.Sleep(time.Microsecond)
			if u, err := d.c.GetOrSet(t.Context(), "some", load); err != nil || u.Name != "ann" {
				t.Fatal(u, err)
			}
		}
		if n := d.runs.Load(); n != 2 {
			t.Errorf("%d loads", n)
		}
		time.Sleep(61 * time.Second)
		if _, err := d.c.GetOrSet(t.Context(), "some", load); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := d.runs.Load(); n != 3 {
			t.Errorf("%d loads: it was not refreshed", n)
		}
	}, func(c *swr.Config[user]) {
		c.Immutable, c.Missing, c.Windows.Stale = true, time.Minute, time.Hour
	})
}

// Caches that share keys do not share what each takes for a value.
func TestTheWellKnownAreOfOneCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newMemstore(t)
		keeps := func(c *swr.Config[user]) { c.Immutable = true }
		easy := newDenOn(t, st, keeps).c
		other := newDenOn(t, st, keeps, func(c *swr.Config[user]) { c.Schema = "2" }).c
		strict := newDenOn(t, st, keeps, func(c *swr.Config[user]) {
			c.Validate = func(u user) error {
				if u.Name == "" {
					return errors.New("no name")
				}
				return nil
			}
		}).c
		for _, key := range []string{"1", strings.Repeat("k", 300)} {
			if err := easy.Set(t.Context(), key, user{ID: 1}, 0); err != nil {
				t.Fatal(err)
			}
			if u, err := heat(t, easy, key); err != nil || u.ID != 1 {
				t.Fatal(u, err)
			}
			if _, err := heat(t, other, key); !errors.Is(err, swr.ErrMiss) {
				t.Errorf("another schema: %v", err)
			}
			if u, err := heat(t, easy, key); err != nil || u.ID != 1 {
				t.Fatal(u, err)
			}
			if _, err := strict.Get(t.Context(), key); !errors.Is(err, swr.ErrMiss) {
				t.Errorf("what does not validate: %v", err)
			}
		}
	})
}

// Who gets a copy may write to it.
func TestTheWellKnownAreCopied(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		if err := d.c.Set(t.Context(), "1", user{Roles: []string{"reader"}}, 0); err != nil {
			t.Fatal(err)
		}
		for range 3 * swr.WellKnown {
			time.Sleep(time.Microsecond)
			u, err := d.c.Get(t.Context(), "1")
			if err != nil || u.Roles[0] != "reader" {
				t.Fatal(u, err)
			}
			u.Roles[0] = "admin"
		}
	}, func(c *swr.Config[user]) {
		c.Clone = func(u user) user { u.Roles = append([]string(nil), u.Roles...); return u }
	})
}
