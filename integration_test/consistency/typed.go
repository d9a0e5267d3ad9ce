package consistency

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A typed resource is a value of the data cache, with the way in which it is
// kept and asked for. Its values are what handlers answer: text with a sum.
type typed struct {
	windows   swr.Windows
	immutable bool
	many      bool // asked for together with others
	set       bool // its new version is Set, where others are purged
	fails     int  // percent of the loads
}

// typedResources returns one of each kind. None is purged softly: whether a value
// was stale is not told.
func typedResources() []*resource {
	long := swr.Windows{Fresh: time.Minute}
	return []*resource{
		{name: "value", typed: &typed{windows: long}},
		{name: "value-tag", typed: &typed{windows: long}, tag: "value"},
		{name: "shared", typed: &typed{windows: long, immutable: true}},
		{name: "refreshed", typed: &typed{windows: swr.Windows{Fresh: short, Stale: time.Minute}}},
		{name: "refreshed-tag", typed: &typed{windows: swr.Windows{Fresh: short, Stale: time.Minute}, immutable: true}, tag: "refreshed"},
		{name: "stood-in", typed: &typed{windows: swr.Windows{Fresh: short, Error: time.Minute}, fails: 50}},
		{name: "many", typed: &typed{windows: long, many: true}},
		{name: "many-tag", typed: &typed{windows: long, many: true}, tag: "many"},
		{name: "set", typed: &typed{windows: swr.Windows{Fresh: short}, set: true}},
	}
}

// newValues returns r's cache on st.
func (t *trial) newValues(r *resource, st store.Store) *swr.Cache[string] {
	c, err := swr.NewCache(st, swr.Config[string]{
		Name: r.name, Prefix: "typed", Windows: r.typed.windows, Jitter: -1, Immutable: r.typed.immutable,
		Tags: func(string, string) []string {
			if r.tag == "" {
				return nil
			}
			return []string{r.tag}
		},
	})
	if err != nil {
		t.tb.Fatal(err)
	}
	t.tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = c.Close(ctx)
	})
	return c
}

// value makes the value of resource k, of the version that it has when the load
// starts.
func (t *trial) value(ctx context.Context, k int) (string, error) {
	r := t.resources[k]
	t.runs.Add(1)
	start, version := t.now(), t.histories[k].version.Load()
	pause := rand.N(4 * time.Millisecond)
	if rand.IntN(100) < 5 {
		pause = lease + rand.N(lease/2)
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if rand.IntN(100) < r.typed.fails {
		return "", errLoad
	}
	return body(r.name, "", version, start), nil
}

var errLoad = fmt.Errorf("a load that fails")

// readTyped asks for one value, or for all that are asked for together, and judges
// the answers.
func (t *trial) readTyped(i, k int) {
	asked := t.now()
	r := t.resources[k]
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if !r.typed.many {
		text, err := t.instances[i].values[r.name].GetOrSet(ctx, r.name, func(ctx context.Context) (string, error) { return t.value(ctx, k) })
		t.judgeTyped(i, k, asked, text, err)
		return
	}
	all, err := t.instances[i].values[r.name].GetOrSetMany(ctx, []string{r.name, r.name + "-2"}, func(ctx context.Context, keys []string) (map[string]string, error) {
		found := make(map[string]string)
		for _, key := range keys {
			if text, err := t.value(ctx, k); err == nil {
				found[key] = text
			}
		}
		return found, nil
	})
	for _, text := range all {
		t.judgeTyped(i, k, asked, text, err)
	}
}

func (t *trial) judgeTyped(i, k int, asked int64, text string, err error) {
	r := t.resources[k]
	t.reads.Add(1)
	a := answer{instance: i, asked: asked}
	switch {
	case err != nil && r.typed.fails > 0: // the load's own
		return
	case err != nil:
		t.report.violation("G5", fmt.Sprintf("%s at %d: %v", r.name, i, err))
		return
	}
	guarantee, why := r.read(text, "", &a)
	if guarantee == "" {
		guarantee, why = t.histories[k].judge(a, t.bounds)
	}
	if guarantee != "" {
		t.report.violation(guarantee, why)
	} else if a.start < asked {
		t.hits.Add(1)
	}
}

// endTyped ends the version before version of resource k.
func (t *trial) endTyped(ctx context.Context, i, k int, version int64) error {
	r := t.resources[k]
	c := t.instances[i].values[r.name]
	switch {
	case r.typed.set:
		return setUntilStored(ctx, c, r.name, body(r.name, "", version, t.now()))
	case r.tag != "":
		return c.PurgeTags(ctx, r.tag)
	}
	_, err := c.Delete(ctx, r.name, r.name+"-2")
	return err
}

// setUntilStored does what a program does that must have the old value gone: a
// call of the store has 50 ms, which a busy machine exceeds once in a while.
func setUntilStored(ctx context.Context, c *swr.Cache[string], key, v string) error {
	for {
		err := c.Set(ctx, key, v, 0)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
	}
}
