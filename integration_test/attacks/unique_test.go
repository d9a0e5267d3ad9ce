package attacks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/internal/measure"
	"github.com/reprise-go/reprise/store"
)

// uniqueAttacks ask for more than there is room for. The bars are of memory, so
// that nothing runs beside them.
func uniqueAttacks() []attack {
	return []attack{
		uniqueURLs(),
		{name: "large pages, asked for often", policy: minute, once: often, alone: true, handler: func(w http.ResponseWriter, r *http.Request) {
			size := 4 << 10
			if strings.HasPrefix(r.URL.Path, "/large") {
				size = budget / 6
			}
			fmt.Fprint(w, r.URL, strings.Repeat("x", size))
		}},
	}
}

func uniqueURLs() attack {
	return attack{
		name: "unique URLs", policy: minute, alone: true,
		handler: func(w http.ResponseWriter, r *http.Request) {
			size := 16 << 10
			if strings.HasPrefix(r.URL.Path, "/hot") {
				hotRuns(r).Add(1)
				size = 4 << 10
			}
			fmt.Fprint(w, r.URL, strings.Repeat("x", size))
		},
		once: func(t *testing.T, s *site, clients int) {
			left := askUnique(t, s, clients, 2000) // 32 MiB
			left.within(t)
		},
	}
}

// TestMillionURLs is the attack at its full size.
func TestMillionURLs(t *testing.T) {
	if !long {
		t.Skip("takes a minute: make attacks sets ATTACKS_LONG=1")
	}
	a := uniqueURLs()
	s := a.open(t, setting{store: "memory", router: "mux", parallel: true})
	left := askUnique(t, s, crowd, 1e6)
	const row = "attacks, a million URLs"
	figures.AtMost(t, row, "bytes kept", left.bytes, budget)
	figures.AtMost(t, row, "bytes by which the heap has grown", left.heap, maxHeap)
	figures.Exactly(t, row, "series that have come", left.series, 0)
	figures.AtLeast(t, row, "hit ratio of what everybody asks for", left.hot, minHot)
	figures.Note(t, row, "took", left.took.Round(time.Second))
}

const (
	hotURLs = 16
	minHot  = 0.95
	// maxHeap leaves room beside the budget for what it does not count: the
	// connections, and the decoded form of what is stored.
	maxHeap = 2*budget + 8<<20
)

// A remainder is what is left of a site that was asked for unique URLs.
type remainder struct {
	bytes  int64   // that the store says it keeps
	heap   int64   // bytes by which the heap has grown
	series int     // that have come
	hot    float64 // hit ratio of what everybody asks for
	took   time.Duration
}

func (r *remainder) within(t *testing.T) {
	t.Helper()
	if r.bytes > budget || r.heap > maxHeap {
		t.Errorf("%d bytes are kept and %d taken, %d and %d may be", r.bytes, r.heap, budget, maxHeap)
	}
	if r.series != 0 {
		t.Errorf("%d series have come", r.series)
	}
	if r.hot < minHot {
		t.Errorf("what everybody asks for is answered from the cache in %.2f of all cases", r.hot)
	}
}

// askUnique asks for n URLs that nobody asks for again, and in every fourth
// request for one of those that everybody asks for. On Redis it asks twice at once:
// what is read there, the process keeps for a while.
func askUnique(t *testing.T, s *site, clients, n int) (left remainder) {
	times := 1
	if s.setting.store == "redis" {
		times = 2
	}
	before, series, began := measure.Heap(), s.series(t), time.Now()
	hot := func(i int) (string, string) { return fmt.Sprint("/hot/", i%hotURLs), "" }
	const warmUp = 5 * hotURLs
	flood(t, s.addr, warmUp, hot)
	each := times * n * 4 / 3 / clients
	atOnce(clients, func(id int) {
		flood(t, s.addr, each, func(i int) (string, string) {
			if i%4 == 0 {
				return hot(id + i/4)
			}
			return fmt.Sprintf("/u/%d/%d", id, (i-i/4)/times), ""
		})
	})
	left.took = time.Since(began)
	sizer, ok := s.store.(store.Sizer)
	if !ok {
		t.Fatal("the store does not tell its size")
	}
	left.bytes, left.heap, left.series = sizer.LocalSize().Bytes, measure.Heap()-before, s.series(t)-series
	left.hot = 1 - float64(s.counter("hot").Load())/float64(warmUp+clients*(each+3)/4)
	return left
}

// series counts the time series that the collector shows.
func (s *site) series(t *testing.T) (n int) {
	t.Helper()
	registry := prometheus.NewRegistry()
	if err := registry.Register(s.collector); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		n += len(f.GetMetric())
	}
	return n
}

// often asks for large pages more often than for those that everybody asks for.
func often(t *testing.T, s *site, clients int) {
	hot := func(i int) (string, string) { return fmt.Sprint("/hot/", i%hotURLs), "" }
	flood(t, s.addr, 3*hotURLs, hot)
	atOnce(clients, func(id int) {
		flood(t, s.addr, max(160/clients, 4), func(i int) (string, string) { return fmt.Sprint("/large/", (id+i)%8), "" })
	})
	left := 0
	for i := range hotURLs {
		target, _ := hot(i)
		if s.ask(t, get(target, "Cache-Control: only-if-cached")).status == http.StatusOK {
			left++
		}
	}
	if left < hotURLs-1 {
		t.Errorf("%d of the %d pages that everybody asks for are left", left, hotURLs)
	}
}
