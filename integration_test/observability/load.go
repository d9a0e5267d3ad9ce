package observability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A visit is one kind of request, again and again.
type visit struct {
	every  time.Duration
	many   int // at once
	method string
	path   func(n int) string
	fields []string // of the header, in pairs
	status []int    // that are as they should be
}

// visits give every panel and rule something to show.
func visits() []visit {
	const get = http.MethodGet
	path := func(format string, of int) func(int) string {
		return func(n int) string { return fmt.Sprintf(format, n%of) }
	}
	fine, away := []int{http.StatusOK}, []int{http.StatusOK, http.StatusServiceUnavailable}
	return []visit{
		{20 * time.Millisecond, 1, get, path("/products/%d", 5), nil, fine},        // hits
		{200 * time.Millisecond, 1, get, path("/products/new-%d", 1e6), nil, fine}, // misses
		{time.Second, 6, get, path("/categories/crowd-%d", 1e6), nil, fine},        // collapsed
		{50 * time.Millisecond, 1, get, path("/search?q=%d", 3), nil, fine},
		{100 * time.Millisecond, 1, get, path("/stock/%d", 2), nil, away},       // stale, with refreshes that fail
		{400 * time.Millisecond, 1, get, path("/stock/rare-%d", 10), nil, away}, // too old, with handlers that fail
		{time.Second, 1, get, path("/products/none-%d", 1e6), []string{"Cache-Control", "only-if-cached"}, []int{http.StatusGatewayTimeout}},
		{time.Second, 1, get, path("/products/%d", 5), []string{"Accept", "text/event-stream"}, fine}, // past the cache
		{500 * time.Millisecond, 1, http.MethodPost, path("/products/%d/purge", 5), nil, []int{http.StatusNoContent, http.StatusServiceUnavailable}},
	}
}

// A load is what visits have come to.
type load struct {
	app    string
	client *http.Client

	mu   sync.Mutex
	sent int
	errs []error
}

// Load sends requests to the program at app until ctx is done. It returns how many
// were answered, and what was not answered as it should be: what the error says of
// ten is all it says.
func Load(ctx context.Context, app string) (int, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	l := &load{app: app, client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}
	var all sync.WaitGroup
	for _, v := range visits() {
		all.Go(func() { l.repeat(ctx, v) })
	}
	all.Wait()
	return l.sent, errors.Join(l.errs[:min(10, len(l.errs))]...)
}

// repeat sends what v says, and waits for the answers to all of it.
func (l *load) repeat(ctx context.Context, v visit) {
	var open sync.WaitGroup
	defer open.Wait()
	tick := time.NewTicker(v.every)
	defer tick.Stop()
	for n := 0; ; n++ {
		for range v.many {
			open.Go(func() { l.note(l.send(v, n)) })
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (l *load) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent++; err != nil {
		l.errs = append(l.errs, err)
	}
}

// send sends one request, and reads the answer, however long the load is to go on.
func (l *load) send(v visit, n int) error {
	r, err := http.NewRequest(v.method, l.app+v.path(n), http.NoBody)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(v.fields); i += 2 {
		r.Header.Set(v.fields[i], v.fields[i+1])
	}
	res, err := l.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && !slices.Contains(v.status, res.StatusCode) {
		err = fmt.Errorf("%s %s: %s: %s", v.method, v.path(n), res.Status, strings.TrimSpace(string(text)))
	}
	return err
}
