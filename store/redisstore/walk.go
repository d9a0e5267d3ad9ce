package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// A pace is how a walk over all keys goes: after each step it rests as long as the
// step took, so that Redis, which does one thing at a time, is kept busy for half
// of the time at most. least is for a step too short for a timer, most for one that
// waited for something else than Redis's work.
type pace struct{ least, most time.Duration }

var gentle = pace{least: 100 * time.Microsecond, most: time.Second}

func (p pace) rest(took time.Duration) time.Duration { return min(max(took, p.least), p.most) }

// walk runs step until there is no more, it fails, or ctx or the store's is done.
// It rests between two steps, and not behind the last.
func (p pace) walk(ctx, open context.Context, step func() (more bool, err error)) error {
	for {
		begun := time.Now()
		more, err := step()
		if err != nil || !more {
			return err
		}
		t := time.NewTimer(p.rest(time.Since(begun)))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-open.Done():
			t.Stop()
			return errClosed
		}
	}
}

// maxWalks is how often a walk begins anew because a Cluster's slots have moved.
const maxWalks = 3

var errMoved = errors.New("redisstore: the Cluster's slots kept moving, so that keys may have escaped")

// whereSlotsStay runs walk, and again if slots have moved meanwhile: their keys may
// have come to a node behind the walk.
func (s *Store) whereSlotsStay(ctx context.Context, walk func() error) error {
	before, err := s.layout(ctx)
	for range maxWalks {
		if err != nil {
			return err
		}
		if err = walk(); err != nil {
			return err
		}
		var after string
		if after, err = s.layout(ctx); err == nil && after == before {
			return nil
		}
		before = after
	}
	if err != nil {
		return err
	}
	return errMoved
}

// layout tells which primary has which slots; "" where there is no Cluster.
func (s *Store) layout(ctx context.Context) (layout string, err error) {
	err = s.step(ctx, func(ctx context.Context) error {
		return s.persist(ctx, func(ctx context.Context, cl rueidis.Client) (err error) {
			if cl.Mode() == rueidis.ClientModeCluster {
				layout, err = slotsOf(cl.Do(ctx, cl.B().ClusterSlots().Build()))
			}
			return err
		})
	})
	return layout, err
}

// slotsOf reads the answer to CLUSTER SLOTS: of each range its first and last slot,
// then the nodes, the primary first, each with host, port and ID.
func slotsOf(r rueidis.RedisResult) (string, error) {
	ranges, err := r.ToArray()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range ranges {
		of, err := ranges[i].ToArray()
		if err != nil || len(of) < 3 {
			return "", errors.Join(err, errReply)
		}
		first, errFirst := of[0].AsInt64()
		last, errLast := of[1].AsInt64()
		node, errNode := of[2].ToArray()
		if err := errors.Join(errFirst, errLast, errNode); err != nil || len(node) < 3 {
			return "", errors.Join(err, errReply)
		}
		id, err := node[2].ToString()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%d-%d %s\n", first, last, id)
	}
	return b.String(), nil
}
