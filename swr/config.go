package swr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// A Config says how a Cache keeps values of type T. Name and Windows.Fresh are
// required; the zero value of any other field is the default named at it. It is
// a value: derive one from another by assignment.
type Config[T any] struct {
	_ [0]func()

	// Name is of the cache in metrics and logs: a part of the program, not made
	// from requests.
	Name string
	// Prefix begins every key, before a colon: letters, digits, '-', '_' and
	// '.'; "": Name. Caches with one Prefix on one store share their values, if
	// they have one T and Schema.
	Prefix string

	// Windows are the lives of a value. In Stale a value is served and loaded
	// anew behind its caller; in Error it is served if loading fails.
	Windows Windows
	// FreshFor is how long this value is fresh, instead of Windows.Fresh; 0 or
	// less: it is not stored. nil: all are alike.
	FreshFor func(v T) time.Duration
	// Missing is how long it is kept that a load ended with ErrNotFound; 0: not
	// at all. At the end of it the next caller waits for a load.
	Missing time.Duration
	// Jitter spreads Windows.Fresh and Missing over ± this part, so that what
	// was loaded together does not end together; 0: 0.1, negative: none, at
	// most 0.5. What Set and FreshFor say is kept as it is.
	Jitter float64
	// EarlyRefresh has one caller in some refresh a value that is about to end,
	// the likelier the nearer the end and the dearer the load (XFetch, beta); 1
	// is usual, 0: none.
	EarlyRefresh float64

	// Load is what Cache.Load loads by; nil: Cache.Load must not be called.
	Load func(ctx context.Context, key string) (T, error)
	// Tags are those whose purge drops the value, with all responses and values
	// that carry one of them: at most 64, of 1 to 256 bytes each, or the value is
	// not stored. nil: none.
	Tags func(key string, v T) []string
	// Validate is asked of each value that is decoded, loaded or Set. What it refuses
	// is counted and never handed out: stored, it is evicted and a miss; loaded or Set, it
	// is ErrInvalid, and in the Error window the last good value stands in. nil:
	// all that decodes is right.
	Validate func(v T) error

	// Codec encodes values; nil: JSON.
	Codec Codec[T]
	// Schema tells versions of a value apart that T itself does not: another
	// Schema, or another T (its fields, their names, types and tags), makes what
	// is stored a miss.
	Schema string
	// MaxBytes bounds an encoded value; a larger one is handed out and not
	// stored. 0: 1 MiB.
	MaxBytes int

	// Immutable is your word that nobody changes a T, or anything it refers to,
	// once a load has returned it or Set was given it: then a value that is asked
	// for is decoded once per process, within a sixteenth of what the store keeps here, and all
	// callers share it. Otherwise each caller gets a value of its own, decoded for it,
	// and may do with it what it likes.
	Immutable bool
	// Clone copies a T in depth: then a value is decoded as with Immutable, and
	// each caller gets a copy. nil: each decodes. Not with Immutable.
	Clone func(v T) T

	Waiting     Waiting       // what a caller does while another loads what it asks for
	WaitTimeout time.Duration // ± a tenth, of that wait; 0: 5 s
	LoadTimeout time.Duration // of a load that others may wait for; 0: 30 s
	Refreshes   int           // that run at the same time; 0: 64

	Recorder Recorder     // nil: nothing is recorded; metrics.Collector is one
	Logger   *slog.Logger // of failures of the store and values that are not stored; nil: silent
}

// A ConfigError is one thing wrong with a Config.
type ConfigError struct {
	Cache, Field string
	Value        any
	Reason       string
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("swr: cache %q: %s = %v: %s", e.Cache, e.Field, e.Value, e.Reason)
}

const (
	defaultMaxBytes = 1 << 20
	maxPrefix       = 128 // bytes
	// maxLife keeps sums of lives within what a Duration can hold.
	maxLife = 20 * 365 * 24 * time.Hour
)

// validate reports everything that is wrong with c, each a *ConfigError.
func (c Config[T]) validate() error {
	var errs []error
	check := func(ok bool, field string, v any, why string) {
		if !ok {
			errs = append(errs, &ConfigError{c.Name, field, v, why})
		}
	}
	check(c.Name != "", "Name", c.Name, "required")
	prefix, field := c.Prefix, "Prefix"
	if prefix == "" {
		prefix, field = c.Name, "Name"
	}
	check(isPrefix(prefix), field, prefix, "cannot begin keys: letters, digits, '-', '_' and '.', at most 128; set Prefix")
	check(c.Windows.Fresh > 0, "Windows.Fresh", c.Windows.Fresh, "required")
	for _, d := range []struct {
		field string
		v     time.Duration
	}{
		{"Windows.Fresh", c.Windows.Fresh},
		{"Windows.Stale", c.Windows.Stale},
		{"Windows.Error", c.Windows.Error},
		{"Missing", c.Missing},
		{"WaitTimeout", c.WaitTimeout},
		{"LoadTimeout", c.LoadTimeout},
	} {
		check(d.v >= 0, d.field, d.v, "negative")
		check(d.v <= maxLife, d.field, d.v, "more than 20 years")
	}
	check(c.Jitter <= 0.5, "Jitter", c.Jitter, "more than 0.5")
	check(c.EarlyRefresh >= 0, "EarlyRefresh", c.EarlyRefresh, "negative")
	check(c.MaxBytes >= 0, "MaxBytes", c.MaxBytes, "negative")
	check(c.Refreshes >= 0, "Refreshes", c.Refreshes, "negative")
	check(c.Waiting <= NoWait, "Waiting", c.Waiting, "no such thing")
	check(c.Clone == nil || !c.Immutable, "Clone", "set", "excludes Immutable")
	return errors.Join(errs...)
}

func isPrefix(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxPrefix
}

// withDefaults fills in what is zero.
func (c Config[T]) withDefaults() Config[T] {
	if c.Prefix == "" {
		c.Prefix = c.Name
	}
	if c.Jitter == 0 {
		c.Jitter = 0.1
	}
	c.Jitter = max(c.Jitter, 0)
	if c.Codec == nil {
		c.Codec = JSON[T]{}
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	c.LoadTimeout = positive(c.LoadTimeout, 30*time.Second)
	if c.Recorder == nil {
		c.Recorder = uncounted{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
