package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/reprise-go/reprise/store"
)

func lapseChecks() []check {
	return []check{
		{name: "an older fill never replaces a newer: lapse and takeover", run: lapsed, two: true},
		{name: "a dead holder's lease passes on", run: deadHolder, two: true, lapse: true, kill: true},
		{name: "a long fill keeps its lease", run: longFill, two: true, lapse: true},
	}
}

// takeover acquires slot, waiting for whoever holds it.
func (r *room) takeover(st store.Store, slot store.Slot, within time.Duration) store.Lease {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	for {
		l, err := st.Acquire(ctx, r.look(st, slot))
		if err == nil {
			return l
		}
		if !errors.Is(err, store.ErrHeld) && !errors.Is(err, store.ErrChanged) {
			r.Fatalf("Acquire: %v", err)
		}
		if err := st.Wait(ctx, slot); err != nil {
			r.Fatalf("a lease that should have passed on within %v: Wait: %v", within, err)
		}
	}
}

func lapsed(r *room) {
	r.fill(r.a, "with a base", base("names"))
	r.eventually("the base", func() bool { return r.get(r.b, "with a base") != nil })
	for _, slot := range []store.Slot{{Key: "k"}, {Key: "with a base", Variant: "de"}} {
		entry := func(body string) store.Entry {
			e := base(body)
			e.Variant = slot.Variant
			return e
		}
		c := r.look(r.a, slot)
		c.Hold = 30 * time.Millisecond
		old, err := r.a.Acquire(r.Context(), c)
		if err != nil {
			r.Fatalf("Acquire: %v", err)
		}
		newer := r.takeover(r.b, slot, r.patience)
		r.overtaken(old, entry("old"))
		r.commit(newer, entry("new"))
		r.overtaken(old, entry("old"))
		if now := r.look(r.b, slot); slot.Variant == "" {
			r.has(r.b, slot.Key, "new")
		} else {
			r.hasVariant(r.b, now.Base, slot.Variant, "new")
		}
	}
}

func deadHolder(r *room) {
	slot := store.Slot{Key: "k"}
	r.acquire(r.a, slot)
	r.kill(r.a)
	r.commit(r.takeover(r.b, slot, r.patience), base("new"))
	r.has(r.b, "k", "new")
}

// longFill holds a lease for as long as a dead holder could not.
func longFill(r *room) {
	slot := store.Slot{Key: "k"}
	l := r.acquire(r.a, slot)
	ctx, cancel := context.WithTimeout(r.Context(), 2*r.lapse)
	defer cancel()
	for held := true; held; held = ctx.Err() == nil { // once at least
		r.refused(r.b, store.Claim{Slot: slot, Hold: minute}, store.ErrHeld)
		if err := r.b.Wait(ctx, slot); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			r.Fatalf("Wait: %v", err)
		}
	}
	r.commit(l, base("late"))
	r.has(r.a, "k", "late")
}
