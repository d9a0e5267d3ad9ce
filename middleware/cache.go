package middleware

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reprise-go/reprise/internal/forms"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A Cache keeps the responses of the handlers it wraps in one store. Make one
// with New, wrap routes with Handler, and Close it when the server has shut
// down. Its methods may be called at the same time, from any goroutine. Beside the
// store's budget it takes up to 3 MiB, and a sixteenth of that budget, at least 4 MiB, for what is
// asked for most often.
type Cache struct {
	store store.Store
	opts  options
	keys  *keyTable
	forms *forms.Forms[response]
	clock watch
	// copies: an outer handler has written into header values, see dated.forAll.
	copies atomic.Bool
	// tokens: nil where nobody asked for them, or no instance can lag behind.
	tokens *tokens
	purges purges

	mu       sync.Mutex
	policies map[string]*handler // the names taken
	groups   []*swr.Group[*response]
}

type options struct {
	recorder  Recorder
	trace     func(context.Context) string
	logger    *slog.Logger
	refreshes int
	name      string
	tokens    bool
	tokenKey  []byte
}

// An Option wires a Cache.
type Option func(*options)

// WithRecorder records what happens; metrics.Collector is a Recorder.
func WithRecorder(r Recorder) Option { return func(o *options) { o.recorder = r } }

// WithTrace has requests that are timed recorded with their trace, if the Recorder's
// Requests are TracedRequests: id returns the id of the trace that is in a request's
// context, or "". It is called when the request has been answered. With OpenTelemetry:
//
//	func(ctx context.Context) string {
//		span := trace.SpanContextFromContext(ctx)
//		if !span.IsSampled() {
//			return "" // there would be nothing to look up
//		}
//		return span.TraceID().String()
//	}
func WithTrace(id func(context.Context) string) Option { return func(o *options) { o.trace = id } }

// WithLogger logs what is worth a human's time: failures of the store, and
// panics of background refreshes. Without it nothing is logged.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithRefreshWorkers bounds the background refreshes that run at the same time
// for one policy. The default is 64.
func WithRefreshWorkers(n int) Option { return func(o *options) { o.refreshes = n } }

// WithName names the cache in Cache-Status (RFC 9211 §2); an RFC 9651 token.
// The default is "reprise".
func WithName(name string) Option { return func(o *options) { o.name = name } }

// An OptionError is one thing that is wrong with the arguments of New.
type OptionError struct {
	Option string
	Value  any
	Reason string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("middleware: %s = %v: %s", e.Option, e.Value, e.Reason)
}

// New returns a Cache on st. It reports everything that is wrong with its
// arguments at once, as joined *OptionErrors.
func New(st store.Store, opts ...Option) (*Cache, error) {
	o := options{
		recorder:  unrecorded{},
		logger:    slog.New(slog.DiscardHandler),
		refreshes: 64,
		name:      "reprise",
	}
	for _, opt := range opts {
		opt(&o)
	}
	var errs []error
	check := func(ok bool, option string, value any, reason string) {
		if !ok {
			errs = append(errs, &OptionError{option, value, reason})
		}
	}
	check(st != nil, "store", st, "required")
	check(o.recorder != nil, "WithRecorder", nil, "nil")
	check(o.logger != nil, "WithLogger", nil, "nil")
	check(o.refreshes > 0, "WithRefreshWorkers", o.refreshes, "not positive")
	check(o.tokenKey == nil || len(o.tokenKey) >= minTokenKey, "WithTokens", "key", "less than 16 bytes")
	check(isStructuredToken(o.name), "WithName", o.name, "not a token of RFC 9651")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c := &Cache{store: st, opts: o, keys: newKeyTable(), policies: make(map[string]*handler)}
	c.forms = &forms.Forms[response]{Decode: decodeResponse, Size: (*response).memory, Bound: forms.Bound(st), After: askedOften}
	if r, ok := st.(store.TokenReader); ok && o.tokens {
		c.tokens = &tokens{r, o.tokenKey}
	}
	return c, nil
}

// Handler returns the middleware that caches by p. Like ServeMux.Handle it
// panics where the program is wrong: on an invalid policy, and on a name that
// another policy of this Cache has.
//
// The middleware may wrap any number of handlers; see the package's
// documentation for its place among others.
func (c *Cache) Handler(p Policy) func(http.Handler) http.Handler {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	h := newHandler(c, p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.policies[p.Name]; taken {
		panic(&PolicyError{p.Name, "Name", p.Name, "another policy of this cache has it"})
	}
	c.policies[p.Name] = h
	c.groups = append(c.groups, h.plain) // and with it its sibling
	return h.wrap
}

// Policies returns the policies of c's handlers, with their defaults filled in,
// by name.
func (c *Cache) Policies() []Policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Policy, 0, len(c.policies))
	for _, name := range slices.Sorted(maps.Keys(c.policies)) {
		list = append(list, c.policies[name].policy)
	}
	return list
}

// Ping asks the store how it is, see store.Pinger. A store that is away is no reason
// to take a program out of service: its requests run their handlers. A store that
// cannot tell is well.
func (c *Cache) Ping(ctx context.Context) (store.Health, error) {
	if p, ok := c.store.(store.Pinger); ok {
		return p.Ping(ctx)
	}
	return store.Health{}, nil
}

// Close waits for the background refreshes to end and lets none start any
// more. Those that outlast ctx are cancelled, and Close returns ctx's error.
// It does not close the store. Requests are still answered.
func (c *Cache) Close(ctx context.Context) error {
	c.mu.Lock()
	groups := slices.Clone(c.groups)
	c.mu.Unlock()

	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	for i, g := range groups {
		wg.Go(func() { errs[i] = g.Close(ctx) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// unrecorded is the Recorder of a Cache without one.
type unrecorded struct{}

func (unrecorded) Policy(string) Requests                     { return unrecorded{} }
func (unrecorded) Request(swr.Outcome, Reason, time.Duration) {}
func (unrecorded) Filled(string, time.Duration, bool, error)  {}
func (unrecorded) StoreFailed(string, error)                  {}
func (unrecorded) Flying(int)                                 {}
