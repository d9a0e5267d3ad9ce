package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// playUpdate shows that a committed change is seen at once, on every page that
// shows it: at the first request where it was made, within moments elsewhere.
func (d *demo) playUpdate(ctx context.Context) error {
	const path = "/products/42"
	before, err := d.get(ctx, d.first(), path, http.StatusOK, "MISS", "about to change")
	if err != nil {
		return err
	}
	var product Product
	if err := json.Unmarshal(before.body, &product); err != nil {
		return err
	}
	aggregate := fmt.Sprintf("/categories/%d", product.Category)
	category, err := d.warm(ctx, path, aggregate)
	if err != nil {
		return err
	}
	price := category.MaxCents + 1000 // shows on the product's page and on its category's

	patched, err := d.probe.send(ctx, http.MethodPatch, d.first().url+path, fmt.Sprintf(`{"price_cents": %d}`, price))
	if err != nil {
		return err
	}
	if patched.status != http.StatusOK {
		return fmt.Errorf("PATCH answered %d: %s", patched.status, patched.body)
	}
	d.row(d.first(), fmt.Sprintf("PATCH %s: %s → %s", path, money(product.PriceCents), money(price)), patched, "commit, then purge of its two tags")
	if err := d.seesPrice(ctx, path, aggregate, price); err != nil {
		return err
	}
	// The update, and each of the two pages made anew: once, for all processes.
	return d.wantQueries(ctx, 3)
}

// warm makes sure that every process holds both pages, and returns the aggregate.
func (d *demo) warm(ctx context.Context, product, aggregate string) (Category, error) {
	var c Category
	for _, n := range d.nodes {
		if _, err := d.probe.get(ctx, n.url+product); err != nil {
			return c, err
		}
		a, err := d.probe.get(ctx, n.url+aggregate)
		if err != nil {
			return c, err
		}
		if err := json.Unmarshal(a.body, &c); err != nil {
			return c, err
		}
	}
	_, err := d.queries(ctx) // what follows counts from here
	return c, err
}

func (d *demo) seesPrice(ctx context.Context, product, aggregate string, price int64) error {
	onProduct := fmt.Sprintf(`"price_cents":%d,`, price)
	pages := []struct{ path, shows, note string }{
		{product, onProduct, "the new price, at the first request"},
		{aggregate, fmt.Sprintf(`"max_price_cents":%d,`, price), "the new maximum of its category as well"},
	}
	for _, p := range pages {
		a, err := d.get(ctx, d.first(), p.path, http.StatusOK, "MISS", p.note)
		if err != nil {
			return err
		}
		if !strings.Contains(string(a.body), p.shows) {
			return fmt.Errorf("GET %s after the update: %s, want %s", p.path, a.body, p.shows)
		}
	}
	if len(d.nodes) == 1 {
		return nil
	}
	start := time.Now()
	a, err := d.until(ctx, 250*time.Millisecond, d.other(), product, func(a answer) bool { return strings.Contains(string(a.body), onProduct) })
	if err != nil {
		return fmt.Errorf("the other process still shows the old price: %w", err)
	}
	d.row(d.other(), "GET "+product, a, fmt.Sprintf("the new price here as well, after %s", short(time.Since(start))))
	return nil
}

func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
