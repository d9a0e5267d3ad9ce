package redisstore

import (
	"context"
	"errors"
	"math/bits"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// tracked is the life that rueidis asks for with a tracked read. conn ignores
// it: an item lives by its own expiry, and until Redis pushes it out.
const tracked = time.Hour

// A view is a look at the store that shows what had happened everywhere by
// after, on the store's clock; 0: by when this process last heard of it.
type view struct {
	*Store
	after int64
}

// asTold is the view of who has no token.
func (s *Store) asTold() view { return view{Store: s} }

// lookup returns what is stored in slot and valid, or ErrNotFound.
func (s view) lookup(ctx context.Context, slot store.Slot) (*item, error) {
	now := s.clock()
	it := s.local.get(slot, now, s.after)
	if it != nil && s.vouched(it, now) && it.ready() {
		return it, nil
	}
	begun := time.Now()
	ctx, cancel := s.limit(ctx)
	defer cancel()
	it, err := s.lookupAfar(ctx, slot, it)
	s.record("get", begun, err)
	return it, err
}

// Local is of store.Locator.
func (s *Store) Local(slot store.Slot) bool {
	now := s.clock()
	it := s.local.get(slot, now, 0)
	return it != nil && s.asTold().vouched(it, now)
}

// lookupAfar asks Redis for what is missing: the value, or only the purge logs
// that it rests on.
func (s view) lookupAfar(ctx context.Context, slot store.Slot, it *item) (*item, error) {
	if it == nil {
		var err error
		if it, err = s.fetch(ctx, slot); err != nil {
			return nil, err
		}
	}
	v, err := s.verify(ctx, it)
	if err != nil {
		return nil, err
	}
	if v != valid && v != stale {
		return nil, store.ErrNotFound
	}
	if !it.ready() {
		return nil, errMalformed
	}
	return it, nil
}

// fetch reads a value with a tracked read, whatever the purge logs say of it.
func (s view) fetch(ctx context.Context, slot store.Slot) (*item, error) {
	defer s.local.tend()
	var raw string
	key := s.keys.slot(slot)
	err := s.exchange(ctx, home(slot.Key), func(ctx context.Context, cl rueidis.Client) (err error) {
		raw, err = s.get(ctx, cl, key)
		if rueidis.IsRedisNil(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.received(slot, raw)
}

// received returns the item that Redis has answered with; "" is none.
func (s *Store) received(slot store.Slot, raw string) (*item, error) {
	if it := s.local.same(slot, raw); it != nil {
		return it, nil
	}
	if raw == "" {
		return nil, store.ErrNotFound
	}
	it, err := s.decode(slot, raw)
	if err != nil {
		return nil, err
	}
	if s.clock() >= it.ends {
		return nil, store.ErrNotFound
	}
	return it, nil
}

// get reads one key, tracked. A view after some moment does not: it might join a
// read that has begun before.
func (s view) get(ctx context.Context, cl rueidis.Client, key string) (string, error) {
	if s.after == 0 {
		raw, err := cl.DoCache(ctx, cl.B().Get().Key(key).Cache().ToStaticTTL(), tracked).ToString()
		if !errors.Is(err, errJoin) {
			return raw, err
		}
	}
	return cl.Do(ctx, cl.B().Get().Key(key).Build()).ToString()
}

// getLogs reads logs, or only their heads, as get reads a key.
func (s view) getLogs(ctx context.Context, cl rueidis.Client, list []int, heads bool) []rueidis.RedisResult {
	tracks := make([]rueidis.CacheableTTL, 0, len(list))
	plain := make(rueidis.Commands, 0, len(list))
	for _, i := range list {
		switch key := s.keys.logs[i]; {
		case s.after != 0:
			plain = append(plain, cl.B().Get().Key(key).Build())
		case heads:
			tracks = append(tracks, rueidis.CT(cl.B().Getrange().Key(key).Start(0).End(logHeadLen-1).Cache().ToStaticTTL(), tracked))
		default:
			tracks = append(tracks, rueidis.CT(cl.B().Get().Key(key).Cache().ToStaticTTL(), tracked))
		}
	}
	if s.after != 0 {
		return cl.DoMulti(ctx, plain...)
	}
	return cl.DoMultiCache(ctx, tracks...)
}

// decode decodes what was stored under slot's key, and refuses another slot's
// value: nobody is ever answered with another key's bytes.
func (s *Store) decode(slot store.Slot, raw string) (*item, error) {
	it, err := decode(raw)
	if err != nil {
		return nil, err
	}
	if it.Slot() != slot {
		return nil, errMalformed
	}
	it.ends = s.clock() + int64(min(time.Until(it.Expires()), maxLife))
	return it, nil
}

// vouched reports whether it was found valid before and nothing was purged
// since, without a look at its tags.
func (s view) vouched(it *item, now int64) bool {
	logs := s.table.now.Load()
	for set := it.logs; set != 0; set &= set - 1 {
		if l := logs[bits.TrailingZeros64(set)]; l == nil || (l.conn != it.conn && !l.conn.live(now, s.after)) {
			return false
		}
	}
	return it.Verified() == s.table.version.Load() // last, as in distrusted
}

// verify says what the purge logs have for it, and softens it if that is a soft
// purge.
func (s view) verify(ctx context.Context, it *item) (verdict, error) {
	version := s.table.version.Load() // before the look, so that a purge during it counts
	v, err := s.judge(ctx, it.refs(), it.hashes(), new(logs))
	if v == stale {
		it.Soften() // for good, so that it need not be looked at again
	}
	if v == valid || v == stale {
		it.Verify(version)
	}
	return v, err
}

// judge looks into the logs, those it cannot trust read anew, and leaves them in
// ls. Without an error the verdict is never unknown.
func (s view) judge(ctx context.Context, refs refs, hashes tagHashes, ls *logs) (verdict, error) {
	doubtful := s.distrusted(refs, ls)
	if doubtful != 0 {
		if err := s.readLogs(ctx, doubtful, ls, false); err != nil {
			return unknown, err
		}
	}
	v := ls.judge(refs, hashes)
	if v != behind {
		return v, nil
	}
	// An entry has seen more of a log than Redis now has: a failover lost some
	// of it. Whoever looks next finds it raised, and everything older closed.
	for r := range refs.all() {
		s.table.raise(r.log, r.s0)
	}
	return purged, s.readLogs(ctx, doubtful, ls, false)
}

// distrusted puts the logs that this process knows into ls, and tells which of
// refs must be read anew. A push, and the answer to a heartbeat sent after the
// purge, may come between the look at a log and the one at its connection: what
// the second vouches for is then another log.
func (s view) distrusted(refs refs, ls *logs) (set uint64) {
	for {
		known, now := s.table.now.Load(), s.clock()
		*ls, set = *known, 0
		for r := range refs.all() {
			if l := ls[r.log]; l == nil || !l.conn.live(now, s.after) || l.inc == r.inc && l.head < r.s0 {
				set |= 1 << r.log
			}
		}
		if s.after == 0 || s.table.now.Load() == known {
			return set
		}
	}
}

// readLogs reads the logs of set into ls, or only their heads, and opens those
// that Redis has lost.
func (s view) readLogs(ctx context.Context, set uint64, ls *logs, heads bool) error {
	lost, err := s.readTracked(ctx, set, ls, heads)
	if err != nil || lost == 0 {
		return err
	}
	return s.openLogs(ctx, lost, ls)
}

// readTracked reads the logs of set into ls; lost are those that are missing,
// damaged or behind what this process has seen of them. ls is nil where the
// read failed, and the error is of one of those.
func (s view) readTracked(ctx context.Context, set uint64, ls *logs, heads bool) (lost uint64, _ error) {
	list, failed := s.reachable(set, ls)
	if len(list) == 0 {
		return 0, failed
	}
	first := list[0]
	var high [numLogs]uint64 // before the read: a purge may raise it meanwhile
	for _, i := range list {
		high[i] = s.table.high[i].Load()
	}
	err := s.exchange(ctx, first, func(ctx context.Context, cl rueidis.Client) (own error) {
		for j, r := range s.getLogs(ctx, cl, list, heads) {
			i := list[j]
			raw, err := r.ToString()
			if errors.Is(err, errJoin) {
				raw, err = cl.Do(ctx, cl.B().Get().Key(s.keys.logs[i]).Build()).ToString()
			}
			gone, err := s.takeLog(i, raw, err, high[i], ls)
			if gone {
				lost |= 1 << i
			}
			if err != nil {
				failed = err
			}
			if i == first { // exchange notes it
				own = err
			} else if s.cluster.Load() {
				s.note(i, s.breaker(i), err)
			}
		}
		return own
	})
	if failed == nil {
		failed = err
	}
	return lost, failed
}

// takeLog puts what was read of log i into ls.
func (s *Store) takeLog(i int, raw string, err error, high uint64, ls *logs) (lost bool, _ error) {
	ls[i] = nil
	if err != nil && !rueidis.IsRedisNil(err) {
		s.table.retry[i].Store(s.clock() + int64(maxBackoff))
		return false, err
	}
	if l, ok := parseLog(raw); ok && l.head >= high {
		ls[i] = l
		return false, nil
	}
	return true, nil
}

// reachable lists the logs of set but for those whose node is known to be away.
func (s *Store) reachable(set uint64, ls *logs) (list []int, err error) {
	for _, i := range members(set) {
		if s.breaker(i).open.Load() {
			ls[i], err = nil, errOffline
		} else {
			list = append(list, i)
		}
	}
	return list, err
}

// openLogs makes or raises the logs of set, and puts them into ls. They stay
// unknown to the table: only a tracked read, the next one, makes Redis push.
func (s *Store) openLogs(ctx context.Context, set uint64, ls *logs) error {
	list := members(set)
	return s.exchange(ctx, list[0], func(ctx context.Context, cl rueidis.Client) error {
		var calls []scriptCall
		for _, i := range list {
			inc := store.NewStamp()
			high := strconv.FormatUint(s.table.high[i].Load(), 10)
			calls = append(calls, scriptCall{script: logOpenScript, keys: s.keys.logs[i : i+1], args: []string{string(inc[:]), high}})
		}
		for j, r := range run(ctx, cl, calls...) {
			raw, err := r.ToString()
			if err != nil {
				return err
			}
			if l, ok := parseLog(raw); ok {
				ls[list[j]] = l
			}
		}
		return nil
	})
}

// members lists the bits of set, the lowest first.
func members(set uint64) []int {
	list := make([]int, 0, bits.OnesCount64(set))
	for ; set != 0; set &= set - 1 {
		list = append(list, bits.TrailingZeros64(set))
	}
	return list
}
