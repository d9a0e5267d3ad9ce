package swr_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/swr"
)

// An Account is what the examples keep.
type Account struct {
	ID    string
	Owner string
	Cents int
}

func (a Account) Validate() error {
	if a.ID == "" {
		return errors.New("account without an ID")
	}
	return nil
}

// A program makes one store, and on it as many caches as it has kinds of values.
// For a fleet it is a redisstore.Store.
func newStore() store.Store {
	st, err := memstore.New(memstore.Options{Bytes: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	return st
}

func newAccounts(c swr.Config[Account]) *swr.Cache[Account] {
	accounts, err := swr.NewCache(newStore(), c)
	if err != nil {
		log.Fatal(err)
	}
	return accounts
}

// queryAccount stands for what is slow.
func queryAccount(_ context.Context, id string) (Account, error) {
	fmt.Println("query", id)
	if id == "gone" {
		return Account{}, fmt.Errorf("account %s: %w", id, swr.ErrNotFound)
	}
	return Account{ID: id, Owner: "Ada", Cents: 100}, nil
}

func ExampleNewCache() {
	accounts, err := swr.NewCache(newStore(), swr.Config[Account]{
		Name:     "account",
		Windows:  swr.Windows{Fresh: 5 * time.Minute, Error: time.Hour},
		Missing:  10 * time.Second,
		Validate: Account.Validate,
		Load:     queryAccount,
	})
	if err != nil {
		log.Fatal(err) // all that is wrong with the Config at once
	}
	defer accounts.Close(context.Background())

	ctx := context.Background()
	for range 2 {
		a, err := accounts.Load(ctx, "42")
		fmt.Println(a.Owner, err)
	}
	// Output:
	// query 42
	// Ada <nil>
	// Ada <nil>
}

func ExampleCache_GetOrSet() {
	accounts := newAccounts(swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}})
	ctx, id := context.Background(), "42"
	for range 2 {
		a, err := accounts.GetOrSet(ctx, id, func(ctx context.Context) (Account, error) { return queryAccount(ctx, id) })
		fmt.Println(a.Cents, err)
	}
	// Output:
	// query 42
	// 100 <nil>
	// 100 <nil>
}

// The load may run after GetOrSet has returned, and for others than its caller:
// it must use the context that it is given, and nothing that ends with the
// caller's.
func ExampleCache_GetOrSet_incorrect() {
	accounts := newAccounts(swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute, Stale: time.Hour}})
	request, cancel := context.WithCancel(context.Background())
	defer cancel()
	a, err := accounts.GetOrSet(request, "42", func(context.Context) (Account, error) {
		return queryAccount(request, "42") // WRONG: fails for all who wait once this request is gone
	})
	fmt.Println(a.Owner, err)
	// Output:
	// query 42
	// Ada <nil>
}

func ExampleCache_Get() {
	accounts := newAccounts(swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}})
	ctx := context.Background()
	_, err := accounts.Get(ctx, "42")
	fmt.Println(errors.Is(err, swr.ErrMiss))

	if err := accounts.Set(ctx, "42", Account{ID: "42", Owner: "Ada"}, 10*time.Second); err != nil {
		log.Print(err) // the store's: the program works on without
	}
	a, err := accounts.Get(ctx, "42")
	fmt.Println(a.Owner, err)
	// Output:
	// true
	// Ada <nil>
}

// What does not validate is never handed out: stored, it is evicted and a miss.
func ExampleConfig_validate() {
	st := newStore()
	careless, _ := swr.NewCache(st, swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}})
	accounts, err := swr.NewCache(st, swr.Config[Account]{
		Name: "account", Windows: swr.Windows{Fresh: time.Minute}, Validate: Account.Validate,
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_ = careless.Set(ctx, "42", Account{Owner: "nobody"}, 0)

	_, err = accounts.Get(ctx, "42")
	fmt.Println(errors.Is(err, swr.ErrMiss), accounts.Stats().Refused)
	err = accounts.Set(ctx, "42", Account{}, 0)
	fmt.Println(errors.Is(err, swr.ErrInvalid))
	// Output:
	// true 1
	// true
}

func ExampleCache_Delete() {
	accounts := newAccounts(swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}})
	ctx := context.Background()
	for _, id := range []string{"eu:1", "eu:2", "us:1"} {
		_ = accounts.Set(ctx, id, Account{ID: id}, 0)
	}
	fmt.Println(accounts.Delete(ctx, "us:1"))
	fmt.Println(accounts.DeleteMatch(ctx, "eu:*"))
	// Output:
	// 1 <nil>
	// 2 <nil>
}

// One purge drops the values and the pages that carry the tag.
func ExampleCache_PurgeTags() {
	accounts := newAccounts(swr.Config[Account]{
		Name: "account", Windows: swr.Windows{Fresh: time.Minute},
		Tags: func(key string, a Account) []string { return []string{"account:" + key, "owner:" + a.Owner} },
		Load: queryAccount,
	})
	ctx := context.Background()
	_, _ = accounts.Load(ctx, "42")
	fmt.Println(accounts.PurgeTags(ctx, "owner:Ada"))
	_, _ = accounts.Load(ctx, "42")
	// Output:
	// query 42
	// <nil>
	// query 42
}

func ExampleCache_GetOrSetMany() {
	accounts := newAccounts(swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}})
	ctx := context.Background()
	_ = accounts.Set(ctx, "1", Account{ID: "1", Owner: "Ada"}, 0)

	all, err := accounts.GetOrSetMany(ctx, []string{"1", "2", "3"}, func(_ context.Context, ids []string) (map[string]Account, error) {
		fmt.Println("query", ids) // SELECT … WHERE id IN (…)
		return map[string]Account{"2": {ID: "2", Owner: "Bob"}}, nil
	})
	fmt.Println(len(all), all["1"].Owner, all["2"].Owner, err)
	fmt.Println(len(accounts.GetMany(ctx, "1", "2", "3")))
	// Output:
	// query [2 3]
	// 2 Ada Bob <nil>
	// 2
}

// A load that says that there is no such value is remembered for Missing.
func ExampleConfig_missing() {
	accounts := newAccounts(swr.Config[Account]{
		Name: "account", Windows: swr.Windows{Fresh: time.Minute}, Missing: 10 * time.Second, Load: queryAccount,
	})
	for range 2 {
		_, err := accounts.Load(context.Background(), "gone")
		fmt.Println(errors.Is(err, swr.ErrNotFound))
	}
	// Output:
	// query gone
	// true
	// true
}

// Cache-aside, locked and stale-while-revalidate are three values of one Config.
func ExampleConfig_recipes() {
	aside := swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}, Waiting: swr.NoWait}

	locked := aside
	locked.Waiting, locked.WaitTimeout = swr.WaitThenFail, 2*time.Second

	revalidated := aside
	revalidated.Waiting, revalidated.Windows.Stale = swr.WaitThenFill, 10*time.Minute

	for _, c := range []swr.Config[Account]{aside, locked, revalidated} {
		a, err := newAccounts(c).GetOrSet(context.Background(), "42", func(context.Context) (Account, error) { return Account{Owner: "Ada"}, nil })
		fmt.Println(a.Owner, err)
	}
	// Output:
	// Ada <nil>
	// Ada <nil>
	// Ada <nil>
}

// A T that nobody changes is decoded once per process: all callers share it.
func ExampleConfig_immutable() {
	prices, err := swr.NewCache(newStore(), swr.Config[*Account]{
		Name: "account", Windows: swr.Windows{Fresh: time.Minute}, Immutable: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_ = prices.Set(ctx, "42", &Account{Cents: 100}, 0)
	a, _ := prices.Get(ctx, "42")
	b, _ := prices.Get(ctx, "42")
	fmt.Println(a == b, a.Cents) // a.Cents = 1 would change b, and is a data race
	// Output: true 100
}

func ExampleBinary() {
	at, err := swr.NewCache(newStore(), swr.Config[time.Time]{
		Name: "closing", Windows: swr.Windows{Fresh: time.Minute}, Codec: swr.Binary[time.Time, *time.Time]{},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_ = at.Set(ctx, "nyse", time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC), 0)
	fmt.Println(at.Get(ctx, "nyse"))
	// Output: 2026-11-24 21:00:00 +0000 UTC <nil>
}

func ExampleCache_Stats() {
	accounts := newAccounts(swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}, Load: queryAccount})
	for range 4 {
		_, _ = accounts.Load(context.Background(), "42")
	}
	s := accounts.Stats()
	fmt.Println(s.Hits, s.Misses, s.Loads, s.HitRate())
	accounts.ResetStats()
	// Output:
	// query 42
	// 3 1 1 0.75
}

func ExampleCache_Ping() {
	accounts := newAccounts(swr.Config[Account]{Name: "account", Windows: swr.Windows{Fresh: time.Minute}})
	health, err := accounts.Ping(context.Background())
	if err != nil || health.Has(store.BreakerOpen) {
		fmt.Println("degraded:", health.Degraded)
	}
	fmt.Println(health.Latency, health.Local.Entries)
	// Output: 0s 0
}
