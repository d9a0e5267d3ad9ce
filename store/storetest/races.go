package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/store"
)

func raceChecks() []check {
	slots := map[string]store.Slot{"a base": {Key: "k"}, "a variant": {Key: "k", Variant: "v"}}
	var all []check
	for _, of := range []string{"a base", "a variant"} {
		for _, by := range []string{"its key", "its tag", "all"} {
			for _, how := range []string{"", "soft "} {
				h := hammer{slot: slots[of], purge: kinds()[by]("k", "t")}
				h.purge.Soft = how != ""
				all = append(all, check{name: fmt.Sprintf("no look at %s after a %spurge of %s sees what it dropped", of, how, by), run: h.run, two: true, race: true})
			}
		}
	}
	return append(all, check{name: "everything at once does no harm", run: everythingAtOnce, two: true, race: true})
}

const (
	hammerTime   = 2 * time.Second // at most, where the Suite does not say
	hammerPurges = 400             // by each instance
)

// A hammer fills, purges and reads one slot from many goroutines. Bodies carry
// the version of the data that their fill read. A purge comes after a change of
// the data, as an application's does: when it has returned, its process must
// not see an older version any more.
type hammer struct {
	slot  store.Slot
	purge store.Purge
}

// A scene is what the goroutines of one hammer share.
type scene struct {
	hammer
	*room
	version              atomic.Int64 // of the data
	commits, hits, fouls atomic.Int64
}

func (h hammer) run(r *room) {
	sc := &scene{hammer: h, room: r}
	done, cancel := context.WithTimeout(r.Context(), r.races)
	defer cancel()
	var purgers, others sync.WaitGroup
	for _, st := range sc.instances() {
		var floor atomic.Int64 // the oldest version that st may return
		purgers.Go(func() { sc.purges(done, st, &floor) })
		for range 2 {
			others.Go(func() { sc.fills(done, st) })
			others.Go(func() { sc.looks(done, st, &floor) })
		}
	}
	purgers.Wait()
	// The last fill has nobody to overtake it: that something is stored does
	// not depend on who is how fast.
	cancel()
	others.Wait()
	sc.fill1(r.Context(), r.a)
	if sc.commits.Load() == 0 {
		r.Errorf("nothing was stored")
	}
}

func (sc *scene) instances() []store.Store {
	if sc.a == sc.b {
		return []store.Store{sc.a}
	}
	return []store.Store{sc.a, sc.b}
}

func (sc *scene) purges(done context.Context, st store.Store, floor *atomic.Int64) {
	for n := 0; n < hammerPurges && done.Err() == nil; n++ {
		v := sc.version.Add(1)
		if _, err := st.Purge(sc.Context(), sc.hammer.purge); err != nil {
			sc.Errorf("Purge: %v", err)
			return
		}
		floor.Store(v)
		if n%8 == 0 {
			sc.fill1(sc.Context(), st)
		}
		for range n % 4 {
			runtime.Gosched()
		}
	}
}

func (sc *scene) fills(done context.Context, st store.Store) {
	for done.Err() == nil {
		sc.fill1(sc.Context(), st)
		runtime.Gosched()
	}
}

// fill1 tries to fill the slot once.
func (sc *scene) fill1(ctx context.Context, st store.Store) {
	c := store.Claim{Slot: sc.slot, Hold: minute}
	c.Base, _ = st.Get(ctx, c.Key)
	if c.Base == nil {
		c.Variant = "" // a variant's base comes first
	} else if c.Variant != "" {
		c.Seen, _ = st.Variant(ctx, c.Base, c.Variant)
	}
	l, err := st.Acquire(ctx, c)
	if err != nil {
		if !errors.Is(err, store.ErrHeld) && !errors.Is(err, store.ErrChanged) {
			sc.Errorf("Acquire: %v", err)
		}
		return
	}
	v := sc.version.Load()
	for range v % 5 {
		runtime.Gosched()
	}
	err = l.Commit(ctx, sc.entries(c, strconv.FormatInt(v, 10))...)
	if err == nil {
		sc.commits.Add(1)
	} else if !errors.Is(err, store.ErrOvertaken) {
		sc.Errorf("Commit: %v", err)
	}
}

func (sc *scene) entries(c store.Claim, body string) []store.Entry {
	switch {
	case sc.slot.Variant == "":
		return []store.Entry{base(body, "t")}
	case c.Variant == "":
		return []store.Entry{base(body), variant(sc.slot.Variant, body, "t")}
	default:
		return []store.Entry{variant(sc.slot.Variant, body, "t")}
	}
}

func (sc *scene) looks(done context.Context, st store.Store, floor *atomic.Int64) {
	for done.Err() == nil && sc.fouls.Load() < 5 {
		oldest := floor.Load()
		it, err := st.Get(sc.Context(), sc.slot.Key)
		if err == nil && sc.slot.Variant != "" {
			it, err = st.Variant(sc.Context(), it, sc.slot.Variant)
		}
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) {
				sc.Errorf("look: %v", err)
			}
			runtime.Gosched()
			continue
		}
		sc.hits.Add(1)
		runtime.Gosched() // two processors would be all for readers
		v, _ := strconv.ParseInt(string(it.Body), 10, 64)
		if v < oldest && !(sc.hammer.purge.Soft && it.Soft()) {
			sc.fouls.Add(1)
			sc.Errorf("version %d, soft: %v, after a purge of all before %d had returned", v, it.Soft(), oldest)
		}
	}
}

// everythingAtOnce is for the race detector. What is read has to be whole, and
// of the key that it was asked for.
func everythingAtOnce(r *room) {
	done, cancel := context.WithTimeout(r.Context(), r.races)
	defer cancel()
	var all sync.WaitGroup
	for i, st := range []store.Store{r.a, r.b, r.a, r.b} {
		all.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(i), 1))
			for n := 0; n < 1000 && done.Err() == nil; n++ {
				if err := anything(r.Context(), st, dice); err != nil {
					r.Errorf("%v", err)
					return
				}
			}
		})
	}
	all.Wait()
	r.purge(r.a, store.Purge{Match: "key *"})
	for i := range 4 {
		key := fmt.Sprint("key ", i)
		r.fill(r.a, key, base(key+" last"))
		r.has(r.a, key, key+" last")
	}
}

// anything does one of all the things that can be done with a store.
func anything(ctx context.Context, st store.Store, dice *rand.Rand) error {
	key, name := fmt.Sprint("key ", dice.IntN(4)), fmt.Sprint("v", dice.IntN(2))
	b, err := st.Get(ctx, key)
	if err == nil {
		err = isWhole(b, key)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("Get: %w", err)
	}
	c := store.Claim{Slot: store.Slot{Key: key}, Base: b, Hold: time.Duration(1+dice.IntN(100)) * time.Millisecond, Steal: dice.IntN(8) == 0}
	if b != nil && dice.IntN(2) == 0 {
		c.Variant = name
		if c.Seen, err = st.Variant(ctx, b, name); err == nil {
			err = isWhole(c.Seen, key)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("Variant: %w", err)
		}
	}
	if dice.IntN(8) == 0 {
		all := []store.Purge{{Keys: []string{key}}, {Tags: []string{"tag " + name}}, {Match: key + "*"}, {All: true}, {Match: "*", DryRun: true}}
		p := all[dice.IntN(len(all))]
		p.Soft = dice.IntN(2) == 0
		if _, err := st.Purge(ctx, p); err != nil {
			return fmt.Errorf("Purge: %w", err)
		}
	}
	l, err := st.Acquire(ctx, c)
	switch {
	case errors.Is(err, store.ErrHeld):
		brief, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if err := st.Wait(brief, c.Slot); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("Wait: %w", err)
		}
		return nil
	case errors.Is(err, store.ErrChanged):
		return nil
	case err != nil:
		return fmt.Errorf("Acquire: %w", err)
	}
	return endAnyhow(ctx, l, c, name, dice)
}

func endAnyhow(ctx context.Context, l store.Lease, c store.Claim, name string, dice *rand.Rand) error {
	body := c.Key + strings.Repeat("x", dice.IntN(100))
	ways := []func() error{
		func() error { return l.Release(ctx) },
		func() error { return l.Commit(ctx) },
		func() error { return l.Commit(ctx, base(body), variant(name, body, "tag "+name)) },
		func() error { return l.Commit(ctx, base(body, "tag "+name)) },
	}
	if c.Variant != "" {
		ways = append(ways, func() error { return l.Commit(ctx, variant(c.Variant, body, "tag "+name)) })
	}
	if err := ways[dice.IntN(len(ways))](); err != nil && !errors.Is(err, store.ErrOvertaken) {
		return fmt.Errorf("the end of a fill: %w", err)
	}
	return nil
}

func isWhole(it *store.Item, key string) error {
	body := string(it.Body)
	if it.Key != key || !strings.HasPrefix(body, key) || string(it.Meta) != "meta of "+body {
		return fmt.Errorf("asked for %q, got %q with body %q and meta %q", key, it.Key, body, it.Meta)
	}
	return nil
}
