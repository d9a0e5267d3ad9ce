package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// What is made from data of before a purge is not stored after it.
func Example() {
	ctx := context.Background()
	s, err := memstore.New(memstore.Options{Bytes: 16 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	fill, err := s.Acquire(ctx, store.Claim{Slot: store.Slot{Key: "product 42"}, Hold: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	body := []byte("price: 10") // read from a database, which takes its time

	// Meanwhile the price changes, and whoever changed it purges.
	if _, err := s.Purge(ctx, store.Purge{Tags: []string{"prices"}}); err != nil {
		fmt.Println(err)
	}

	fmt.Println(fill.Commit(ctx, store.Entry{Body: body, Tags: []string{"prices"}, Life: time.Minute}))
	_, err = s.Get(ctx, "product 42")
	fmt.Println(err)
	// Output:
	// store: fill was overtaken by a purge or a newer fill
	// store: not found
}
