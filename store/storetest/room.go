package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/reprise-go/reprise/store"
)

// A tb is what checks need of a *testing.T, so that a test can watch one fail.
type tb interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A room is where one check runs.
type room struct {
	tb
	a, b     store.Store // two instances on one backend, or twice the same
	kill     func(store.Store)
	lapse    time.Duration
	patience time.Duration // how long to wait for what has to happen
	races    time.Duration // how long a race is run at most

	mu   sync.Mutex
	refs map[place]*store.Ref // of what get found last
}

// A place is a key in one instance.
type place struct {
	st  store.Store
	key string
}

const (
	minute = time.Minute // a Hold or Life that does not end during a check
	hour   = time.Hour
)

func base(body string, tags ...string) store.Entry {
	return store.Entry{Meta: []byte("meta of " + body), Body: []byte(body), Tags: tags, Life: hour}
}

func variant(name, body string, tags ...string) store.Entry {
	e := base(body, tags...)
	e.Variant = name
	return e
}

// get returns what st has under key; nil: nothing.
func (r *room) get(st store.Store, key string) *store.Item {
	r.Helper()
	it, err := st.Get(r.Context(), key)
	now := r.found(it, err)
	r.checkRef(place{st, strings.Clone(key)}, now) // which may be a view
	return now
}

// checkRef fails if the Ref of what was in p leads to anything but now, which
// Get has just returned; nil: nothing.
func (r *room) checkRef(p place, now *store.Item) {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if it := r.refs[p].Get(store.Monotonic()); it != nil && (now == nil || it.Stamp != now.Stamp || it.Soft() != now.Soft()) {
		r.Errorf("%q: a Ref leads to %.40q (soft: %v), which is not what Get returns", p.key, it.Body, it.Soft())
	}
	if r.refs == nil {
		r.refs = make(map[place]*store.Ref)
	}
	if now != nil {
		if r.refs[p] = now.Ref(); r.refs[p] == nil {
			if by, ok := p.st.(store.Referrer); ok {
				r.refs[p] = by.Ref(now)
			}
		}
	}
}

// variantOf returns base's variant called name in st; nil: there is none.
func (r *room) variantOf(st store.Store, base *store.Item, name string) *store.Item {
	r.Helper()
	it, err := st.Variant(r.Context(), base, name)
	return r.found(it, err)
}

func (r *room) found(it *store.Item, err error) *store.Item {
	r.Helper()
	switch {
	case err == nil && it == nil:
		r.Fatalf("no item and no error")
	case err == nil:
		return it
	case !errors.Is(err, store.ErrNotFound):
		r.Fatalf("looking for an item: %v", err)
	case it != nil:
		r.Fatalf("an item with %v", err)
	}
	return nil
}

// has fails unless st has body under key, not soft.
func (r *room) has(st store.Store, key, body string) *store.Item {
	r.Helper()
	it := r.get(st, key)
	if it == nil {
		r.Fatalf("%q is not found", key)
	}
	if string(it.Body) != body || it.Soft() {
		r.Fatalf("%q holds %.40q, soft: %v; want %.40q", key, it.Body, it.Soft(), body)
	}
	return it
}

// hasVariant fails unless st has body in the variant of base called name.
func (r *room) hasVariant(st store.Store, base *store.Item, name, body string) *store.Item {
	r.Helper()
	it := r.variantOf(st, base, name)
	if it == nil {
		r.Fatalf("variant %q is not found", name)
	}
	if string(it.Body) != body || it.Soft() {
		r.Fatalf("variant %q holds %.40q, soft: %v; want %.40q", name, it.Body, it.Soft(), body)
	}
	return it
}

// hasNot fails if st has anything under one of keys.
func (r *room) hasNot(st store.Store, keys ...string) {
	r.Helper()
	for _, key := range keys {
		if it := r.get(st, key); it != nil {
			r.Fatalf("%q holds %.40q; want nothing", key, it.Body)
		}
	}
}

// look returns the claim of a caller who has just looked at slot.
func (r *room) look(st store.Store, slot store.Slot) store.Claim {
	r.Helper()
	c := store.Claim{Slot: slot, Base: r.get(st, slot.Key), Hold: minute}
	if slot.Variant != "" && c.Base != nil {
		c.Seen = r.variantOf(st, c.Base, slot.Variant)
	}
	return c
}

// acquire looks and opens a fill. Where st is a process that has not heard yet
// of what another did, it looks again.
func (r *room) acquire(st store.Store, slot store.Slot) store.Lease {
	r.Helper()
	var l store.Lease
	r.eventually("a lease", func() bool {
		var err error
		l, err = st.Acquire(r.Context(), r.look(st, slot))
		if err != nil && !errors.Is(err, store.ErrChanged) {
			r.Fatalf("Acquire: %v", err)
		}
		return err == nil
	})
	return l
}

// refused fails unless Acquire gives what is wanted and no lease.
func (r *room) refused(st store.Store, c store.Claim, want error) {
	r.Helper()
	l, err := st.Acquire(r.Context(), c)
	if !errors.Is(err, want) {
		r.Fatalf("Acquire: %v; want %v", err, want)
	}
	if l != nil {
		r.Fatalf("Acquire: a lease with %v", err)
	}
}

// commit fails unless l stores entries.
func (r *room) commit(l store.Lease, entries ...store.Entry) {
	r.Helper()
	if err := l.Commit(r.Context(), entries...); err != nil {
		r.Fatalf("Commit: %v", err)
	}
}

// overtaken fails unless l has lost its right to write.
func (r *room) overtaken(l store.Lease, entries ...store.Entry) {
	r.Helper()
	if err := l.Commit(r.Context(), entries...); !errors.Is(err, store.ErrOvertaken) {
		r.Fatalf("Commit: %v; want %v", err, store.ErrOvertaken)
	}
}

// fill stores entries under key and returns the base.
func (r *room) fill(st store.Store, key string, entries ...store.Entry) *store.Item {
	r.Helper()
	r.commit(r.acquire(st, store.Slot{Key: key}), entries...)
	it := r.get(st, key)
	if it == nil {
		r.Fatalf("%q is not found right after its fill", key)
	}
	return it
}

// purge fails unless p succeeds.
func (r *room) purge(st store.Store, p store.Purge) store.Purged {
	r.Helper()
	done, err := st.Purge(r.Context(), p)
	if err != nil {
		r.Fatalf("Purge %+v: %v", p, err)
	}
	return done
}

// eventually fails unless cond comes true in time.
func (r *room) eventually(what string, cond func() bool) {
	r.Helper()
	late := time.NewTimer(r.patience)
	defer late.Stop()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !cond() {
		select {
		case <-again.C:
		case <-late.C:
			r.Fatalf("waited %v in vain for %s", r.patience, what)
		case <-r.Context().Done():
			r.Fatalf("the test ended before %s", what)
		}
	}
}
