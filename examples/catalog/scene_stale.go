package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// playStale shows that nobody waits for a page that has had its time.
func (d *demo) playStale(ctx context.Context) error {
	const path = "/bestsellers"
	life := newPolicies().bestsellers.TTL
	if _, err := d.get(ctx, d.first(), path, http.StatusOK, "MISS", "fresh for "+short(life)); err != nil {
		return err
	}
	wait := life + life/4 // the cache spreads lives by a tenth
	if err := sleep(ctx, wait); err != nil {
		return err
	}
	stale, err := d.get(ctx, d.first(), path, http.StatusOK, "STALE", short(wait)+" later: the old list now, a new one behind it")
	if err != nil {
		return err
	}
	fresh, err := d.until(ctx, 5*time.Second, d.other(), path, func(a answer) bool { return a.xCache() == "HIT" })
	if err != nil {
		return fmt.Errorf("no fresh list: %w", err)
	}
	if age(fresh) >= age(stale) {
		return fmt.Errorf("age %d s after the refresh, %d s before it", age(fresh), age(stale))
	}
	ran, err := d.queries(ctx)
	if err != nil {
		return err
	}
	// On a machine so slow that the new list went stale as well there may be one more.
	if ran < 2 || ran > 3 {
		return fmt.Errorf("the database ran %d queries, want 2: the first list and its refresh", ran)
	}
	d.row(d.other(), "GET "+path, fresh, fmt.Sprintf("refreshed: age %d s, before %d s", age(fresh), age(stale)))
	return nil
}

func age(a answer) int {
	seconds, err := strconv.Atoi(a.header.Get("Age"))
	if err != nil {
		return 0
	}
	return seconds
}

// until asks n for path until ok says so, for limit at most.
func (d *demo) until(ctx context.Context, limit time.Duration, n *node, path string, ok func(answer) bool) (answer, error) {
	deadline, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		a, err := d.probe.get(ctx, n.url+path)
		if err != nil || ok(a) {
			return a, err
		}
		if sleep(deadline, 2*time.Millisecond) != nil {
			return a, fmt.Errorf("after %s still status %d, X-Cache %q", limit, a.status, a.xCache())
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
