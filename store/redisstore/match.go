package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// scanCount is how many keys one SCAN step looks at.
const scanCount = 1000

// purgeMatch drops the keys that match pattern. It may take minutes: see walk.
func (s *Store) purgeMatch(ctx context.Context, pattern string, soft bool) (count int, err error) {
	matches := func(it *item) bool { return store.Glob(pattern, it.Key) }
	s.local.dropIf(matches)
	err = s.whereSlotsStay(ctx, func() error {
		n, err := s.dropMatching(ctx, pattern, soft)
		count += n
		return err
	})
	s.local.dropIf(matches)
	return count, err
}

// dropMatching walks over each primary twice. The first walk ends the fills under
// way, the second drops what is stored: with one walk, or in the other order, a
// fill whose base comes to be behind the walk would be missed.
func (s *Store) dropMatching(ctx context.Context, pattern string, soft bool) (count int, err error) {
	err = s.scan(ctx, pattern, controlMark, func(ctx context.Context, keys []string) error {
		return s.persist(ctx, func(ctx context.Context, cl rueidis.Client) error {
			cmds := make(rueidis.Commands, len(keys))
			for i, key := range keys {
				cmds[i] = cl.B().Unlink().Key(s.keys.control(key)).Build()
			}
			return firstError(cl.DoMulti(ctx, cmds...))
		})
	})
	if err != nil {
		return 0, err
	}
	err = s.scan(ctx, pattern, "", func(ctx context.Context, keys []string) error {
		n, err := s.purgeKeys(ctx, keys, soft)
		count += n
		return err
	})
	return count, err
}

func firstError(results []rueidis.RedisResult) error {
	for _, r := range results {
		if err := r.Error(); err != nil {
			return err
		}
	}
	return nil
}

// scan calls f with the keys that match pattern and have a Redis key with that
// ending, in batches, a step of the walk after another. SCAN may name a key twice;
// f may run twice for it.
func (s *Store) scan(ctx context.Context, pattern, ending string, f func(ctx context.Context, keys []string) error) error {
	var nodes []rueidis.Client
	err := s.step(ctx, func(ctx context.Context) (err error) {
		nodes, err = s.primaries(ctx)
		return err
	})
	if err != nil || len(nodes) == 0 {
		return err
	}
	var cursor uint64
	return gentle.walk(ctx, s.ctx, func() (more bool, _ error) {
		err := s.step(ctx, func(ctx context.Context) error {
			e, err := s.scanStep(ctx, nodes[0], cursor, ending)
			if err != nil {
				return err
			}
			cursor = e.Cursor
			for keys := range slices.Chunk(s.matching(e.Elements, pattern, ending), purgeBatch) {
				if err := f(ctx, keys); err != nil {
					return err
				}
			}
			return nil
		})
		if cursor == 0 {
			nodes = nodes[1:]
		}
		return len(nodes) > 0, err
	})
}

// step runs f, which is a matter of milliseconds, within ctx's deadline, or that of
// other purges. It says if ctx is why f fails.
func (s *Store) step(ctx context.Context, f func(context.Context) error) error {
	limited, cancel := inTime(ctx)
	defer cancel()
	err := f(limited)
	if why := ctx.Err(); err != nil && why != nil && !errors.Is(err, why) {
		return errors.Join(why, err)
	}
	return err
}

func (s *Store) scanStep(ctx context.Context, node rueidis.Client, cursor uint64, ending string) (e rueidis.ScanEntry, err error) {
	all := globQuote.Replace(s.keys.prefix) + "*}" + ending
	err = s.persist(ctx, func(ctx context.Context, _ rueidis.Client) (err error) {
		e, err = node.Do(ctx, node.B().Scan().Cursor(cursor).Match(all).Count(scanCount).Build()).AsScanEntry()
		return err
	})
	return e, err
}

// matching returns the keys behind Redis keys. The pattern is ours to match:
// Redis would compare it with escaped names.
func (s *Store) matching(redisKeys []string, pattern, ending string) (keys []string) {
	for _, name := range redisKeys {
		tag, rest, ok := s.keys.split(name)
		if !ok || rest != ending {
			continue
		}
		if key, ok := unescape(tag); ok && store.Glob(pattern, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

var globQuote = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`)

// primaries returns the nodes that hold keys of their own.
func (s *Store) primaries(ctx context.Context) (nodes []rueidis.Client, err error) {
	err = s.persist(ctx, func(ctx context.Context, cl rueidis.Client) error {
		nodes = nodes[:0]
		if cl.Mode() != rueidis.ClientModeCluster {
			nodes = append(nodes, cl)
			return nil
		}
		for addr, node := range cl.Nodes() {
			role, err := node.Do(ctx, node.B().Role().Build()).ToArray()
			if err != nil || len(role) == 0 {
				return fmt.Errorf("role of %s: %w", addr, errors.Join(err, errReply))
			}
			if name, _ := role[0].ToString(); name == "master" {
				nodes = append(nodes, node)
			}
		}
		return nil
	})
	return nodes, err
}

// count is a purge's DryRun.
func (s *Store) count(ctx context.Context, p store.Purge) (total store.Purged, err error) {
	if len(p.Keys) > 0 {
		err = s.step(ctx, func(ctx context.Context) (err error) {
			total.Count, err = s.countKeys(ctx, p.Keys)
			return err
		})
	}
	if p.Match != "" && err == nil {
		err = s.scan(ctx, p.Match, "", func(_ context.Context, keys []string) error {
			total.Count += len(keys)
			return nil
		})
	}
	if p.All || len(p.Tags) > 0 {
		total.Count = -1
	}
	return total, err
}

func (s *Store) countKeys(ctx context.Context, keys []string) (count int, err error) {
	for len(keys) > 0 && err == nil {
		batch := keys[:min(purgeBatch, len(keys))]
		keys = keys[len(batch):]
		err = s.persist(ctx, func(ctx context.Context, cl rueidis.Client) error {
			cmds := make(rueidis.Commands, len(batch))
			for i, key := range batch {
				cmds[i] = cl.B().Exists().Key(s.keys.base(key)).Build()
			}
			replies, found := cl.DoMulti(ctx, cmds...), 0
			for _, r := range replies {
				n, err := r.AsInt64()
				if err != nil {
					return err
				}
				found += int(n)
			}
			count += found
			return nil
		})
	}
	return count, err
}
