package middleware_test

import (
	"net/http"
	"testing"

	"github.com/reprise-go/reprise/internal/scenario"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

func openMemory(t testing.TB) store.Store {
	t.Helper()
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestScenarios(t *testing.T) {
	for _, s := range scenario.All() {
		t.Run(s.Name, func(t *testing.T) { scenario.Run(t, s, openMemory) })
	}
}

// Each kind of hit: the last step of the scenarios that end in one, without
// those that would have to wait for it.
func BenchmarkScenarios(b *testing.B) {
	for _, s := range scenario.All() {
		if !s.EndsWarm() {
			continue
		}
		b.Run(s.Name, func(b *testing.B) {
			warm := scenario.NewWarm(b, s, openMemory)
			w := &discard{}
			b.ReportAllocs()
			for b.Loop() {
				w.header = make(http.Header)
				warm.ServeHTTP(w, warm.Request)
			}
			if n := warm.Asked(); n > 0 {
				b.Errorf("the origin is asked %d times", n)
			}
		})
	}
}
