package memstore

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/reprise-go/reprise/store"
)

// A lease that is to stand for centuries stands.
func TestALongHoldStands(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := store.Claim{Slot: store.Slot{Key: "k"}, Hold: math.MaxInt64}
	if _, err := s.Acquire(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Acquire(context.Background(), c); !errors.Is(err, store.ErrHeld) {
		t.Errorf("the second one: %v", err)
	}
}
