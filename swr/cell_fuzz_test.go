package swr_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// FuzzStoredValue: whatever is stored under a cache's key, a look brings a value
// that validates or a miss, never a panic, and a load takes its place.
func FuzzStoredValue(f *testing.F) {
	validates := func(u user) error {
		if u.ID < 0 {
			return errors.New("negative")
		}
		return nil
	}
	for _, immutable := range []bool{false, true} {
		st := newMemstore(f)
		config := base
		config.Immutable = immutable
		c, err := swr.NewCache(st, config)
		if err != nil {
			f.Fatal(err)
		}
		if err := c.Set(f.Context(), "1", user{ID: 7, Name: "x", Roles: []string{"a"}}, time.Hour); err != nil {
			f.Fatal(err)
		}
		it, err := st.Get(f.Context(), "user:1")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(it.Meta, it.Body, immutable)
		f.Add(it.Meta[:len(it.Meta)-1], it.Body, immutable)
		f.Add(it.Meta, []byte("null"), immutable)
		f.Add(bytes.Repeat([]byte{255}, len(it.Meta)), it.Body, immutable)
		f.Add(append(it.Meta[:4:4], bytes.Repeat([]byte{255}, len(it.Meta)-4)...), it.Body, immutable)
	}
	f.Fuzz(func(t *testing.T, meta, body []byte, immutable bool) {
		st := newMemstore(t)
		d := newDenOn(t, st, func(c *swr.Config[user]) {
			c.Immutable, c.Validate, c.Windows.Stale = immutable, validates, time.Minute
		})
		commit(t, st, "user:1", store.Entry{Meta: meta, Body: body, Life: time.Hour})
		u, err := d.c.Get(t.Context(), "1")
		switch {
		case err == nil && validates(u) != nil:
			t.Errorf("got %+v", u)
		case err != nil && !errors.Is(err, swr.ErrMiss) && !errors.Is(err, swr.ErrNotFound):
			t.Error(err)
		}
		if !errors.Is(err, swr.ErrMiss) {
			return
		}
		load := func(context.Context) (user, error) { return user{Name: "new"}, nil }
		if u, err := d.c.GetOrSet(t.Context(), "1", load); err != nil || u.Name != "new" {
			t.Errorf("got %+v, %v", u, err)
		}
		if u, err := d.c.Get(t.Context(), "1"); err != nil || u.Name != "new" {
			t.Errorf("stored %+v, %v", u, err)
		}
	})
}
