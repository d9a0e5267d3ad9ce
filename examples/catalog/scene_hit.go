package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// playHit shows what a hit saves: the second answer needs no query, whichever
// process gives it.
func (d *demo) playHit(ctx context.Context) error {
	if _, err := d.queries(ctx); err != nil {
		return err
	}
	cold, err := d.get(ctx, d.first(), "/categories/3", http.StatusOK, "MISS", "the aggregate query ran")
	if err != nil {
		return err
	}
	warm, err := d.probe.get(ctx, d.other().url+"/categories/3")
	if err == nil {
		err = warm.want(http.StatusOK, "HIT")
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(cold.body, warm.body) {
		return errors.New("the stored answer differs from the first one")
	}
	d.alone = cold.took
	d.row(d.other(), "GET /categories/3", warm, fmt.Sprintf("no query; %.0f times as fast", float64(cold.took)/float64(warm.took)))
	return d.wantQueries(ctx, 1)
}

// playCrowd shows that a page nobody has asked for yet costs one query, however
// many ask for it at once and at whichever process.
func (d *demo) playCrowd(ctx context.Context) error {
	const path = "/categories/7"
	start := time.Now()
	answers, err := d.crowd(ctx, path)
	took := time.Since(start)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.status != http.StatusOK || !bytes.Equal(a.body, answers[0].body) {
			return fmt.Errorf("an answer had status %d and %d bytes, another %d and %d bytes",
				a.status, len(a.body), answers[0].status, len(answers[0].body))
		}
	}
	if err := d.wantQueries(ctx, 1); err != nil {
		return err
	}
	what := fmt.Sprintf("%d × GET %s at once", crowdSize, path)
	if len(d.nodes) > 1 {
		what = "A+B  " + what
	}
	d.table.row(what, tally(answers), http.StatusOK, took,
		fmt.Sprintf("1 query for %d requests, not %d of %s", crowdSize, crowdSize, short(d.alone)))
	return nil
}

// crowd sends crowdSize requests at the same time, to all nodes in turn.
func (d *demo) crowd(ctx context.Context, path string) ([]answer, error) {
	answers := make([]answer, crowdSize)
	errs := make([]error, crowdSize)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range crowdSize {
		url := d.nodes[i%len(d.nodes)].url + path
		wg.Go(func() {
			<-start
			answers[i], errs[i] = d.probe.get(ctx, url)
		})
	}
	close(start)
	wg.Wait()
	return answers, errors.Join(errs...)
}

// tally names the X-Cache values that answers have: "HIT+MISS".
func tally(answers []answer) string {
	names := make([]string, len(answers))
	for i, a := range answers {
		names[i] = a.xCache()
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "+")
}
