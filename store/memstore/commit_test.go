package memstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

func TestCommitRefusesWhatHasNoMeaning(t *testing.T) {
	one := func(v string) store.Entry { return store.Entry{Variant: v, Life: time.Hour} }
	for _, tt := range []struct {
		name    string
		variant string // of the lease
		entries []store.Entry
	}{
		{"no life", "", []store.Entry{{}}},
		{"negative life", "", []store.Entry{{Life: -1}}},
		{"a variant without a life", "", []store.Entry{one(""), {Variant: "a"}}},
		{"two bases", "", []store.Entry{one(""), one("")}},
		{"two variants", "", []store.Entry{one(""), one("a"), one("b")}},
		{"a variant that the lease is not for", "", []store.Entry{one("a")}},
		{"another variant", "a", []store.Entry{one("b")}},
	} {
		s := newStore(t, memstore.Options{})
		fill(t, s, "k", one(""))
		base, err := s.Get(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: "k", Variant: tt.variant}, Base: base, Hold: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(t.Context(), tt.entries...); err == nil || errors.Is(err, store.ErrOvertaken) {
			t.Errorf("%s: Commit = %v, want an error that is not of the contract", tt.name, err)
		}
		now, err := s.Get(t.Context(), "k")
		if err != nil || now.Stamp != base.Stamp {
			t.Errorf("%s: %v, %v; want what was there", tt.name, now, err)
		}
		for _, v := range []string{"a", "b"} {
			if it, err := s.Variant(t.Context(), now, v); err == nil {
				t.Errorf("%s: variant %q holds %v", tt.name, v, it)
			}
		}
		// The lease has ended.
		if err := s.Wait(t.Context(), store.Slot{Key: "k", Variant: tt.variant}); err != nil {
			t.Errorf("%s: Wait: %v", tt.name, err)
		}
		if err := l.Commit(t.Context(), one(tt.variant)); !errors.Is(err, store.ErrOvertaken) {
			t.Errorf("%s: a second Commit: %v", tt.name, err)
		}
	}
}
