package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// crowdSize is how many requests come at once.
const crowdSize = 500

// A demo drives a running fleet and holds it to what it should do.
type demo struct {
	nodes   []*node
	probe   probe
	table   table
	counted int64         // statements that all processes had run when queries was last called
	alone   time.Duration // what one request that ran the aggregate query took
}

// A scene is one thing the cache does. It prints its own rows.
type scene struct {
	name string
	play func(*demo, context.Context) error
}

var scenes = []scene{
	{"the first request and the second", (*demo).playHit},
	{"many at once", (*demo).playCrowd},
	{"stale while revalidate", (*demo).playStale},
	{"update and purge", (*demo).playUpdate},
	{"conditional request", (*demo).playNotModified},
	{"HEAD", (*demo).playHead},
	{"range of a download", (*demo).playRange},
	{"metrics", (*demo).playMetrics},
}

// runDemo generates a database, starts the API over it, plays every scene and
// ends what it started. It stops at the first thing that is not as it should be.
func runDemo(ctx context.Context, cfg config, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "reprise-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg.db = filepath.Join(dir, "catalog.db")
	d := &demo{probe: newProbe(crowdSize), table: table{out}}

	if err := d.generate(ctx, cfg); err != nil {
		return err
	}
	d.nodes, err = startFleet(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		for _, n := range d.nodes {
			err = errors.Join(err, n.stop())
		}
	}()
	d.introduce(cfg)
	for _, s := range scenes {
		if err := s.play(d, ctx); err != nil {
			return fmt.Errorf("demo: %s: %w", s.name, err)
		}
	}
	d.conclude(cfg)
	return nil
}

func (d *demo) generate(ctx context.Context, cfg config) error {
	start := time.Now()
	db, err := OpenDB(ctx, cfg.db, cfg.products)
	if err != nil {
		return err
	}
	d.table.say("")
	d.table.say("%s products generated into SQLite in %s.", thousands(cfg.products), short(time.Since(start)))
	return db.Close()
}

func (d *demo) introduce(cfg config) {
	if cfg.redis == "" {
		d.table.say("One process at %s, what is cached in its memory. (REDIS_URL makes it two that share Redis.)", d.nodes[0].url)
	} else {
		d.table.say("Two processes, A at %s and B at %s, what is cached in Redis.", d.nodes[0].url, d.nodes[1].url)
	}
	d.table.say("")
	d.table.head()
}

func (d *demo) conclude(cfg config) {
	d.table.say("")
	d.table.say("Everything was as it should be; had it not been, this would have ended with an error.")
	d.table.say("To keep it running: make demo-serve, or here: go run . serve. Then, twice:")
	d.table.say("")
	d.table.say("    curl -i http://localhost:8080/categories/3")
	d.table.say("")
}

// first is where things begin, other is where they should show: another
// process if there is one.
func (d *demo) first() *node { return d.nodes[0] }
func (d *demo) other() *node { return d.nodes[len(d.nodes)-1] }

// get asks n for path, checks status and X-Cache, and prints the row.
func (d *demo) get(ctx context.Context, n *node, path string, status int, xCache, note string) (answer, error) {
	a, err := d.probe.get(ctx, n.url+path)
	if err == nil {
		err = a.want(status, xCache)
	}
	if err != nil {
		return a, fmt.Errorf("GET %s: %w", path, err)
	}
	d.row(n, "GET "+path, a, note)
	return a, nil
}

func (d *demo) row(n *node, what string, a answer, note string) {
	if n.name != "" {
		what = n.name + "  " + what
	}
	d.table.row(what, a.xCache(), a.status, a.took, note)
}

// queries returns how many SQL statements all processes together have run since
// it was last called. It asks them: nothing here could count what it should not.
func (d *demo) queries(ctx context.Context) (int64, error) {
	total := int64(0)
	for _, n := range d.nodes {
		page, err := d.probe.get(ctx, n.url+"/metrics")
		if err != nil {
			return 0, err
		}
		count, err := metric(page.body, queriesMetric)
		if err != nil {
			return 0, err
		}
		total += count
	}
	since := total - d.counted
	d.counted = total
	return since, nil
}

// wantQueries returns an error unless exactly want statements were run.
func (d *demo) wantQueries(ctx context.Context, want int64) error {
	got, err := d.queries(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("the database ran %d queries, want %d", got, want)
	}
	return err
}
