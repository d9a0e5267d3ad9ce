package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

const (
	categories = 20

	// insertRows is how many products one INSERT carries. One row a statement
	// takes three times as long; more rows than this gain nothing.
	insertRows = 200
)

var (
	looks     = [...]string{"Quiet", "Bright", "Folding", "Slim", "Sturdy", "Plain", "Round", "Tall", "Compact", "Woven", "Soft", "Curved"}
	materials = [...]string{"Oak", "Steel", "Linen", "Cork", "Glass", "Wool", "Bamboo", "Copper", "Clay", "Felt", "Birch", "Stone"}
	things    = [...]string{"Lamp", "Chair", "Shelf", "Kettle", "Blanket", "Clock", "Basket", "Mirror", "Table", "Vase", "Stool", "Rack", "Tray", "Bench"}
)

// makeProduct returns the product with this id: always the same one, so that
// every run, every process and every test speaks of the same catalogue.
func makeProduct(id int64) Product {
	rng := rand.New(rand.NewPCG(0x636174616c6f67, uint64(id)))
	name := looks[rng.IntN(len(looks))] + " " + materials[rng.IntN(len(materials))] + " " + things[rng.IntN(len(things))]
	return Product{
		ID:         id,
		Category:   rng.Int64N(categories) + 1,
		Name:       fmt.Sprintf("%s %d", name, id),
		PriceCents: 199 + int64(rng.ExpFloat64()*4500), // most are cheap, a few are dear
		Sold:       int64(rng.ExpFloat64() * 300),
	}
}

// generate writes a new database file with n products. It works on a second
// file and renames it, so that a generation cut short leaves nothing that looks whole.
func generate(ctx context.Context, path string, n int) error {
	part := path + ".part"
	defer os.Remove(part)
	if err := os.Remove(part); err != nil && !os.IsNotExist(err) {
		return err
	}
	// Nothing here needs to survive a crash: no journal, no fsync.
	db, err := sql.Open("sqlite", dsn(part, "_journal_mode=OFF", "_synchronous=OFF"))
	if err != nil {
		return err
	}
	err = fill(ctx, db, n)
	if closed := db.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("generate %d products: %w", n, err)
	}
	return os.Rename(part, path)
}

func fill(ctx context.Context, db *sql.DB, n int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	for first := 1; first <= n; first += insertRows {
		if err := insert(ctx, tx, first, min(first+insertRows-1, n)); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, indexes); err != nil {
		return err
	}
	return tx.Commit()
}

func insert(ctx context.Context, tx *sql.Tx, first, last int) error {
	const row = "(?, ?, ?, ?, ?)"
	args := make([]any, 0, (last-first+1)*5)
	for id := first; id <= last; id++ {
		p := makeProduct(int64(id))
		args = append(args, p.ID, p.Category, p.Name, p.PriceCents, p.Sold)
	}
	rows := strings.Repeat(row+", ", last-first) + row
	_, err := tx.ExecContext(ctx, "INSERT INTO products (id, category, name, price_cents, sold) VALUES "+rows, args...)
	return err
}
