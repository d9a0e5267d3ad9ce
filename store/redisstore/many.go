package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// manyBatch is how many keys one exchange asks for. Two commands each stay well
// below the 2,000 from which rueidis takes another connection, and others do not
// wait long behind the answer.
const manyBatch = 500

// A wanted is a key that GetMany has to ask Redis about.
type wanted struct {
	key string
	it  *item // what is kept of it, and then what was found
	err error // why nothing was
}

// GetMany is of store.ManyGetter. What this process keeps it answers itself,
// without an allocation where that is all. For the rest it takes one round trip
// to each node, and another one for purge logs that are not known; of more than
// 500 keys, for each 500 of them. Each of these batches ends by Options.Timeout.
func (s *Store) GetMany(ctx context.Context, keys []string, items []*store.Item) error {
	return s.asTold().GetMany(ctx, keys, items)
}

// GetMany is the Store's, after the purges of the view's tokens.
func (s view) GetMany(ctx context.Context, keys []string, items []*store.Item) error {
	if len(keys) != len(items) {
		return &store.ManyError{Keys: len(keys), Items: len(items)}
	}
	var list []wanted
	var at map[string]int // in list
	var asked []int       // of keys
	for i, key := range keys {
		it, vouched := s.kept(key)
		if vouched {
			items[i] = &it.Item
			continue
		}
		items[i] = nil
		asked = append(asked, i)
		if at == nil {
			at = make(map[string]int)
		}
		if _, known := at[key]; !known {
			at[key] = len(list)
			list = append(list, wanted{key: key, it: it})
		}
	}
	if list == nil {
		return nil
	}
	for batch := range slices.Chunk(list, manyBatch) {
		begun := time.Now()
		s.lookupMany(ctx, batch)
		for i := range batch {
			s.record("get", begun, batch[i].err)
		}
	}
	for _, i := range asked {
		if w := &list[at[keys[i]]]; w.err == nil {
			items[i] = &w.it.Item
		}
	}
	return failureOf(list)
}

// kept returns what this process has under key, and whether it may be answered as
// it is.
func (s view) kept(key string) (it *item, vouched bool) {
	now := s.clock()
	it = s.local.get(store.Slot{Key: key}, now, s.after)
	return it, it != nil && s.vouched(it, now) && it.ready()
}

// failureOf joins what went wrong in list, each reason once. What is not found
// is none, nor is what cannot be read, which counts as that.
func failureOf(list []wanted) error {
	var failed int
	var reasons []error
	for i := range list {
		err := list[i].err
		if err == nil || errors.Is(err, store.ErrNotFound) {
			continue
		}
		failed++
		if !slices.ContainsFunc(reasons, func(r error) bool { return r.Error() == err.Error() }) {
			reasons = append(reasons, err)
		}
	}
	if failed == 0 {
		return nil
	}
	return fmt.Errorf("redisstore: %d of %d keys asked for: %w", failed, len(list), errors.Join(reasons...))
}

// lookupMany is lookupAfar for a batch.
func (s view) lookupMany(ctx context.Context, batch []wanted) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	s.fetchMany(ctx, batch)
	s.verifyMany(ctx, batch)
	for i := range batch {
		if w := &batch[i]; w.err == nil && !w.it.ready() {
			w.err = errMalformed
		}
	}
}

// fetchMany is fetch for those of batch of which nothing is kept. Those on nodes
// that are known to be away it leaves out, and they cost the others nothing.
func (s view) fetchMany(ctx context.Context, batch []wanted) {
	defer s.local.tend()
	var list []*wanted
	for i := range batch {
		w := &batch[i]
		switch {
		case w.it != nil:
		case s.breaker(home(w.key)).open.Load():
			w.err = errOffline
		default:
			list = append(list, w)
		}
	}
	if list == nil {
		return
	}
	first, ran := home(list[0].key), false
	err := s.exchange(ctx, first, func(ctx context.Context, cl rueidis.Client) error {
		ran = true
		return s.askMany(ctx, cl, list, first)
	})
	if ran {
		return // and each has its own error
	}
	for _, w := range list {
		w.err = err
	}
}

// askMany asks for list, and tells each node's breaker but first's, whose the
// caller tells, what came of it: once, for one answer, or the lack of it, is one.
func (s view) askMany(ctx context.Context, cl rueidis.Client, list []*wanted, first int) error {
	cluster, now := s.cluster.Load(), s.clock()
	var asked uint64
	for _, w := range list {
		log := home(w.key)
		asked |= 1 << log
		s.breaker(log).unanswered.CompareAndSwap(0, now)
	}
	var failed [numLogs]error
	for i, r := range s.getMany(ctx, cl, list) {
		w := list[i]
		raw, err := r.ToString()
		if err != nil && !rueidis.IsRedisNil(err) {
			w.err = err
			if log := home(w.key); failed[log] == nil || !answered(err) {
				failed[log] = err
			}
			continue
		}
		w.it, w.err = s.received(store.Slot{Key: w.key}, raw)
	}
	own := failed[first]
	for _, log := range members(asked) {
		switch {
		case cluster && log != first:
			s.note(log, s.breaker(log), failed[log])
		case !cluster && (own == nil || answered(own)) && failed[log] != nil:
			own = failed[log]
		}
	}
	return own
}

// getMany reads list as get reads a key, in one round trip to each node. Only
// those who joined a read that was given up are asked for once more.
func (s view) getMany(ctx context.Context, cl rueidis.Client, list []*wanted) []rueidis.RedisResult {
	got := s.pipeline(ctx, cl, list, s.after == 0)
	var again []*wanted
	var places []int
	for i := range got {
		if errors.Is(got[i].Error(), errJoin) {
			again, places = append(again, list[i]), append(places, i)
		}
	}
	if again != nil {
		for j, r := range s.pipeline(ctx, cl, again, false) {
			got[places[j]] = r
		}
	}
	return got
}

// pipeline reads list. Where a Cluster's slot has no node, rueidis refuses all
// that it is asked for together with a key of it; then each log's keys, which as
// a rule share a node, go by themselves.
func (s view) pipeline(ctx context.Context, cl rueidis.Client, list []*wanted, track bool) []rueidis.RedisResult {
	got := s.read(ctx, cl, list, track)
	if !errors.Is(got[0].Error(), rueidis.ErrNoSlot) {
		return got
	}
	var places [numLogs][]int
	for i, w := range list {
		places[home(w.key)] = append(places[home(w.key)], i)
	}
	for _, of := range places {
		if len(of) == 0 || len(of) == len(list) {
			continue
		}
		part := make([]*wanted, len(of))
		for j, i := range of {
			part[j] = list[i]
		}
		for j, r := range s.read(ctx, cl, part, track) {
			got[of[j]] = r
		}
	}
	return got
}

func (s view) read(ctx context.Context, cl rueidis.Client, list []*wanted, track bool) []rueidis.RedisResult {
	if !track {
		plain := make(rueidis.Commands, len(list))
		for i, w := range list {
			plain[i] = cl.B().Get().Key(s.keys.base(w.key)).Build()
		}
		return cl.DoMulti(ctx, plain...)
	}
	tracks := make([]rueidis.CacheableTTL, len(list))
	for i, w := range list {
		tracks[i] = rueidis.CT(cl.B().Get().Key(s.keys.base(w.key)).Cache().ToStaticTTL(), tracked)
	}
	return cl.DoMultiCache(ctx, tracks...)
}

// verifyMany is verify for all that was found, with one look at the logs and one
// read of those that are not known.
func (s view) verifyMany(ctx context.Context, batch []wanted) {
	version := s.table.version.Load() // before the look, so that a purge during it counts
	var refs refs
	for i := range batch {
		if it := batch[i].it; it != nil {
			refs = append(refs, it.refs()...)
		}
	}
	ls := new(logs)
	var failed error
	if doubtful := s.distrusted(refs, ls); doubtful != 0 {
		for _, i := range members(doubtful) {
			ls[i] = nil // if the read does not come to it, what is known does not count
		}
		failed = s.readLogs(ctx, doubtful, ls, false)
	}
	for i := range batch {
		w := &batch[i]
		if w.it == nil || w.err != nil {
			continue
		}
		v := ls.judge(w.it.refs(), w.it.hashes())
		switch v {
		case behind: // rare, and a matter of its own
			v, w.err = s.verify(ctx, w.it)
		case unknown:
			w.err = failed
		case stale:
			w.it.Soften()
		}
		if v == valid || v == stale {
			w.it.Verify(version)
		} else if w.err == nil {
			w.err = store.ErrNotFound
		}
	}
}
