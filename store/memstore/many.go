package memstore

import (
	"context"

	"github.com/reprise-go/reprise/store"
)

// GetMany is of store.ManyGetter. It takes no lock and does not allocate, and
// its error is a *store.ManyError.
func (s *Store) GetMany(ctx context.Context, keys []string, items []*store.Item) error {
	if len(keys) != len(items) {
		return &store.ManyError{Keys: len(keys), Items: len(items)}
	}
	for i, key := range keys {
		items[i], _ = s.Get(ctx, key) // nil with ErrNotFound, its only error
	}
	return nil
}

// Ping is of store.Pinger: nothing is ever wrong, and no time passes.
func (s *Store) Ping(context.Context) (store.Health, error) {
	return store.Health{Local: s.LocalSize()}, nil
}
