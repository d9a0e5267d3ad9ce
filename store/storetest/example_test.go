package storetest_test

import (
	"testing"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/storetest"
)

// The test of a store of your own.
func ExampleRun() {
	_ = func(t *testing.T) { // TestContract
		storetest.Run(t, storetest.Suite{
			New: func(t *testing.T) store.Store {
				st, err := memstore.New(memstore.Options{}) // yours, empty
				if err != nil {
					t.Fatal(err)
				}
				return st
			},
		})
	}
}
