package fleet

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/overlay"
	"github.com/reprise-go/reprise/integration_test/redistest"
)

// laterVersion changes the format of what is stored: there is a byte more at the
// end, which this version knows nothing of.
var laterVersion = []overlay.Edit{
	{File: "store/redisstore/entry.go", Old: "formatNow    = 1", New: "formatNow    = 2"},
	{File: "store/redisstore/entry.go", Old: "\tbinary.LittleEndian.PutUint64(b[offSum:], sum(b))\n", New: "\tb = append(b, '+')\n\tbinary.LittleEndian.PutUint64(b[offSum:], sum(b))\n"},
	{File: "store/redisstore/entry.go", Old: "\tr := reader{b[headLen:], true}\n", New: "\tif b[offMagic+2] == 2 {\n\t\tb = b[:len(b)-1]\n\t}\n\tr := reader{b[headLen:], true}\n"},
}

var setCalls = regexp.MustCompile(`cmdstat_set:calls=(\d+)`)

// Two versions that store in different formats run side by side, as while a
// fleet is upgraded: each answers what it should, purges reach both, and they do
// not replace each other's entries in turns.
func TestTwoFormatVersionsSideBySide(t *testing.T) {
	const row, pages = "two format versions", 8
	length := 5 * time.Second // of the 60 s of the table
	if os.Getenv("FAULTS_LONG") != "" {
		length = time.Minute
	}
	redis := redistest.Process(t)
	ns := namespace(t)
	old := start(t, redis.Addr(), ns)
	later := startBinary(t, overlay.Build(t, laterVersion...), redis.Addr(), ns)
	sets := func() int {
		m := setCalls.FindStringSubmatch(redis.Do("INFO", "commandstats"))
		if m == nil {
			t.Fatal("Redis counts no SET")
		}
		n, _ := strconv.Atoi(m[1])
		return n
	}
	path := func(n int) string { return fmt.Sprintf("/page/%d", n) }

	// What the old version has stored the later one reads; what the later one
	// has stored the old one leaves alone.
	for n := range pages {
		first := []*instance{old, later}[n%2]
		first.must("GET", path(n))
		if a := first.must("GET", path(n)); a.xCache != "HIT" {
			t.Fatalf("%v was not stored", a)
		}
	}
	if a := later.must("GET", path(0)); a.xCache != "HIT" {
		t.Errorf("the later version does not read the format before its own: %v", a)
	}
	before, runs := sets(), later.runs()
	var answers, wrong atomic.Int64
	var clients sync.WaitGroup
	for began, c := time.Now(), 0; c < 8; c++ {
		clients.Go(func() {
			for n := c; time.Since(began) < length; n++ {
				i := []*instance{old, later}[n/pages%2]
				a, err := i.do("GET", path(n%pages))
				if answers.Add(1); err != nil || a.status != 200 || a.text != fmt.Sprintf("page %d version 0", n%pages) {
					wrong.Add(1)
				}
			}
		})
	}
	clients.Wait()
	figures.Note(t, row, fmt.Sprintf("answers in %v", length), answers.Load())
	figures.Exactly(t, row, "misreads", wrong.Load(), 0)
	ended := pages * int(length/time.Minute) // by their age
	figures.AtMost(t, row, "entries rewritten", sets()-before, ended)
	figures.AtMost(t, row, "handler runs of the later version", later.runs()-runs, ended)

	for _, purger := range []*instance{old, later} {
		for _, i := range []*instance{old, later} {
			i.must("POST", "/version/1")
			i.must("POST", "/version/0")
		}
		later.must("GET", path(1))
		if a := later.must("GET", path(1)); a.xCache != "HIT" {
			t.Fatalf("not warm: %v", a)
		}
		later.must("POST", "/version/1")
		purger.must("POST", "/purge?tag=page:1")
		redistest.Eventually(t, 2*time.Second, "the purge reaches the later version", func() bool {
			return later.must("GET", path(1)).text == "page 1 version 1"
		})
		later.must("POST", "/purge?tag=page:1")
	}
}
