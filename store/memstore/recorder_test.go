package memstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// A journal is a store.Recorder for tests of one goroutine.
type journal struct{ lines []string }

func (j *journal) StoreOp(op, result string, took time.Duration) {
	if took != 0 {
		result += ", " + took.String()
	}
	j.lines = append(j.lines, op+" "+result)
}

func (j *journal) Purged(kind string, soft bool, err error) {
	line := "purged " + kind
	if soft {
		line += ", soft"
	}
	if err != nil {
		line += ": " + err.Error()
	}
	j.lines = append(j.lines, line)
}

func TestRecorder(t *testing.T) {
	var j journal
	s := newStore(t, memstore.Options{Recorder: &j})
	ctx := t.Context()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	slot := store.Slot{Key: "k"}
	claim := store.Claim{Slot: slot, Hold: time.Minute}
	var l store.Lease
	var base *store.Item
	// Errors are the contract suite's business.
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"a miss", func() { _, _ = s.Get(ctx, "k") }, []string{"get miss"}},
		{"a lease", func() { l, _ = s.Acquire(ctx, claim) }, []string{"acquire ok"}},
		{"no lease", func() { _, _ = s.Acquire(ctx, claim) }, []string{"acquire held"}},
		{"a wait in vain", func() { _ = s.Wait(cancelled, slot) }, []string{"wait timeout"}},
		{"a commit", func() { _ = l.Commit(ctx, entry(1), store.Entry{Variant: "v", Life: time.Hour}) }, []string{"commit ok"}},
		{"a commit too many", func() { _ = l.Commit(ctx, entry(1)) }, []string{"commit overtaken"}},
		{"a release too many", func() { _ = l.Release(ctx) }, []string{"release overtaken"}},
		{"a wait for nobody", func() { _ = s.Wait(ctx, slot) }, []string{"wait ok"}},
		{"a late claim", func() { _, _ = s.Acquire(ctx, claim) }, []string{"acquire changed"}},
		{"a hit", func() { base, _ = s.Get(ctx, "k") }, nil},
		{"a hit of a variant", func() { _, _ = s.Variant(ctx, base, "v") }, nil},
		{"a miss of a variant", func() { _, _ = s.Variant(ctx, base, "w") }, []string{"get miss"}},
		{"an unheard-of commit", func() {
			l, _ = s.Acquire(ctx, store.Claim{Slot: slot, Base: base, Hold: time.Minute})
			_ = l.Commit(ctx, store.Entry{})
		}, []string{"acquire ok", "commit error"}},
		{"a release", func() {
			l, _ = s.Acquire(ctx, store.Claim{Slot: slot, Base: base, Hold: time.Minute})
			_ = l.Release(ctx)
		}, []string{"acquire ok", "release ok"}},
		{"a dry run", func() { _, _ = s.Purge(ctx, store.Purge{All: true, DryRun: true}) }, nil},
		{"an empty purge", func() { _, _ = s.Purge(ctx, store.Purge{Soft: true}) }, nil},
		{"a soft purge", func() { _, _ = s.Purge(ctx, store.Purge{Tags: []string{"x", "y"}, Soft: true}) }, []string{"purge ok", "purged tag, soft"}},
		{"a purge of all kinds", func() {
			_, _ = s.Purge(ctx, store.Purge{Keys: []string{"k"}, Match: "*", Tags: []string{"x"}, All: true})
		},
			[]string{"purge ok", "purged key", "purge ok", "purged match", "purge ok", "purged tag", "purge ok", "purged all"}},
	} {
		j.lines = nil
		step.do()
		if !slices.Equal(j.lines, step.want) {
			t.Errorf("%s records %q, want %q", step.name, j.lines, step.want)
		}
	}
}
