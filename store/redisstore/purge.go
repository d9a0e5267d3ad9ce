package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

const (
	// purgeTimeout bounds a purge whose context has no deadline, and each step of
	// one by Match.
	purgeTimeout = 2 * time.Second
	// purgeBatch is how many keys go into one pipeline. Three commands each
	// stay below the 2,000 from which rueidis takes another connection, on
	// which the barrier would prove nothing.
	purgeBatch = 500
)

// Purge is of store.Purger. It tries until ctx is done, at most for 2 s if ctx
// has no deadline; then its error says that other instances, and Redis, may
// still hold what p names. Keys cost three small commands each, a tag one
// script.
//
// Match walks over all keys of the database, twice, and rests as long as it works,
// so that others get their turn: a million keys take some seconds. It comes last,
// and if ctx has no deadline it takes the time it needs, as long as each of its
// steps ends within 2 s. Where it ends early, Purged.Count is what it has dropped
// by then, at least, and the error is ctx's if that is why. Of a Cluster whose slots
// move meanwhile it walks over all once more; but keys of a slot that is on its way
// when it begins and when it ends may escape it.
func (s *Store) Purge(ctx context.Context, p store.Purge) (store.Purged, error) {
	if p.DryRun {
		return s.count(ctx, p)
	}
	s.purges.Add(1)
	defer s.purges.Add(1) // before it returns: a fill that Redis does not know of looks after
	var total store.Purged
	var errs []error
	part := func(kind string, asked bool, f func() (int, error)) {
		if !asked {
			return
		}
		begun := time.Now()
		n, err := f()
		total.Count += n
		s.record("purge", begun, err)
		s.options.Recorder.Purged(kind, p.Soft, err)
		if err != nil {
			errs = append(errs, fmt.Errorf("redisstore: purge by %s: %w", kind, err))
		}
	}
	quick, cancel := inTime(ctx)
	defer cancel()
	part("key", len(p.Keys) > 0, func() (int, error) { return s.purgeKeys(quick, p.Keys, p.Soft) })
	part("tag", len(p.Tags) > 0, func() (int, error) { return 0, s.purgeTags(quick, p.Tags, p.Soft) })
	part("all", p.All, func() (int, error) { return 0, s.purgeAll(quick, p.Soft) })
	part("match", p.Match != "", func() (int, error) { return s.purgeMatch(ctx, p.Match, p.Soft) })
	if p.All || len(p.Tags) > 0 {
		total.Count = -1
	}
	if errs != nil {
		s.failed.Add(1) // before it returns, like purges
		return total, errors.Join(errs...)
	}
	total.Token = s.tokens.issue(s.clock())
	return total, nil
}

// inTime gives ctx a deadline if it has none.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, purgeTimeout)
}

// persist tries until ctx is done. Purges do not ask the breaker: they matter
// more than the time they take. attempt has its own deadline.
func (s *Store) persist(ctx context.Context, attempt func(context.Context, rueidis.Client) error) error {
	err := errOffline
	limit := time.Duration(s.timeout) // grows: Redis may be slow rather than away
	for delay := minBackoff; ; delay, limit = min(2*delay, maxBackoff), min(2*limit, time.Second) {
		if cl := s.client.Load(); cl != nil {
			try, cancel := context.WithTimeout(ctx, limit)
			err = attempt(try, *cl)
			cancel()
		}
		if err == nil {
			return nil
		}
		t := time.NewTimer(delay)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		case <-s.ctx.Done():
			t.Stop()
			return errClosed
		}
	}
}

// purgeKeys drops keys and ends their fills. It returns how many base entries
// there were.
func (s *Store) purgeKeys(ctx context.Context, keys []string, soft bool) (count int, err error) {
	count, err = s.dropKeys(ctx, keys, soft)
	if err == nil {
		s.recents.noteKeys(keys, soft, s.clock())
	}
	return count, err
}

func (s *Store) dropKeys(ctx context.Context, keys []string, soft bool) (count int, err error) {
	s.dropLocal(keys)
	for todo := keys; len(todo) > 0 && err == nil; {
		batch := todo[:min(purgeBatch, len(todo))]
		todo = todo[len(batch):]
		err = s.persist(ctx, func(ctx context.Context, cl rueidis.Client) error {
			var n int
			var err error
			if soft {
				n, batch, err = s.softenBatch(ctx, cl, batch)
			} else {
				n, batch, err = s.unlinkBatch(ctx, cl, batch)
			}
			count += n
			return err
		})
	}
	s.dropLocal(keys)
	if err != nil {
		s.dropVariants(keys)
	}
	return count, err
}

// unlinkBatch drops keys: the leases first, or a fill that holds one could
// still store what is dropped second. The third command is the barrier: its
// answer comes after the pushes that the first two caused, so what this process
// keeps of the keys is gone when it returns. No script: UNLINK works on a full
// Redis too. left are the keys that failed.
func (s *Store) unlinkBatch(ctx context.Context, cl rueidis.Client, keys []string) (count int, left []string, failed error) {
	cmds := make(rueidis.Commands, 0, 3*len(keys))
	for _, key := range keys {
		base := s.keys.base(key)
		cmds = append(cmds, cl.B().Unlink().Key(base+controlMark).Build(), cl.B().Unlink().Key(base).Build(), cl.B().Exists().Key(base).Build())
	}
	replies := cl.DoMulti(ctx, cmds...)
	for i, key := range keys {
		_, err := replies[3*i].AsInt64()
		n, errBase := replies[3*i+1].AsInt64()
		_, errBarrier := replies[3*i+2].AsInt64()
		if err = errors.Join(err, errBase, errBarrier); err != nil {
			left, failed = append(left, key), err
		}
		count += int(n)
	}
	return count, left, failed
}

// softenBatch marks keys as stale. On a full Redis, which takes no mark, it
// drops them instead.
func (s *Store) softenBatch(ctx context.Context, cl rueidis.Client, keys []string) (count int, left []string, failed error) {
	calls := make([]scriptCall, len(keys))
	for i, key := range keys {
		token := store.NewStamp()
		base := s.keys.base(key)
		calls[i] = scriptCall{script: softScript, keys: []string{base + controlMark, base}, args: []string{string(token[:])}, barrier: base}
	}
	var full []string
	for i, r := range run(ctx, cl, calls...) {
		n, err := r.AsInt64()
		switch {
		case isFull(err):
			full = append(full, keys[i])
		case err != nil:
			left, failed = append(left, keys[i]), err
		}
		count += int(n)
	}
	if full == nil {
		return count, left, failed
	}
	n, undone, err := s.unlinkBatch(ctx, cl, full)
	return count + n, append(left, undone...), errors.Join(failed, err)
}

func isFull(err error) bool {
	return err != nil && strings.Contains(err.Error(), "OOM command not allowed")
}

func (s *Store) dropLocal(keys []string) {
	for _, key := range keys {
		s.local.drop(store.Slot{Key: key})
	}
}

// dropVariants forgets the variants of keys whose bases may still be in Redis
// and vouch for them.
func (s *Store) dropVariants(keys []string) {
	set := make(map[string]bool, len(keys))
	for _, key := range keys {
		set[key] = true
	}
	s.local.dropIf(func(it *item) bool { return set[it.Key] })
}

// purgeTags writes into the logs of the tags. What rests on a number before
// the purge's is not valid any more, wherever it is kept.
func (s *Store) purgeTags(ctx context.Context, tags []string, soft bool) error {
	var byLog [numLogs][]string
	hashes := make(map[uint64]bool, len(tags))
	var set uint64
	for _, t := range tags {
		h := hashOf(t)
		byLog[logOf(h)] = append(byLog[logOf(h)], tagArg(h))
		set |= 1 << logOf(h)
		hashes[h] = true
	}
	err := s.purgeLogs(ctx, set, &byLog, soft)
	if err != nil {
		s.local.dropIf(func(it *item) bool {
			for h := range it.hashes().all() {
				if hashes[h] {
					return true
				}
			}
			return false
		})
	}
	return err
}

// purgeAll raises the floor of every log.
func (s *Store) purgeAll(ctx context.Context, soft bool) error {
	err := s.purgeLogs(ctx, ^uint64(0), &[numLogs][]string{}, soft)
	if !soft || err != nil {
		s.local.dropIf(func(*item) bool { return true })
	}
	return err
}

func (s *Store) purgeLogs(ctx context.Context, set uint64, args *[numLogs][]string, soft bool) error {
	s.table.forget(set)
	all := set
	err := s.persist(ctx, func(ctx context.Context, cl rueidis.Client) (err error) {
		set, err = s.writeLogs(ctx, cl, set, args, soft)
		return err
	})
	// The pushes have done it already, but for a log that Redis has lost.
	s.table.forget(all)
	if err == nil {
		s.recents.noteLogs(all, s.clock())
	}
	return err
}

// maxTags is how many tags go into one script: more than a log holds would only
// push each other out of it.
const maxTags = 128

// writeLogs returns the logs that are left.
func (s *Store) writeLogs(ctx context.Context, cl rueidis.Client, set uint64, args *[numLogs][]string, soft bool) (left uint64, failed error) {
	kind := "h"
	if soft {
		kind = "s"
	}
	list := members(set)
	calls := make([]scriptCall, len(list))
	for j, i := range list {
		inc := store.NewStamp()
		high := strconv.FormatUint(s.table.high[i].Load(), 10)
		head := []string{string(inc[:]), high, kind}
		if len(args[i]) <= maxTags { // of more tags, everything in the log
			head = append(head, args[i]...)
		}
		calls[j] = scriptCall{script: logPurgeScript, keys: s.keys.logs[i : i+1], args: head, barrier: s.keys.logs[i]}
	}
	for j, r := range run(ctx, cl, calls...) {
		i := list[j]
		head, err := r.AsUint64()
		if isFull(err) {
			err = s.loseLog(ctx, cl, i)
		} else if err == nil {
			s.table.raise(i, head)
		}
		if err != nil {
			left, failed = left|1<<i, err
		}
	}
	return left, failed
}

// loseLog deletes a log that a full Redis takes no purge into: all that rests
// on it is invalid from then on.
func (s *Store) loseLog(ctx context.Context, cl rueidis.Client, i int) error {
	log := s.keys.logs[i]
	for _, r := range cl.DoMulti(ctx, cl.B().Unlink().Key(log).Build(), cl.B().Exists().Key(log).Build()) {
		if err := r.Error(); err != nil {
			return err
		}
	}
	return nil
}
