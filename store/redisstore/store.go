package redisstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// A Store is a store.Store in Redis. It is safe for concurrent use.
type Store struct {
	options Options
	timeout int64 // Options.Timeout and Trust, on the store's clock
	trust   int64
	start   time.Duration // on the clock of store.Monotonic

	keys   *keyspace
	local  *local
	table  *table
	beats  *beats
	wakers *wakers

	client  atomic.Pointer[rueidis.Client] // nil until first connected
	cluster atomic.Bool
	// untracked: Redis, or a proxy before it, does not push what changes. Nothing
	// is kept in this process then.
	untracked atomic.Bool
	glancing  atomic.Pointer[glance]
	ahead     atomic.Int64  // of the local clock is Redis's, in milliseconds
	calls     chan struct{} // a place for each call in flight
	writing   atomic.Int64  // bytes of values that commits are sending
	cleanups  chan struct{} // and for each release behind a failed Acquire
	breakers  [numLogs]breaker
	cause     atomic.Pointer[error] // why a breaker opened last

	// purges counts the purges of this process, once when one begins and once
	// when it ends. A fill that Redis knows nothing of compares it.
	purges atomic.Uint64
	tokens tokens
	// recents are purges that a failover may have lost.
	recents recents
	// failed counts the purges that ended with an error: Redis may not know of
	// them, so they end all fills of this process that began before.
	failed atomic.Uint64

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	leases map[*lease]struct{}
}

var (
	_ store.Store       = (*Store)(nil)
	_ store.Referrer    = (*Store)(nil)
	_ store.Sizer       = (*Store)(nil)
	_ store.Truster     = (*Store)(nil)
	_ store.TokenReader = (*Store)(nil)
	_ store.ManyGetter  = (*Store)(nil)
	_ store.ManyGetter  = view{} // and not by the Store in it, which knows of no token
	_ store.Pinger      = (*Store)(nil)
	_ store.Locator     = (*Store)(nil)
)

// New returns a Store. Its error reports everything that is wrong with o, each
// an *OptionError. A Redis that is down is no error: New returns within 100 ms,
// or with Options.Lazy at once, and the Store connects when it can; until then it
// works as an empty one.
func New(o Options) (*Store, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	loc, err := newLocal(o.LocalBytes)
	if err != nil {
		return nil, fmt.Errorf("redisstore: local tier: %w", err)
	}
	s := &Store{
		options: o, timeout: int64(o.Timeout), trust: int64(o.Trust), start: store.Monotonic(),
		keys: newKeyspace(o.Namespace), local: loc, table: newTable(), beats: newBeats(), wakers: newWakers(),
		calls: make(chan struct{}, maxCalls), cleanups: make(chan struct{}, 64),
		leases: make(map[*lease]struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	attempted := make(chan struct{})
	s.tasks.Add(2)
	go s.connect(attempted)
	go s.beat()
	if o.Lazy {
		return s, nil
	}
	wait := time.NewTimer(connectWait)
	defer wait.Stop()
	select {
	case <-attempted:
	case <-wait.C:
	}
	return s, nil
}

// Close ends the store's connections and goroutines, and the leases that were
// neither committed nor released. It takes up to a second if Redis hangs. What
// is called after it fails.
func (s *Store) Close() error { return s.close(true) }

func (s *Store) close(release bool) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	held := make([]*lease, 0, len(s.leases))
	for l := range s.leases {
		held = append(held, l)
	}
	s.mu.Unlock()
	if release {
		s.releaseAll(held)
	}
	s.cancel()
	s.wakers.wakeAll()
	if cl := s.client.Load(); cl != nil {
		(*cl).Close()
	}
	for _, l := range held {
		l.stop()
	}
	s.tasks.Wait()
	s.local.close()
	return nil
}

// clock returns the store's time in nanoseconds: monotonic, and never 0. It
// runs on while the process is stopped.
func (s *Store) clock() int64 { return s.at(store.Monotonic()) }

// at is what clock returned when store.Monotonic returned now.
func (s *Store) at(now time.Duration) int64 { return int64(now-s.start) + 1 }

// Trust is of store.Truster: Options.Trust.
func (s *Store) Trust() time.Duration { return s.options.Trust }

// LocalSize is of store.Sizer.
func (s *Store) LocalSize() store.LocalSize { return s.local.size() }

// Ref is of store.Referrer.
func (s *Store) Ref(it *store.Item) *store.Ref { return s.local.ref(it, (*keeper)(s)) }

// Get is of store.Getter. A value in local memory is returned without a call,
// an allocation or a lock that others wait for.
func (s *Store) Get(ctx context.Context, key string) (*store.Item, error) {
	return s.asTold().Get(ctx, key)
}

// Variant is of store.Getter. It looks at the base again, which is kept locally
// as a rule: base may have been purged since the caller got it.
func (s *Store) Variant(ctx context.Context, base *store.Item, name string) (*store.Item, error) {
	return s.asTold().Variant(ctx, base, name)
}

func (s view) Get(ctx context.Context, key string) (*store.Item, error) {
	it, err := s.lookup(ctx, store.Slot{Key: key})
	if err != nil {
		return nil, err
	}
	return &it.Item, nil
}

func (s view) Variant(ctx context.Context, base *store.Item, name string) (*store.Item, error) {
	now, err := s.lookup(ctx, store.Slot{Key: base.Key})
	if err != nil {
		return nil, err
	}
	if now.Stamp != base.Stamp || name == "" {
		return nil, store.ErrNotFound
	}
	it, err := s.lookup(ctx, store.Slot{Key: base.Key, Variant: name})
	if err != nil {
		return nil, err
	}
	if !store.Admit(&now.Item, &it.Item) {
		return nil, store.ErrNotFound
	}
	return &it.Item, nil
}

// record reports an operation that left the process.
func (s *Store) record(op string, begun time.Time, err error) {
	s.options.Recorder.StoreOp(op, resultOf(err), time.Since(begun))
}
