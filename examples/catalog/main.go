// Command catalog is a product API over a real database, SQLite with 200,000
// products, behind the reprise cache.
//
//	go run . demo     drives the API with real requests and prints what happened
//	go run . serve    keeps it running
//
// Both run alone, with what is cached in memory. With -redis or REDIS_URL what
// is cached lives in Redis, and demo starts two processes that share it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// The demo needs a few products in every category; the other bound is the
// patience of whoever waits for the generator.
const (
	minProducts = 1_000
	maxProducts = 10_000_000
)

const usage = `catalog: a product API over SQLite behind the reprise cache

  catalog demo  [flags]    drive it with real requests and show what happened
  catalog serve [flags]    keep it running

catalog demo -h and catalog serve -h list the flags.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "demo":
		return demoCommand(ctx, args, out)
	case "serve":
		return serveCommand(ctx, args, out)
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(out, usage)
		return err
	}
	return fmt.Errorf("unknown command %q\n\n%s", command, usage)
}

func demoCommand(ctx context.Context, args []string, out io.Writer) error {
	cfg := config{addr: "127.0.0.1:0", namespace: "catalog-demo", log: logger(slog.LevelWarn)}
	if err := cfg.parse(cfg.flags("demo"), args); err != nil {
		return err
	}
	return runDemo(ctx, cfg, out)
}

func serveCommand(ctx context.Context, args []string, out io.Writer) error {
	cfg := config{}
	level := slog.LevelInfo
	flags := cfg.flags("serve")
	flags.StringVar(&cfg.addr, "addr", ":8080", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&cfg.namespace, "namespace", "catalog", "`name` that keeps this program's keys in Redis apart from others'")
	flags.StringVar(&cfg.db, "db", "", "database `file`, generated if there is none; default: a temporary one")
	flags.TextVar(&level, "log", level, "least `level` that is logged: debug, info, warn or error")
	if err := cfg.parse(flags, args); err != nil {
		return err
	}
	cfg.log = logger(level)
	return serve(ctx, cfg, func(url string) { fmt.Fprintln(out, servingAt, url) })
}

// flags returns the flags that both commands have.
func (c *config) flags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet("catalog "+command, flag.ContinueOnError)
	flags.StringVar(&c.redis, "redis", "", "Redis `URL`, as in redis://localhost:6379; default: $REDIS_URL, and without it memory")
	flags.IntVar(&c.products, "products", 200_000, "how many products to generate")
	return flags
}

func (c *config) parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	// Not the flag's default, which -h prints: the URL may hold a password.
	c.redis = cmp.Or(c.redis, os.Getenv("REDIS_URL"))
	if flags.NArg() > 0 {
		return fmt.Errorf("%s: unexpected argument %q", flags.Name(), flags.Arg(0))
	}
	if c.products < minProducts || c.products > maxProducts {
		return fmt.Errorf("%s: -products is %d, want %d to %d", flags.Name(), c.products, minProducts, maxProducts)
	}
	return nil
}

func logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
