package main

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const testProducts = 2_000

func openTestDB(t *testing.T) *DB {
	t.Helper()
	db, err := OpenDB(t.Context(), filepath.Join(t.TempDir(), "catalog.db"), testProducts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// generated returns the products that the generator makes and keep wants.
func generated(keep func(Product) bool) []Product {
	list := []Product{}
	for id := int64(1); id <= testProducts; id++ {
		if p := makeProduct(id); keep(p) {
			list = append(list, p)
		}
	}
	return list
}

func bySales(a, b Product) int {
	return cmp.Or(cmp.Compare(b.Sold, a.Sold), cmp.Compare(a.ID, b.ID))
}

func TestCategoryIsWhatGoComputes(t *testing.T) {
	db := openTestDB(t)
	for id := int64(1); id <= categories; id++ {
		list := generated(func(p Product) bool { return p.Category == id })
		want := Category{ID: id, Products: int64(len(list))}
		slices.SortFunc(list, func(a, b Product) int { return cmp.Compare(a.PriceCents, b.PriceCents) })
		want.MinCents = list[0].PriceCents
		want.MedianCents = list[(len(list)-1)/2].PriceCents
		want.MaxCents = list[len(list)-1].PriceCents
		sum := int64(0)
		for _, p := range list {
			sum += p.PriceCents
			want.RevenueCents += p.PriceCents * p.Sold
		}
		want.MeanCents = sum / want.Products
		slices.SortFunc(list, bySales)
		want.TopSellers = list[:5]

		got, err := db.Category(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("category %d:\n got %+v\nwant %+v", id, got, want)
		}
	}
}

func TestListsAreWhatGoComputes(t *testing.T) {
	db := openTestDB(t)
	best := generated(func(Product) bool { return true })
	slices.SortFunc(best, bySales)
	lamps := generated(func(p Product) bool { return strings.Contains(p.Name, "Oak Lamp") })
	slices.SortFunc(lamps, bySales)
	third := generated(func(p Product) bool { return p.Category == 3 })

	for _, tc := range []struct {
		name string
		list func() ([]Product, error)
		want []Product
	}{
		{"bestsellers", func() ([]Product, error) { return db.Bestsellers(t.Context(), 10) }, best[:10]},
		{"search in another case", func() ([]Product, error) { return db.Search(t.Context(), "oak LAMP", 3) }, lamps[:3]},
		{"search with a wildcard", func() ([]Product, error) { return db.Search(t.Context(), "Oak%", 3) }, []Product{}},
		{"export", func() (list []Product, err error) {
			err = db.Export(t.Context(), 3, func(p Product) error { list = append(list, p); return nil })
			return list, err
		}, third},
	} {
		got, err := tc.list()
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", tc.name, err, got, tc.want)
		}
	}
}

func TestSetPrice(t *testing.T) {
	db := openTestDB(t)
	want := makeProduct(42)
	want.PriceCents = 12345
	got, err := db.SetPrice(t.Context(), 42, 12345)
	if err != nil || got != want {
		t.Fatalf("SetPrice: %+v, %v, want %+v", got, err, want)
	}
	if _, err := db.SetPrice(t.Context(), 42, 0); err == nil {
		t.Error("a price of 0 was taken")
	}
	if stored, err := db.Product(t.Context(), 42); err != nil || stored != want {
		t.Errorf("stored: %+v, %v, want %+v", stored, err, want)
	}
}

func TestNoSuchRow(t *testing.T) {
	db := openTestDB(t)
	_, product := db.Product(t.Context(), testProducts+1)
	_, category := db.Category(t.Context(), categories+1)
	_, update := db.SetPrice(t.Context(), 0, 1)
	for name, err := range map[string]error{"Product": product, "Category": category, "SetPrice": update} {
		if !errors.Is(err, errNoRow) {
			t.Errorf("%s: %v, want errNoRow", name, err)
		}
	}
}

func TestQueriesAreCounted(t *testing.T) {
	db := openTestDB(t)
	for name, query := range map[string]func() error{
		"Product":     func() error { _, err := db.Product(t.Context(), 1); return err },
		"Category":    func() error { _, err := db.Category(t.Context(), 1); return err },
		"Search":      func() error { _, err := db.Search(t.Context(), "oak", 1); return err },
		"Bestsellers": func() error { _, err := db.Bestsellers(t.Context(), 1); return err },
		"Export":      func() error { return db.Export(t.Context(), 1, func(Product) error { return nil }) },
		"SetPrice":    func() error { _, err := db.SetPrice(t.Context(), 1, 1); return err },
	} {
		before := db.Queries()
		if err := query(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if ran := db.Queries() - before; ran != 1 {
			t.Errorf("%s counted %d queries, want 1", name, ran)
		}
	}
}

func TestOpenKeepsAnExistingDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "an odd%20 name?#&.db")
	for _, want := range []int64{makeProduct(7).PriceCents, 777} {
		db, err := OpenDB(t.Context(), path, testProducts)
		if err != nil {
			t.Fatal(err)
		}
		p, err := db.Product(t.Context(), 7)
		if err != nil || p.PriceCents != want {
			t.Errorf("price %d, %v, want %d", p.PriceCents, err, want)
		}
		if _, err := db.SetPrice(t.Context(), 7, 777); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(files) != 1 || files[0] != path {
		t.Errorf("the directory holds %q, %v, want the database alone", files, err)
	}
}

func TestGenerationCutShortLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := OpenDB(ctx, filepath.Join(dir, "catalog.db"), testProducts); err == nil {
		t.Error("generated although the context was done")
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
}
