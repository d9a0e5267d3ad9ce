package memstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/store/memstore"
)

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		bytes, budget int64 // budget 0: refused
	}{
		{0, 64 << 20}, {64 << 10, 64 << 10}, {1 << 40, 1 << 40}, {64<<10 - 1, 0}, {1, 0}, {-1, 0},
	} {
		s, err := memstore.New(memstore.Options{Bytes: tt.bytes})
		if tt.budget == 0 {
			var oe *memstore.OptionError
			if !errors.As(err, &oe) || oe.Field != "Bytes" || oe.Value != tt.bytes || s != nil {
				t.Errorf("Bytes %d: %v, %v; want an OptionError", tt.bytes, s, err)
			} else if !strings.Contains(err.Error(), "memstore: Options.Bytes = ") {
				t.Errorf("Bytes %d: %q does not say what is wrong", tt.bytes, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("Bytes %d: %v", tt.bytes, err)
			continue
		}
		if got := s.LocalSize(); got.Budget != tt.budget || got.Bytes != 0 || got.Entries != 0 {
			t.Errorf("Bytes %d: an empty store says %+v", tt.bytes, got)
		}
	}
}
