package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite": SQLite in Go, no C compiler needed
)

const schema = `
CREATE TABLE products (
	id          INTEGER PRIMARY KEY,
	category    INTEGER NOT NULL,
	name        TEXT    NOT NULL,
	price_cents INTEGER NOT NULL CHECK (price_cents > 0),
	sold        INTEGER NOT NULL
)`

// The slow queries are slow because of what they ask, not for want of an index.
const indexes = `CREATE INDEX products_category ON products (category)`

// errNoRow: the database has no such product or category.
var errNoRow = errors.New("no such row")

// Product is one row of the catalogue.
type Product struct {
	ID         int64  `json:"id"`
	Category   int64  `json:"category"`
	Name       string `json:"name"`
	PriceCents int64  `json:"price_cents"`
	Sold       int64  `json:"sold"`
}

// Category is what the aggregate query says about one category.
type Category struct {
	ID           int64     `json:"id"`
	Products     int64     `json:"products"`
	MinCents     int64     `json:"min_price_cents"`
	MedianCents  int64     `json:"median_price_cents"` // the lower one of an even number
	MeanCents    int64     `json:"mean_price_cents"`   // rounded down
	MaxCents     int64     `json:"max_price_cents"`
	RevenueCents int64     `json:"revenue_cents"`
	TopSellers   []Product `json:"top_sellers"`
}

// DB is the catalogue's database. It counts the statements it runs: what a
// cache saves is best read off the thing it protects.
type DB struct {
	sql     *sql.DB
	queries atomic.Int64
}

// OpenDB opens the database at path; where there is no file yet it first
// generates one with n products.
func OpenDB(ctx context.Context, path string, n int) (*DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := generate(ctx, path, n); err != nil {
			return nil, err
		}
	}
	// WAL lets readers, in this process and in others, go on while one writes.
	pool, err := sql.Open("sqlite", dsn(path, "_journal_mode=WAL", "_synchronous=NORMAL", "_busy_timeout=5000", "_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	// Every connection has a page cache of its own, and the queries are CPU-bound.
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(8)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), pool.Close())
	}
	return &DB{sql: pool}, nil
}

func dsn(path string, settings ...string) string {
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: strings.Join(settings, "&")}).String()
}

// Close closes the database.
func (db *DB) Close() error { return db.sql.Close() }

// Queries is how many statements have been run since OpenDB.
func (db *DB) Queries() int64 { return db.queries.Load() }

// Product returns one product, or errNoRow.
func (db *DB) Product(ctx context.Context, id int64) (Product, error) {
	found, err := db.list(ctx, `SELECT id, category, name, price_cents, sold FROM products WHERE id = ?`, id)
	if err == nil && len(found) == 0 {
		err = errNoRow
	}
	if err != nil {
		return Product{}, fmt.Errorf("product %d: %w", id, err)
	}
	return found[0], nil
}

// Search returns the best-selling products whose name contains text, whatever
// its case (of ASCII letters). It reads every row.
func (db *DB) Search(ctx context.Context, text string, limit int) ([]Product, error) {
	// instr rather than LIKE: the text is searched as it is, with no wildcards to escape.
	return db.list(ctx, `
		SELECT id, category, name, price_cents, sold FROM products
		WHERE instr(lower(name), lower(?)) > 0
		ORDER BY sold DESC, id LIMIT ?`, text, limit)
}

// Bestsellers returns the products sold most. It reads every row.
func (db *DB) Bestsellers(ctx context.Context, limit int) ([]Product, error) {
	return db.list(ctx, `
		SELECT id, category, name, price_cents, sold FROM products
		ORDER BY sold DESC, id LIMIT ?`, limit)
}

func (db *DB) list(ctx context.Context, query string, args ...any) ([]Product, error) {
	list := []Product{} // "[]" in JSON, never null
	err := db.each(ctx, func(p Product) error {
		list = append(list, p)
		return nil
	}, query, args...)
	return list, err
}

// Export calls do for every product of a category, in the order of their ids.
func (db *DB) Export(ctx context.Context, category int64, do func(Product) error) error {
	return db.each(ctx, do, `
		SELECT id, category, name, price_cents, sold FROM products
		WHERE category = ? ORDER BY id`, category)
}

func (db *DB) each(ctx context.Context, do func(Product) error, query string, args ...any) error {
	db.queries.Add(1)
	rows, err := db.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p Product
		if err := rows.Scan(&p.ID, &p.Category, &p.Name, &p.PriceCents, &p.Sold); err != nil {
			return err
		}
		if err := do(p); err != nil {
			return err
		}
	}
	return rows.Err()
}

// categoryQuery ranks a whole category twice, by price for the median and by
// sales for the top sellers, and sums it up: one row per top seller, each with
// the sums in front.
const categoryQuery = `
WITH ranked AS MATERIALIZED (
	SELECT id, name, price_cents, sold,
	       row_number() OVER (ORDER BY price_cents)    AS nth,
	       row_number() OVER (ORDER BY sold DESC, id)  AS place,
	       count(*)     OVER ()                        AS n
	FROM products WHERE category = ?
), stats AS (
	SELECT count(*) AS products, min(price_cents), max(price_cents),
	       max(price_cents) FILTER (WHERE nth = (n + 1) / 2),
	       sum(price_cents) / count(*), sum(price_cents * sold)
	FROM ranked
)
SELECT stats.*, id, name, price_cents, sold
FROM stats JOIN ranked ON place <= 5
ORDER BY place`

// Category returns the aggregate of one category, or errNoRow.
func (db *DB) Category(ctx context.Context, id int64) (Category, error) {
	db.queries.Add(1)
	rows, err := db.sql.QueryContext(ctx, categoryQuery, id)
	if err != nil {
		return Category{}, fmt.Errorf("category %d: %w", id, err)
	}
	defer rows.Close()
	c := Category{ID: id}
	for rows.Next() {
		p := Product{Category: id}
		if err := rows.Scan(&c.Products, &c.MinCents, &c.MaxCents, &c.MedianCents, &c.MeanCents, &c.RevenueCents,
			&p.ID, &p.Name, &p.PriceCents, &p.Sold); err != nil {
			return Category{}, fmt.Errorf("category %d: %w", id, err)
		}
		c.TopSellers = append(c.TopSellers, p)
	}
	if err := rows.Err(); err != nil {
		return Category{}, fmt.Errorf("category %d: %w", id, err)
	}
	if len(c.TopSellers) == 0 {
		return Category{}, fmt.Errorf("category %d: %w", id, errNoRow)
	}
	return c, nil
}

// SetPrice changes a product's price and returns the product as it now is, or
// errNoRow. When it returns nil the change is committed: the time to purge.
func (db *DB) SetPrice(ctx context.Context, id, cents int64) (Product, error) {
	tx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return Product{}, fmt.Errorf("set price of %d: %w", id, err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	db.queries.Add(1)
	var p Product
	err = tx.QueryRowContext(ctx, `
		UPDATE products SET price_cents = ? WHERE id = ?
		RETURNING id, category, name, price_cents, sold`, cents, id,
	).Scan(&p.ID, &p.Category, &p.Name, &p.PriceCents, &p.Sold)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoRow
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return Product{}, fmt.Errorf("set price of %d: %w", id, err)
	}
	return p, nil
}
