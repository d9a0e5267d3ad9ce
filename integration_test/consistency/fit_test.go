package consistency

import (
	"testing"

	"github.com/reprise-go/reprise/integration_test/overlay"
)

// TestMutantsFit sees at once what TestMutants would see in minutes: that the source
// is no longer what a mutant takes it for.
func TestMutantsFit(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.race+" "+m.what, func(t *testing.T) { overlay.Fit(t, m.overlay()...) })
	}
}

func (m mutant) overlay() (edits []overlay.Edit) {
	for _, e := range m.edits {
		edits = append(edits, overlay.Edit{File: e.file, Old: e.old, New: e.new})
	}
	return edits
}
