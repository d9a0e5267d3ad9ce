package redisstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

const (
	dialTimeout = 500 * time.Millisecond
	// connectWait is how long New waits for Redis, so that a program whose
	// Redis is up starts connected.
	connectWait = 80 * time.Millisecond

	// Of purges and of releases, and the defaults of the Options of that name.
	minBackoff = 10 * time.Millisecond
	maxBackoff = 250 * time.Millisecond
)

// connect makes the client and retries until it has one or the store is
// closed. connected is closed after the first attempt: rueidis gives no client
// for a Redis that is down, and only by connecting tells a Cluster from a node.
func (s *Store) connect(attempted chan<- struct{}) {
	defer s.tasks.Done()
	opt := s.clientOption()
	var told report
	for delay := s.options.MinBackoff; ; delay = min(2*delay, s.options.MaxBackoff) {
		cl, err := newClient(opt)
		if errors.Is(err, rueidis.ErrNoCache) && !isBusy(err) {
			cl, err = s.withoutTracking(opt, err)
		}
		if err == nil {
			s.connected(cl)
		}
		if attempted != nil {
			close(attempted)
			attempted = nil
		}
		if err != nil && told.isNews(err.Error(), s.clock()) {
			s.options.Logger.Warn("redisstore: Redis cannot be reached; trying on", "error", err)
		}
		if err == nil || !s.pause(delay) {
			return
		}
	}
}

// clientOption is the Options' with the store's hooks.
func (s *Store) clientOption() rueidis.ClientOption {
	opt := s.options.client()
	opt.NewCacheStoreFn = func(rueidis.CacheStoreOption) rueidis.CacheStore { return &conn{s: s} }
	// conn.Delete does the work. But only a hook that is set makes rueidis
	// read an idle connection at all.
	opt.OnInvalidations = func([]rueidis.RedisMessage) {}
	return opt
}

// newClient connects. A single address is asked first whether it is a
// Cluster's: rueidis would try a Cluster and fall back, and leave goroutines
// behind for each try that finds nobody.
func newClient(opt rueidis.ClientOption) (rueidis.Client, error) {
	opt.ForceSingleClient = len(opt.InitAddress) == 1 && opt.Sentinel.MasterSet == ""
	cl, err := rueidis.NewClient(opt)
	if err == nil && !(opt.ForceSingleClient && isCluster(cl)) {
		return cl, nil
	}
	if cl != nil {
		cl.Close()
	}
	if err != nil {
		return nil, err
	}
	opt.ForceSingleClient = false
	return rueidis.NewClient(opt)
}

// withoutTracking connects to a Redis that does not push changes.
func (s *Store) withoutTracking(opt rueidis.ClientOption, why error) (rueidis.Client, error) {
	opt.DisableCache = true
	cl, err := newClient(opt)
	if err == nil && s.untracked.CompareAndSwap(false, true) {
		s.options.Logger.Warn("redisstore: no client-side caching here: every look-up asks Redis", "error", why)
	}
	return cl, err
}

// replace puts a client in the place of old, whose Redis has come back without
// client-side caching: it would refuse old's connections for ever.
func (s *Store) replace(old *rueidis.Client, why error) {
	cl, err := s.withoutTracking(s.clientOption(), why)
	if err != nil {
		return
	}
	s.mu.Lock()
	replaced := !s.closed && s.client.CompareAndSwap(old, &cl)
	s.mu.Unlock()
	if replaced {
		(*old).Close()
	} else {
		cl.Close()
	}
}

// isBusy tells whether err is of a Redis that runs somebody's long script. It
// refuses CLIENT TRACKING like anything else, but not for good. rueidis puts its
// word first.
func isBusy(err error) bool { return strings.HasPrefix(err.Error(), "BUSY ") }

func isCluster(cl rueidis.Client) bool {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	hello, err := cl.Do(ctx, cl.B().Hello().Build()).AsMap()
	if err != nil {
		return false
	}
	mode := hello["mode"]
	name, _ := mode.ToString()
	return name == "cluster"
}

// connected publishes the client, or closes it if the store was closed meanwhile.
func (s *Store) connected(cl rueidis.Client) {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.cluster.Store(cl.Mode() == rueidis.ClientModeCluster)
		s.client.Store(&cl)
	}
	s.mu.Unlock()
	if closed {
		cl.Close()
		return
	}
	s.options.Logger.Info("redisstore: connected", "mode", string(cl.Mode()))
}

// pause waits for d; false: the store is closed.
func (s *Store) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
