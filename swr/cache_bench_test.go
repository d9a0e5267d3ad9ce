package swr_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/swr"
)

type product struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Price int      `json:"price"`
	Tags  []string `json:"tags"`
}

func BenchmarkCacheHit(b *testing.B) {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	runs := 0
	load := func(context.Context) (product, error) {
		runs++
		return product{"42", "chair", 100, []string{"a", "b"}}, nil
	}
	for name, config := range map[string]swr.Config[product]{
		"own":       {},
		"immutable": {Immutable: true},
		"clone":     {Clone: func(p product) product { p.Tags = append([]string(nil), p.Tags...); return p }},
	} {
		b.Run(name, func(b *testing.B) {
			config.Name, config.Windows.Fresh = fmt.Sprint("product-", name, b.N, "-", rand.Int()), time.Hour
			c, err := swr.NewCache(st, config)
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			runs = 0
			if _, err := c.GetOrSet(ctx, "42", load); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if v, err := c.GetOrSet(ctx, "42", load); err != nil || v.Price != 100 {
					b.Fatal(v, err)
				}
			}
			if runs != 1 {
				b.Fatal(runs, "loads")
			}
		})
	}
}
