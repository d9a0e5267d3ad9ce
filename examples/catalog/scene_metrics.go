package main

import (
	"context"
	"errors"
	"strings"
)

// playMetrics prints what /metrics of the first process says about it all.
func (d *demo) playMetrics(ctx context.Context) error {
	d.table.rule()
	page, err := d.probe.get(ctx, d.first().url+"/metrics")
	if err != nil {
		return err
	}
	d.table.say("from %s/metrics:", d.first().url)
	d.table.say("")
	hits := false
	for line := range strings.Lines(string(page.body)) {
		if !strings.HasPrefix(line, "reprise_requests_total") && !strings.HasPrefix(line, queriesMetric+" ") {
			continue
		}
		hits = hits || strings.Contains(line, `outcome="hit"`)
		d.table.say("    %s", strings.TrimSpace(line))
	}
	if !hits {
		return errors.New("no hits were counted")
	}
	return nil
}
