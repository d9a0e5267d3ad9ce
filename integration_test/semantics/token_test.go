package semantics

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/reprise-go/reprise/integration_test/redistest"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/redisstore"
)

// An instance that has lost Redis collapses without leases, which no purge ends.
// Who brings the token of a purge elsewhere must not share a fill that began
// before it.
func TestATokenSharesNoFillOfAnInstanceThatIsCutOff(t *testing.T) {
	addr := redistest.Addr(t)
	namespace := fmt.Sprintf("token-%d", time.Now().UnixNano())
	link := redistest.NewLink(t, addr)
	o := redisstore.Options{Addrs: []string{link.Addr()}, Namespace: namespace, Trust: 5 * time.Second}
	near, err := redisstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	here, err := reprise.New(near, reprise.WithTokens(nil))
	if err != nil {
		t.Fatal(err)
	}
	there := instance(t, open(t, addr, namespace))

	var version atomic.Int64
	began, finish := make(chan struct{}, 10), make(chan struct{})
	h := here.Handler(reprise.Policy{Name: "page", TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := version.Load()
		began <- struct{}{}
		<-finish
		fmt.Fprint(w, v)
	}))
	get := func(r *http.Request) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	request := func() *http.Request { return httptest.NewRequest(http.MethodGet, "http://example.com/page", nil) }

	link.Down()
	redistest.Eventually(t, 5*time.Second, "cut off", func() bool {
		_, err := near.Get(t.Context(), "nothing")
		return err != nil && err.Error() == "redisstore: Redis cannot be reached"
	})
	var clients sync.WaitGroup
	clients.Go(func() { get(request()) })
	<-began
	version.Add(1)
	purged, err := there.PurgeURL(t.Context(), "http://example.com/page")
	if err != nil || purged.Token == "" {
		t.Fatalf("%+v, %v", purged, err)
	}
	clients.Go(func() {
		r := request()
		if got := get(r.WithContext(reprise.WithToken(r.Context(), purged.Token))); got != "1" {
			t.Errorf("with the token of a purge: version %s, from before it", got)
		}
	})
	time.Sleep(100 * time.Millisecond)
	close(finish)
	clients.Wait()
}

// Nor a fill that has no lease because a later version of the program has stored
// the page: there Redis is well, and all heartbeats are answered.
func TestATokenSharesNoFillBesideALaterFormat(t *testing.T) {
	addr := redistest.Addr(t)
	namespace := fmt.Sprintf("token-%d", time.Now().UnixNano())
	near, err := redisstore.New(redisstore.Options{Addrs: []string{addr}, Namespace: namespace, Trust: 2 * time.Second, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	here, err := reprise.New(near, reprise.WithTokens(nil))
	if err != nil {
		t.Fatal(err)
	}
	there := instance(t, open(t, addr, namespace))
	var version atomic.Int64
	began, finish := make(chan struct{}, 10), make(chan struct{})
	h := here.Handler(reprise.Policy{Name: "page", TTL: time.Minute})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := version.Load()
		if began <- struct{}{}; v > 0 {
			<-finish
		}
		fmt.Fprint(w, v)
	}))
	get := func(token string) string {
		r := httptest.NewRequest(http.MethodGet, "http://example.com/page", nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(reprise.WithToken(r.Context(), token)))
		return w.Body.String()
	}
	get("")
	<-began
	keys, err := redistest.Command(addr, "KEYS", namespace+":{*}").AsStrSlice()
	if err != nil || len(keys) != 1 {
		t.Fatalf("stored: %q, %v", keys, err)
	}
	value, err := redistest.Command(addr, "GET", keys[0]).ToString()
	if err != nil {
		t.Fatal(err)
	}
	if err := redistest.Command(addr, "SET", keys[0], laterFormat(value)).Error(); err != nil {
		t.Fatal(err)
	}

	version.Store(1)
	var clients sync.WaitGroup
	redistest.Eventually(t, 2*time.Second, "the page is of a later format", func() bool { return near.LocalSize().Entries == 0 })
	clients.Go(func() { get("") })
	<-began
	version.Store(2)
	purged, err := there.PurgeTags(t.Context(), "something") // of which this process knows nothing
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(600 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		_ = near.After(purged.Token)        // seen
		_, _ = near.Get(t.Context(), "any") // a connection, and heartbeats
	}
	clients.Go(func() {
		if got := get(purged.Token); got != "2" {
			t.Errorf("with the token of a purge: version %s, from before it", got)
		}
	})
	time.Sleep(100 * time.Millisecond)
	close(finish)
	clients.Wait()
}

// laterFormat makes value one of a later format: see store/redisstore/entry.go.
func laterFormat(value string) string {
	b := []byte(value)
	b[34] = 0xff
	sum := xxhash.Sum64(slices.Concat(b[:16], b[32:36], b[60:]))
	binary.LittleEndian.PutUint64(b[52:], sum)
	return string(b)
}
