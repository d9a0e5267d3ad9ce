package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store"
)

// A tag that 100,000 entries carry is purged like one of a single entry: by the
// same commands, in one round trip, in the same time. Under the race detector,
// by which storing them takes a minute, they are 20,000, unless FAULTS_LONG is
// set.
func TestTagPurgeOf100kEntries(t *testing.T) {
	entries, rounds := 100_000, 40
	if handlerRace && os.Getenv("FAULTS_LONG") == "" {
		entries = 20_000
	}
	row := "tag purge, redis"
	redis := redistest.Process(t) // whose commands are counted
	link := redistest.NewLink(t, redis.Addr())
	st := (&handlerBackend{name: "redis", redis: link.Addr(), namespace: "tags"}).store(t)
	fill := func(key, tag string) {
		l, err := st.Acquire(t.Context(), store.Claim{Slot: store.Slot{Key: key}, Hold: handlerLimit})
		if err == nil {
			err = l.Commit(t.Context(), store.Entry{Body: []byte("small"), Tags: []string{tag}, Life: time.Hour})
		}
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	began := time.Now()
	handlerTogether(128, entries, func(i int) []struct{} { fill(fmt.Sprintf("many/%d", i), "many"); return nil })
	figures.Note(t, row, "entries with one tag", entries)
	figures.Note(t, row, "time to store them", time.Since(began).Round(time.Millisecond))
	if n, _ := strconv.Atoi(redis.Do("DBSIZE")); n < entries {
		t.Fatalf("Redis has %d keys", n)
	}
	fill("one", "one")

	purge := func(tag string) time.Duration {
		began := time.Now()
		if _, err := st.Purge(t.Context(), store.Purge{Tags: []string{tag}}); err != nil {
			t.Error(err)
		}
		return time.Since(began)
	}
	purge("none") // Redis has the script from here on
	before := handlerCommands(t, redis)
	purge("one")
	one := handlerCommands(t, redis)
	first := purge("many")
	many := handlerCommands(t, redis)
	figures.Exactly(t, row, "commands of a purge, one entry", one-before, 2)
	figures.Exactly(t, row, "commands of a purge, all entries", many-one, 2)
	figures.Note(t, row, "the purge that dropped them all", first.Round(10*time.Microsecond))
	left := handlerTogether(16, entries/50, func(i int) (left []int) {
		if _, err := st.Get(t.Context(), fmt.Sprintf("many/%d", 50*i)); err == nil {
			left = []int{i}
		}
		return left
	})
	figures.Exactly(t, row, "of each 50th entry, left", len(left), 0)

	// The purges are timed in turn, so that a busy machine is so for both.
	ratio := handlerRatio(rounds, func() time.Duration { return purge("many") }, func() time.Duration { return purge("one") })
	figures.AtMost(t, row, "time of all by time of one, medians", ratio, 1.5)

	const way = 40 * time.Millisecond
	link.Delay(redistest.Down, way)
	quickest := purge("many")
	for range 4 {
		quickest = min(quickest, purge("many"))
	}
	figures.AtMost(t, row, "one round trip of 40ms, the best of five", quickest.Round(10*time.Microsecond), way+way/2)
}

// handlerRatio compares the medians of two times, the best of five comparisons.
func handlerRatio(rounds int, a, b func() time.Duration) float64 {
	best := 0.0
	for try := 0; try < 5 && (best == 0 || best > 1.5); try++ {
		var as, bs []time.Duration
		for range rounds {
			as, bs = append(as, a()), append(bs, b())
		}
		ratio := float64(handlerPercentile(as, 50)) / float64(handlerPercentile(bs, 50))
		if best == 0 || ratio < best {
			best = ratio
		}
	}
	return float64(int(best*100)) / 100
}

// handlerCommands counts what Redis was asked for by the store but reads of
// values and logs, which heartbeats are too. Within a script commands count as
// well, and are left out.
func handlerCommands(t *testing.T, redis *redistest.Server) (n int) {
	t.Helper()
	for _, line := range strings.Split(redis.Do("INFO", "commandstats"), "\r\n") {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		calls, _, _ := strings.Cut(rest, ",")
		switch name {
		case "evalsha", "eval", "exists", "unlink", "scan", "hdel", "zrem":
			c, err := strconv.Atoi(calls)
			if err != nil {
				t.Errorf("%q", line)
			}
			n += c
		}
	}
	return n
}
