package middleware_test

import (
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
