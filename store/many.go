package store

import (
	"context"
	"fmt"
)

// A ManyGetter is an optional ability of a Store, and of the Getter that a
// TokenReader returns: it looks for many keys at the price of few.
type ManyGetter interface {
	// GetMany puts into items[i] what Get would return for keys[i], or nil where
	// that is ErrNotFound, whatever was there before. Keys may repeat, and may be
	// views of a buffer as Get's may.
	//
	// An error, joined of one for each reason, means that the store failed for
	// some of the keys. Their items are nil, and those of the others are set all
	// the same. Where items are not as many as keys, nothing is looked for or
	// written: that is a *ManyError.
	GetMany(ctx context.Context, keys []string, items []*Item) error
}

// A ManyError is a GetMany whose items are not as many as its keys.
type ManyError struct{ Keys, Items int }

func (e *ManyError) Error() string {
	return fmt.Sprintf("store: GetMany of %d keys into %d items", e.Keys, e.Items)
}
