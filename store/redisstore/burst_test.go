package redisstore

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// Fills that begin together, where the purge logs are not known, read them once: an
// instance that starts into a burst of requests would otherwise spend the deadline of
// all of them on 64 reads each, and store nothing.
func TestABurstReadsThePurgeLogsOnce(t *testing.T) {
	const fills = 50
	for name, args := range map[string][]string{"tracking": nil, "no tracking": {"--rename-command", "CLIENT", ""}} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, args...)
			p := newProxy(t, server.addr)
			s := open(t, Options{Addrs: []string{p.addr}, Timeout: 5 * time.Second})
			server.command("CONFIG", "RESETSTAT")

			p.down.set(true) // nobody is answered before all have asked
			var all sync.WaitGroup
			for i := range fills {
				all.Go(func() {
					l, err := s.Acquire(context.Background(), store.Claim{Slot: store.Slot{Key: fmt.Sprint("k", i)}, Hold: time.Minute})
					if err == nil {
						err = l.Commit(context.Background(), store.Entry{Body: []byte("x"), Tags: []string{fmt.Sprint("tag", i)}, Life: time.Minute})
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			eventually(t, 2*time.Second, "somebody reads the logs", func() bool { return s.glancing.Load() != nil })
			time.Sleep(100 * time.Millisecond) // who comes later than this reads them again, which is allowed to few
			p.down.set(false)
			all.Wait()
			if n := reads(t, server); n > fills*numLogs/4 {
				t.Errorf("%d reads of logs by %d fills", n, fills)
			}
		})
	}
}

var logReads = regexp.MustCompile(`cmdstat_(?:get|getrange):calls=(\d+)`)

// reads returns how often somebody has read a log, or another key, since RESETSTAT.
func reads(t *testing.T, s *server) (n int) {
	t.Helper()
	for _, m := range logReads.FindAllStringSubmatch(s.command("INFO", "commandstats"), -1) {
		calls, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		n += calls
	}
	return n
}
