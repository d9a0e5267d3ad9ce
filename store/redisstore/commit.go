package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

var (
	errEntries = errors.New("redisstore: Commit takes a base entry, one variant, or both, each with a positive Life")
	errQueue   = errors.New("redisstore: too many bytes are on their way to Redis")
	errNoLog   = errors.New("redisstore: a purge log could not be read before the fill, so its purges cannot be told")
)

// Commit is of store.Lease.
func (l *lease) Commit(ctx context.Context, entries ...store.Entry) error {
	if !l.end() {
		return store.ErrOvertaken
	}
	l.forget()
	begun := time.Now()
	err := l.offline
	if err == nil {
		err = l.commit(ctx, entries)
	} else {
		err = fmt.Errorf("redisstore: not stored, since Acquire failed: %w", err)
	}
	// A purge in this process ends the fill even where Redis could not tell.
	if err != nil && !errors.Is(err, store.ErrOvertaken) && l.s.purges.Load() != l.purges {
		err = store.ErrOvertaken
	}
	l.s.record("commit", begun, err)
	return err
}

// commit stores the entries. The script ends fills that a purge of the URL has
// overtaken. For purges by tag the logs are looked at before it; the script sees
// to it that nothing came in between, but not in a Cluster, where the logs have
// slots of their own. There, and for purges that come while the answer is on its
// way, they are looked at once more.
func (l *lease) commit(ctx context.Context, entries []store.Entry) error {
	p, err := l.plan(entries)
	ctx, cancel := l.s.limit(ctx) // from here: to compress may take longer than a call
	defer cancel()
	for err == nil {
		if err = outcome(l.verdict(ctx, p)); err != nil {
			break
		}
		code, failed := l.write(ctx, p)
		switch {
		case failed != nil:
			l.s.releaseLater(l, failed)
			return failed
		case code == 0:
			return store.ErrOvertaken
		case code == 1:
			l.dropReplaced(entries)
			return l.settle(ctx, p)
		}
		err = ctx.Err() // a log has moved
	}
	if _, failed := l.hold(ctx, "0"); failed != nil {
		l.s.releaseLater(l, failed)
	}
	return err
}

// write stores what p says, if the script finds that it may. Where Redis is too
// slow for what is to be stored it does not queue for it: values would pile up
// in memory, and a cache's are worth less than that.
func (l *lease) write(ctx context.Context, p *plan) (code int64, err error) {
	size := int64(len(p.args[4]) + len(p.args[5]))
	if now := l.s.writing.Add(size); now > maxWriting && now > size {
		l.s.writing.Add(-size)
		return 0, errQueue
	}
	defer l.s.writing.Add(-size)
	keys, args := p.keys, p.args
	if !l.s.cluster.Load() {
		for r := range p.refs.all() {
			log := r.log
			keys, args = append(keys, l.s.keys.logs[log]), append(args, p.logs[log].version())
		}
	}
	err = l.s.exchange(ctx, home(l.slot.Key), func(ctx context.Context, cl rueidis.Client) (err error) {
		code, err = run(ctx, cl, scriptCall{script: commitScript, keys: keys, args: args})[0].AsInt64()
		return err
	})
	return code, err
}

// settle looks once more whether a purge came in between, and then takes back
// what was stored. It would not be served anyway, so that a failure to do so
// changes nothing. After a soft purge it stays if it has replaced something: it
// reads as stale, as that would.
func (l *lease) settle(ctx context.Context, p *plan) error {
	v, err := l.verdict(ctx, p)
	if v == purged || v == stale && l.seen == "" {
		_ = l.s.exchange(ctx, home(l.slot.Key), func(ctx context.Context, cl rueidis.Client) error {
			return run(ctx, cl, scriptCall{script: dropScript, keys: p.values(), args: []string{string(l.stamp[:])}})[0].Error()
		})
	}
	return outcome(v, err)
}

// dropReplaced lets go of this process's copies of what was replaced: the push
// for a process's own write comes only after the write's answer.
func (l *lease) dropReplaced(entries []store.Entry) {
	l.s.local.drop(l.slot)
	for i := range entries {
		l.s.local.drop(store.Slot{Key: l.slot.Key, Variant: entries[i].Variant})
	}
}

// A plan is what a commit sends, and what the stored entries rest on.
type plan struct {
	keys, args []string
	refs       refs
	hashes     tagHashes
	logs       logs // as they were found not to overtake it
}

// values returns the keys under which p stores.
func (p *plan) values() []string { return p.keys[2:] }

func (l *lease) plan(entries []store.Entry) (*plan, error) {
	base, variant, err := sort(entries)
	if err != nil {
		return nil, err
	}
	k := l.s.keys
	p := &plan{keys: []string{k.control(l.slot.Key), k.count(l.slot.Key), k.base(l.slot.Key)}}
	name := l.slot.Variant
	switch {
	case variant != nil:
		name = variant.Variant
		p.keys = append(p.keys, k.slot(store.Slot{Key: l.slot.Key, Variant: name}))
	case base == nil && l.slot.Variant != "": // deletes the variant
		p.keys = append(p.keys, k.slot(l.slot))
	}
	var baseValue, variantValue, end string
	var baseLife, variantLife time.Duration
	if variant != nil {
		variantLife = variant.Life
		baseLife = 2 * variantLife // of a base that stays and would end before
		r := draft{Entry: *variant, isVariant: true, of: l.stamp}
		if base == nil {
			if l.base == nil {
				return nil, store.ErrOvertaken // as where the base has vanished
			}
			r.of, r.ref = l.base.Stamp, l.base.Mark()
		}
		if variantValue, err = l.seal(p, r, variantLife); err != nil {
			return nil, err
		}
	}
	if base != nil {
		baseLife = max(base.Life, variantLife) // a base outlives its variants
		if baseValue, err = l.seal(p, draft{Entry: *base}, baseLife); err != nil {
			return nil, err
		}
	}
	end = expiry(time.Now().Add(baseLife))
	p.args = []string{l.slot.Variant, string(l.stamp[:]), l.seen, millis(variantLife), variantValue, baseValue, millis(baseLife), end, name, l.most, reuses(entries)}
	return p, nil
}

// reuses returns the script's word for whether an entry reuses what was seen.
func reuses(entries []store.Entry) string {
	for i := range entries {
		if entries[i].Reuses {
			return "1"
		}
	}
	return "0"
}

// maxLife bounds lives so that twice one can be told in nanoseconds.
const maxLife = 100 * 365 * 24 * time.Hour

// sort tells the base entry from the variant.
func sort(entries []store.Entry) (base, variant *store.Entry, err error) {
	for _, e := range entries {
		e := &e
		e.Life = min(e.Life, maxLife)
		switch {
		case e.Life <= 0:
			return nil, nil, errEntries
		case e.Variant == "" && base == nil:
			base = e
		case e.Variant != "" && variant == nil:
			variant = e
		default:
			return nil, nil, errEntries
		}
	}
	return base, variant, nil
}

// seal encodes one entry with what its fill noted of the logs it rests on.
func (l *lease) seal(p *plan, r draft, life time.Duration) (string, error) {
	hashes := hashesOf(r.Tags)
	at := home(l.slot.Key)
	for _, i := range members(logsOf(hashes) | 1<<at) {
		log := l.s0[i]
		if log == nil {
			return "", errNoLog
		}
		r.refs = r.refs.add(ref{i, log.inc, log.head})
	}
	p.refs, p.hashes = append(p.refs, r.refs...), append(p.hashes, hashes...)
	r.key, r.stamp, r.expires = l.slot.Key, l.stamp, time.Now().Add(life)
	if over := l.s.options.CompressOver; over > 0 && len(r.Body) >= over {
		if b, ok := pack(r.Body); ok {
			r.Body, r.isPacked = b, true
		}
	}
	return r.encode(), nil
}

// millis rounds up, since Redis takes no life of 0.
func millis(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}

// verdict says whether a tag, or everything, was purged since the fill began.
func (l *lease) verdict(ctx context.Context, p *plan) (verdict, error) {
	switch {
	case l.s.failed.Load() != l.failed:
		return purged, nil
	case len(p.refs) == 0: // a deletion
		return valid, nil
	}
	return l.s.asTold().judge(ctx, p.refs, p.hashes, &p.logs)
}

// outcome is what Commit returns for a verdict. A soft purge overtakes too: the
// fill's data are of before it.
func outcome(v verdict, err error) error {
	if err == nil && v != valid {
		return store.ErrOvertaken
	}
	return err
}
