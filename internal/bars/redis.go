package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// remoteHits compares a read that the process's memory does not answer with what
// rueidis needs for a tracked read of a value of the same size. Both go round more
// values than they keep.
func remoteHits(b *bench) error {
	ctx := context.Background()
	for _, size := range sizes {
		values := max(64, 4<<20/size) // many times what either keeps
		st, err := b.newRedis(func(o *redisstore.Options) { o.LocalBytes = 64 << 10 })
		if err != nil {
			return err
		}
		defer st.Close()
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{b.redis}, CacheSizeEachConn: 64 << 10})
		if err != nil {
			return err
		}
		defer client.Close()
		body := strings.Repeat("x", size)
		name := func(i int) string { return fmt.Sprintf("bars-%d-%d", size, i%values) }
		for i := range values {
			if err := fill(ctx, st, name(i), body); err != nil {
				return err
			}
			if err := client.Do(ctx, client.B().Set().Key(name(i)).Value(body).Build()).Error(); err != nil {
				return err
			}
		}
		i, reads, kept := 0, 0, 0
		bare := &subject{op: func() func() {
			return func() {
				i++
				res := client.DoCache(ctx, client.B().Get().Key(name(i)).Cache(), time.Hour)
				if s, err := res.ToString(); err != nil || len(s) != size {
					panic(fmt.Sprint("not a read: ", err, len(s)))
				}
				if reads++; res.IsCacheHit() {
					kept++
				}
			}
		}}
		ours := &subject{op: func() func() {
			return func() {
				i++
				if it, err := st.Get(ctx, name(i)); err != nil || len(it.Body) != size {
					panic(fmt.Sprint("not a hit: ", err))
				}
			}
		}}
		b.compare(false, bare, ours)
		if kept > reads/100 {
			return fmt.Errorf("%d of rueidis's %d reads were none", kept, reads)
		}
		b.printRatio(fmt.Sprintf("redisstore, not local, %d KB, beside rueidis DoCache", size>>10), ours, bare, 1.15, 1000)
	}
	return nil
}

// fill stores body under key.
func fill(ctx context.Context, st store.Store, key, body string, tags ...string) error {
	l, err := st.Acquire(ctx, store.Claim{Slot: store.Slot{Key: key}, Hold: time.Minute})
	if err != nil {
		return err
	}
	return l.Commit(ctx, store.Entry{Meta: []byte("meta"), Body: []byte(body), Tags: tags, Life: time.Hour})
}
