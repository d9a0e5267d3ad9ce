package memstore_test

import (
	"testing"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Suite{New: func(t *testing.T) store.Store { return newStore(t, memstore.Options{}) }})
}
