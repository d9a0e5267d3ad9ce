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
		line = strings.TrimSpace(line)
		if !excerpted(line) {
			continue
		}
		hits = hits || strings.Contains(line, `outcome="hit"`)
		d.table.say("    %s", line)
	}
	if !hits {
		return errors.New("no hit was counted")
	}
	return nil
}

// excerpted picks the counters that have counted something and say most.
func excerpted(line string) bool {
	for _, name := range []string{queriesMetric + " ", "reprise_requests_total{", "reprise_purges_total{"} {
		if strings.HasPrefix(line, name) {
			return !strings.HasSuffix(line, " 0")
		}
	}
	return false
}
