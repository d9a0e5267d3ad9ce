package swr

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reprise-go/reprise/store"
)

const (
	maxTags = 64
	maxTag  = 256 // bytes
)

// keeps tells whether c decodes a value once, for all callers.
func (c *Cache[T]) keeps() bool { return c.config.Immutable || c.config.Clone != nil }

// made returns the cell of what a load that began then has brought.
func (c *Cache[T]) made(began time.Time, v T, missing bool) *cell[T] {
	now := time.Now()
	made := &cell[T]{head: head{schema: c.schema, born: now.UnixNano(), cost: now.Sub(began), missing: missing}}
	switch f := c.config.FreshFor; {
	case missing:
		made.windows.Fresh = c.jittered(c.config.Missing)
	case f != nil:
		made.windows = c.config.Windows
		made.windows.Fresh = min(f(v), maxLife)
	default:
		made.windows = c.config.Windows
		made.windows.Fresh = c.jittered(made.windows.Fresh)
	}
	return made
}

// jittered spreads d over ± Config.Jitter of it.
func (c *Cache[T]) jittered(d time.Duration) time.Duration {
	return d + time.Duration(float64(d)*c.config.Jitter*(2*rand.Float64()-1))
}

// errUnkept is of a value that has no life: nobody need hear of it.
var errUnkept = errors.New("swr: not to be stored")

// entry completes made, which holds v, and returns what to store for it. An error
// says why it is not stored, and is recorded.
func (c *Cache[T]) entry(key string, made *cell[T], v T) (e store.Entry, err error) {
	var tags []string
	if !made.missing {
		if made.payload, err = c.config.Codec.Append(nil, v); err != nil {
			return e, c.refuse(refusedEncode, err)
		}
		if len(made.payload) > c.config.MaxBytes {
			return e, c.refuse(refusedSize, fmt.Errorf("%d bytes: %w", len(made.payload), store.ErrTooLarge))
		}
		if c.keeps() {
			made.decoded, made.by = c.copy(v), c
		}
		if c.config.Tags != nil {
			if tags = c.config.Tags(key, v); !validTags(tags) {
				return e, c.refuse(refusedTags, fmt.Errorf("%d tags, not at most %d, each of 1 to %d bytes", len(tags), maxTags, maxTag))
			}
		}
	}
	if made.windows.Fresh <= 0 {
		return e, errUnkept
	}
	return made.entry(tags), nil
}

func validTags(tags []string) bool {
	for _, t := range tags {
		if t == "" || len(t) > maxTag || strings.HasPrefix(t, "\x00") { // which the middleware has for itself
			return false
		}
	}
	return len(tags) <= maxTags
}

// copy returns what others may have of v, where c keeps values.
func (c *Cache[T]) copy(v T) T {
	if c.config.Clone != nil {
		return c.config.Clone(v)
	}
	return v
}

// read returns what it holds. What c keeps of it is another cache's if that has the
// same T and key: one of another Schema or Validate.
func (c *Cache[T]) read(it *store.Item) (*cell[T], error) {
	if !c.keeps() {
		return c.decode(it)
	}
	v, err := c.forms.Decoded(it)
	if err == nil && v.by != c {
		return c.decode(it)
	}
	return v, err
}

// decode decodes it anew.
func (c *Cache[T]) decode(it *store.Item) (*cell[T], error) {
	h, err := parse(it.Meta)
	switch {
	case err != nil:
		return nil, err
	case h.schema != c.schema:
		return nil, errSchema
	}
	v := &cell[T]{head: h, item: it, payload: it.Body}
	if c.keeps() {
		v.by = c
		if !h.missing {
			v.decoded, err = c.unpack(it.Body)
		}
	}
	return v, err
}

// open returns what v holds, for one caller.
func (c *Cache[T]) open(v *cell[T]) (value T, _ error) {
	switch {
	case v.missing:
		return value, nil
	case v.by == c:
		return c.copy(v.decoded), nil
	}
	return c.unpack(v.payload)
}

func (c *Cache[T]) unpack(payload []byte) (T, error) {
	v, err := c.config.Codec.Decode(payload)
	if err == nil {
		err = c.validate(v)
	}
	return v, err
}

// validate returns what Config.Validate has against v, as ErrInvalid.
func (c *Cache[T]) validate(v T) error {
	if c.config.Validate == nil {
		return nil
	}
	if err := c.config.Validate(v); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// unusable evicts it, which is damaged or does not validate. What is of another
// schema, or none of a data cache's, is not: it is left to those who can read it,
// until a load takes its place.
func (c *Cache[T]) unusable(ctx context.Context, it *store.Item, err error) {
	why := refusedDecode
	switch {
	case errors.Is(err, errForeign):
		why = refusedForeign
	case errors.Is(err, errSchema):
		why = refusedSchema
	case errors.Is(err, ErrInvalid):
		why = refusedInvalid
	}
	_ = c.refuse(why, err)
	if why == refusedForeign || why == refusedSchema {
		return
	}
	claim := store.Claim{Slot: store.Slot{Key: it.Key}, Base: it, Hold: c.config.LoadTimeout}
	lease, err := c.store.Acquire(ctx, claim)
	if lease == nil {
		return // somebody loads it anew, or has
	}
	if err == nil {
		err = lease.Commit(context.WithoutCancel(ctx))
	} else {
		_ = lease.Release(context.WithoutCancel(ctx))
	}
	if err != nil && !errors.Is(err, store.ErrOvertaken) {
		watched{c.record, &c.stats}.StoreFailed("commit", err)
	}
}
