package store_test

import (
	"fmt"

	"github.com/reprise-go/reprise/store"
)

func ExampleGlob() {
	for _, key := range []string{"GET|https|example.com|/products/42", "product:42"} {
		fmt.Println(store.Glob("GET|*|/products/*", key))
	}
	// Output:
	// true
	// false
}
