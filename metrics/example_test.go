package metrics_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/store"
)

func Example() {
	registry := prometheus.NewRegistry()
	collector, err := metrics.New(metrics.Options{})
	if err != nil {
		log.Fatal(err)
	}
	registry.MustRegister(collector)

	// The stores of this module tell their size themselves: Watch("pages", st).
	// A cache records with middleware.WithRecorder(collector).
	collector.Watch("pages", size(store.LocalSize{Bytes: 4096, Budget: 65536}))

	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range families {
		if strings.HasSuffix(f.GetName(), "_bytes") {
			fmt.Println(f.GetName(), f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	// Output:
	// reprise_local_budget_bytes 65536
	// reprise_local_bytes 4096
}
