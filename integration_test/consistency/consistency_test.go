package consistency

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// duration is CONSISTENCY_DURATION, or a time that fits into make test.
func duration(tb testing.TB) time.Duration {
	tb.Helper()
	s := os.Getenv("CONSISTENCY_DURATION")
	if s == "" {
		return 6 * time.Second
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// config completes what the environment says of a trial.
func config(tb testing.TB, c Config) Config {
	tb.Helper()
	c.Duration, c.Seed, c.Stop = duration(tb), seed(tb), os.Getenv("CONSISTENCY_STOP") != ""
	return c
}

// seed is CONSISTENCY_SEED, or a new one.
func seed(tb testing.TB) uint64 {
	tb.Helper()
	s := os.Getenv("CONSISTENCY_SEED")
	if s == "" {
		return uint64(time.Now().UnixNano())
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// finish prints what a trial measured, beside the bars.
func finish(t *testing.T, row string, r *Report, worst time.Duration) {
	t.Helper()
	t.Log(r)
	figures.Note(t, row, "reads", r.Reads)
	figures.Note(t, row, "purges", r.Purges)
	for _, g := range []string{"G0", "G1", "G2", "G3", "G5", "G6"} {
		figures.Exactly(t, row, "violations of "+g, r.Errors[g], 0)
	}
	if worst > 0 {
		figures.Note(t, row, "lag of purges elsewhere, p99.9", r.Quantile(0.999))
		figures.AtMost(t, row, "lag of purges elsewhere, worst", r.Worst(), worst)
	}
	if r.Hits == 0 || r.Purges == 0 {
		t.Error("too little happened to prove anything")
	}
}

func TestHealthy(t *testing.T) {
	r := Run(t, config(t, Config{Instances: 4}))
	finish(t, "consistency, healthy", r, 250*time.Millisecond)
	figures.AtMost(t, "consistency, healthy", "G2, p99.9", r.Quantile(0.999), 50*time.Millisecond)
	if duration(t) >= time.Minute {
		figures.AtLeast(t, "consistency, healthy", "reads in a minute or more", r.Reads, 1_000_000)
		figures.AtLeast(t, "consistency, healthy", "purges in a minute or more", r.Purges, 5000)
	}
}

func TestFaults(t *testing.T) {
	r := Run(t, config(t, Config{Instances: 4, Faults: true}))
	finish(t, "consistency, faults", r, trust+50*time.Millisecond)
}

func TestSlowLinks(t *testing.T) {
	r := Run(t, config(t, Config{Instances: 4, Faults: true, Only: "slower than the trust window"}))
	finish(t, "consistency, slow links", r, trust+50*time.Millisecond)
}

func TestMemory(t *testing.T) {
	r := Run(t, config(t, Config{}))
	finish(t, "consistency, memory", r, 0)
}

// The data cache keeps what the pages keep.
func TestTyped(t *testing.T) {
	r := Run(t, config(t, Config{Instances: 4, Typed: true}))
	finish(t, "consistency, data cache", r, 250*time.Millisecond)
}

func TestTypedFaults(t *testing.T) {
	r := Run(t, config(t, Config{Instances: 4, Typed: true, Faults: true}))
	finish(t, "consistency, data cache, faults", r, trust+50*time.Millisecond)
}

func TestTypedMemory(t *testing.T) {
	r := Run(t, config(t, Config{Typed: true}))
	finish(t, "consistency, data cache, memory", r, 0)
}
