// Observe puts examples/chi, on Redis, under load, has the Prometheus of
// examples/observability scrape it, and prints what the dashboard would show. It ends
// what it has started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/reprise-go/reprise/integration_test/observability"
	"github.com/reprise-go/reprise/integration_test/redistest"
)

func main() {
	long := flag.Duration("duration", 30*time.Second, "of the load; in the middle of it Redis stands still for 4 s")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *long)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, long time.Duration) (err error) {
	redis, end, err := redistest.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	stack, err := observability.Start(ctx, redis)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()

	fmt.Printf("the program is at %s, Prometheus at %s: load for %v\n", stack.App, stack.Prometheus, long)
	began := time.Now()
	sent, err := stack.Drive(ctx, redis, long)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d requests answered; of each series the last value, and (the largest):\n", sent)
	return show(ctx, stack, began)
}

// show prints the answers to the dashboard's queries, and to the rules'.
func show(ctx context.Context, stack *observability.Stack, began time.Time) error {
	rules, err := stack.RuleQueries(ctx)
	if err != nil {
		return err
	}
	alerts := observability.Query{From: "Alerts", Expr: `ALERTS`, Legend: "{{alertname}} {{policy}}{{store}} {{condition}} {{alertstate}}"}
	answers, err := stack.Ask(ctx, append(append(stack.Dashboard.Queries(), rules...), alerts), began, time.Now())
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, a := range answers {
		fmt.Fprintf(table, "\n%s\t%s\n\t%s\n", a.From, a.Expr, a)
	}
	return table.Flush()
}
