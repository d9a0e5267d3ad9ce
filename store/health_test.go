package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/store"
)

func TestHealthHas(t *testing.T) {
	for _, tt := range []struct {
		degraded, condition string
		want                bool
	}{
		{"", store.BreakerOpen, false},
		{"", "", false},
		{store.BreakerOpen, store.BreakerOpen, true},
		{store.BreakerOpen, "breaker", false},
		{store.NotConnected + ", " + store.BreakerOpen, store.BreakerOpen, true},
		{store.NotConnected + ", " + store.BreakerOpen, store.NotConnected, true},
		{store.NotConnected + ", " + store.BreakerOpen, store.NoTracking, false},
	} {
		if got := (store.Health{Degraded: tt.degraded}).Has(tt.condition); got != tt.want {
			t.Errorf("%q has %q: %v, want %v", tt.degraded, tt.condition, got, tt.want)
		}
	}
}

func TestConditions(t *testing.T) {
	all := store.Conditions()
	h := store.Health{Degraded: strings.Join(all, ", ")}
	if !slices.Equal(h.Named(), all) || len(all) != 7 {
		t.Errorf("%q of %q", h.Named(), all)
	}
	if named := (store.Health{}).Named(); len(named) != 0 {
		t.Errorf("%q of a store that is well", named)
	}
}
