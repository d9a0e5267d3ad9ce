package swr

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/reprise-go/reprise/internal/clock"
	"github.com/reprise-go/reprise/internal/forms"
	"github.com/reprise-go/reprise/internal/known"
	"github.com/reprise-go/reprise/store"
)

var (
	// ErrMiss: nothing usable is stored under the key.
	ErrMiss = errors.New("swr: nothing is stored")
	// ErrNotFound is what a load returns, wrapped or not, where there is no such
	// value; with Config.Missing it is kept like one. Who asks gets it.
	ErrNotFound = errors.New("swr: no such value")
	// ErrInvalid wraps what Config.Validate has against a value that was loaded or Set.
	ErrInvalid = errors.New("swr: value does not validate")
	// ErrKey: a key of more than 1,024 bytes, or none. Such a value is loaded by
	// each of its callers and not stored.
	ErrKey = errors.New("swr: key is empty or longer than 1,024 bytes")
)

// maxCacheKey is how long a key may be, in bytes, without the prefix.
const maxCacheKey = 1024

// A Cache keeps values of type T in a store: one process's memory or, for a
// fleet, Redis. Make one with NewCache. Its methods may be called at the same
// time, from any goroutine.
//
// A store that fails is an empty one: Load and GetOrSet then load, once per
// process at a time, and return no error of the store's.
//
// Unless Config.Immutable or Config.Clone say otherwise, every value that is
// returned is the caller's own.
type Cache[T any] struct {
	config Config[T] // completed
	store  store.Store
	group  *Group[*cell[T]]
	prefix string // with its colon
	schema uint64
	forms  forms.Forms[cell[T]] // where c keeps what it decodes
	calls  sync.Pool            // of *call[T]
	keys   *keyTable            // nil: it keeps nothing decoded
	clock  clock.Clock
	stats  tally
	record Calls
	said   [numRefusals]saidAt
}

// NewCache returns a Cache on st, or all that is wrong with config, each a
// *ConfigError.
func NewCache[T any](st store.Store, config Config[T]) (*Cache[T], error) {
	err := config.validate()
	if st == nil {
		err = errors.Join(&ConfigError{config.Name, "store", nil, "required"}, err)
	}
	if err != nil {
		return nil, err
	}
	config = config.withDefaults()
	c := &Cache[T]{
		config: config, store: st, prefix: config.Prefix + ":",
		schema: fingerprint(config.Codec, config.Schema),
		record: config.Recorder.Cache(config.Name),
	}
	c.forms.Decode, c.forms.Size, c.forms.Bound, c.forms.After = c.decode, (*cell[T]).memory, forms.Bound(st), 1
	if c.keeps() {
		c.keys = newKeyTable()
	}
	c.calls.New = func() any { return &call[T]{c: c} }
	c.group = NewGroup[*cell[T]](Options{
		Leases: st, FillTimeout: config.LoadTimeout, WaitTimeout: config.WaitTimeout, Waiting: config.Waiting,
		Refreshes: config.Refreshes, ShareErrors: true, Observe: watched{c.record, &c.stats},
	})
	return c, nil
}

// Key returns the key under which the store has the value of key: for a purge
// of the store's own, or to look for it in Redis.
func (c *Cache[T]) Key(key string) string { return c.prefix + key }

// Get returns what is stored under key, fresh or in its stale window. It loads
// nothing. Its errors are ErrMiss, ErrNotFound where it is known that there is no
// such value, and ErrKey.
func (c *Cache[T]) Get(ctx context.Context, key string) (T, error) {
	if !isKey(key) {
		var none T
		return none, ErrKey
	}
	now := c.clock.Read()
	if v, did, err := c.known(key, now); did {
		return v, err
	}
	k := c.call(key, now, nil)
	v, st := c.group.Peek(ctx, k)
	outcome, err := Miss, ErrMiss
	switch st {
	case Fresh:
		outcome, err = Hit, nil
	case Stale:
		outcome, err = HitStale, nil
	default:
		v = nil
	}
	return c.finish(k, v, outcome, err)
}

// Load returns the value of key, from the store if it may, and else from
// Config.Load, which runs once for all who ask meanwhile. See GetOrSet.
func (c *Cache[T]) Load(ctx context.Context, key string) (T, error) {
	if !isKey(key) {
		return c.bypass(ctx, func(ctx context.Context) (T, error) { return c.config.Load(ctx, key) })
	}
	return c.load(ctx, key, nil)
}

// GetOrSet returns the value of key, from the store if it may, and else from
// load, which runs once for all who ask meanwhile, in all processes on one
// Redis, and whose value is stored. Its errors are those of load, ErrInvalid, of
// which callers who waited get the same one, ErrNotFound, ErrWaitTimeout where
// Config.Waiting says so, and ctx's.
//
// load is given ctx's values, and not its cancellation: others wait for what it
// brings. Config.LoadTimeout ends its context. It may run after GetOrSet has
// returned, for a stale value that is to be refreshed; so it must not use what
// ends with the caller.
func (c *Cache[T]) GetOrSet(ctx context.Context, key string, load func(context.Context) (T, error)) (T, error) {
	if !isKey(key) {
		return c.bypass(ctx, load)
	}
	return c.load(ctx, key, load)
}

func (c *Cache[T]) load(ctx context.Context, key string, load func(context.Context) (T, error)) (T, error) {
	now := c.clock.Read()
	if v, did, err := c.known(key, now); did {
		return v, err
	}
	k := c.call(key, now, load)
	k.early = c.config.EarlyRefresh
	v, outcome, err := c.group.Load(ctx, k)
	if outcome == HitStale {
		err = nil // why nothing refreshes it is the Recorder's to tell
	}
	return c.finish(k, v, outcome, err)
}

// bypass loads what cannot be stored.
func (c *Cache[T]) bypass(ctx context.Context, load func(context.Context) (T, error)) (value T, _ error) {
	began := time.Now()
	v, err := load(ctx)
	took := time.Since(began)
	c.stats.load.add(took)
	if err == nil {
		if err = c.validate(v); err == nil {
			value = v
		} else {
			_ = c.refuse(refusedInvalid, err)
		}
	}
	c.count(Bypass, err, took)
	return value, err
}

// finish returns what v is to k's caller, and k to the pool. Every v that a look
// or a load brings k has opened: see call.State.
func (c *Cache[T]) finish(k *call[T], v *cell[T], outcome Outcome, err error) (value T, _ error) {
	var took time.Duration
	if outcome != Hit || c.hit(k, v) || rand.Uint32()%known.Sampled == 0 {
		took = store.Monotonic() - k.began.Mono
	}
	switch {
	case v == nil && err == nil: // nothing was made and nothing failed
		err = ErrMiss
	case v == nil:
	case v.missing:
		err = ErrNotFound
	default:
		value, err = k.value, nil
	}
	c.count(outcome, err, took)
	k.reset()
	c.calls.Put(k)
	return value, err
}

// Set stores v under key, whatever is there, for ttl and the stale windows; 0:
// for Windows.Fresh. A load of key under way is overtaken by it: its value goes to
// those who wait for it, but for those who asked after Set had returned, and is
// not stored. Set says nothing where a purge or another write of key comes while
// it stores: that is as if it came after. Where others write key all the time, there
// may be nothing stored in the end. Other errors are the store's, ErrKey,
// ErrInvalid, the Codec's, and store.ErrTooLarge.
//
// What is read from a database and then Set may have been changed in between:
// what must never outlive a purge is for GetOrSet to load.
func (c *Cache[T]) Set(ctx context.Context, key string, v T, ttl time.Duration) error {
	if !isKey(key) {
		return ErrKey
	}
	if err := c.validate(v); err != nil {
		return c.refuse(refusedInvalid, err)
	}
	windows := c.config.Windows
	if ttl > 0 {
		windows.Fresh = min(ttl, maxLife)
	}
	made := &cell[T]{head: head{schema: c.schema, born: time.Now().UnixNano(), windows: windows}}
	entry, why := c.entry(key, made, v)
	if why != nil {
		return why
	}
	slot := store.Slot{Key: c.Key(key)}
	err := store.ErrChanged
	for looks := 0; errors.Is(err, store.ErrChanged) && looks < maxLooks; looks++ {
		if err = ctx.Err(); err == nil {
			err = c.put(ctx, slot, entry)
		}
	}
	switch {
	case errors.Is(err, store.ErrOvertaken):
		return nil
	case errors.Is(err, store.ErrChanged): // by others, again and again: what loads have read before must not be the last
		_, err = c.store.Purge(ctx, store.Purge{Keys: []string{slot.Key}})
	}
	if err != nil {
		return fmt.Errorf("swr: set: %w", err)
	}
	return nil
}

// put commits entry in the place of what slot holds.
func (c *Cache[T]) put(ctx context.Context, slot store.Slot, entry store.Entry) error {
	base, err := c.store.Get(ctx, slot.Key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	lease, err := c.store.Acquire(ctx, store.Claim{Slot: slot, Base: base, Hold: c.config.LoadTimeout, Steal: true})
	if err != nil {
		if lease != nil { // nothing will be stored
			_ = lease.Release(context.WithoutCancel(ctx))
		}
		return err
	}
	return lease.Commit(context.WithoutCancel(ctx), entry)
}

// Delete drops what is stored under keys, and ends the loads that would bring it
// back: after it has returned, no Get or load in this process that begins later
// returns a value whose load began before, and within milliseconds none in the
// fleet. count is how many were there.
func (c *Cache[T]) Delete(ctx context.Context, keys ...string) (count int, err error) {
	p := store.Purge{Keys: make([]string, len(keys))}
	for i, key := range keys {
		p.Keys[i] = c.Key(key)
	}
	done, err := c.store.Purge(ctx, p)
	return done.Count, err
}

// DeleteMatch is Delete for the keys of this cache that match pattern, see
// store.Glob. It walks over all keys of the store, in steps with a rest in
// between, until ctx is done. count is how many it has dropped, with an error too.
func (c *Cache[T]) DeleteMatch(ctx context.Context, pattern string) (count int, err error) {
	done, err := c.store.Purge(ctx, store.Purge{Match: globQuote.Replace(c.prefix) + pattern})
	return done.Count, err
}

var globQuote = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)

// PurgeTags drops all that carries one of tags, whatever cache or route stored
// it: values and responses alike. It costs the same whatever their number.
func (c *Cache[T]) PurgeTags(ctx context.Context, tags ...string) error {
	_, err := c.store.Purge(ctx, store.Purge{Tags: tags})
	return err
}

// Ping asks the store how it is, as a readiness probe may every second: see
// store.Pinger. A store that is away is no reason to take a program out of
// service, since the Cache goes on without. A store that cannot tell is well.
func (c *Cache[T]) Ping(ctx context.Context) (store.Health, error) {
	if p, ok := c.store.(store.Pinger); ok {
		return p.Ping(ctx)
	}
	return store.Health{}, nil
}

// Close waits for the refreshes under way to end and lets none start any more;
// those that outlast ctx are cancelled, and Close returns ctx's error. It does not
// close the store. The Cache still works.
func (c *Cache[T]) Close(ctx context.Context) error { return c.group.Close(ctx) }

func isKey(key string) bool { return key != "" && len(key) <= maxCacheKey }
