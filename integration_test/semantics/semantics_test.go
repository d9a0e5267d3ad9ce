// Package semantics plays the scenarios of HTTP caching on a real Redis, over
// real sockets and in real time.
package semantics

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/internal/scenario"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/redisstore"
)

// The scenarios mostly wait for time to pass: as many at once as keep their
// margins of a second, whatever the number of processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "48"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	redistest.Main(m)
}

func TestScenarios(t *testing.T) {
	addr := redistest.Addr(t)
	run := time.Now().UnixNano()
	for n, s := range scenario.All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			scenario.RunLive(t, s, func(t testing.TB) store.Store { return open(t, addr, fmt.Sprintf("semantics-%d-%d", run, n)) })
		})
	}
}

// open returns a store that has reached Redis.
func open(t testing.TB, addr, namespace string) store.Store {
	// A slow machine must not look like a Redis that is down.
	st, err := redisstore.New(redisstore.Options{Addrs: []string{addr}, Namespace: namespace, Timeout: 5 * time.Second, Trust: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		switch _, err := st.Get(t.Context(), "is anybody there"); {
		case errors.Is(err, store.ErrNotFound):
			return st
		case time.Now().After(deadline):
			t.Fatal(err)
		}
	}
}
