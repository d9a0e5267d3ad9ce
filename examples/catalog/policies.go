package main

import (
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// policies says how each route is cached. They are copies of one base, each
// with what differs.
type policies struct {
	product, category, export, search, bestsellers reprise.Policy
}

func newPolicies() policies {
	base := reprise.Policy{
		// An update purges what it changes, so the lives may be long: they
		// bound what is wrong when somebody edits the database by hand.
		TTL:                  time.Minute,
		StaleWhileRevalidate: 5 * time.Minute,
		StaleIfError:         time.Hour,
		// Nothing here depends on who asks.
		Cookies: reprise.Cookies{Ignore: true},
	}
	var p policies

	p.product = base
	p.product.Name = "product"

	p.category = base
	p.category.Name = "category"

	// About 1 MB, more than a policy stores unless told.
	p.export = base
	p.export.Name = "export"
	p.export.Limits.Body = 8 << 20

	// Anyone can make up new texts to search for: keep each only briefly.
	p.search = base
	p.search.Name = "search"
	p.search.TTL = 10 * time.Second
	p.search.StaleWhileRevalidate = 20 * time.Second

	// Changes with every sale, which purges nothing: a second of life, and
	// whoever comes later gets the old list while a new one is made.
	p.bestsellers = base
	p.bestsellers.Name = "bestsellers"
	p.bestsellers.TTL = time.Second
	p.bestsellers.StaleWhileRevalidate = 10 * time.Second

	return p
}
