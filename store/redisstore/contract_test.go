package redisstore

import (
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	keepsContract(t, Options{Addrs: []string{sharedAddr(t)}}, time.Second)
}

// races is how long each race is run where the store is only set up otherwise.
const races = 300 * time.Millisecond

// keepsContract runs the contract's suite on stores with these options, each
// test in a namespace of its own.
func keepsContract(t *testing.T, o Options, races time.Duration) {
	t.Helper()
	const lease = 300 * time.Millisecond
	o.Timeout, o.Lease = 5*time.Second, lease // whatever else the machine does
	options := func() Options {
		o.Namespace = randomNamespace()
		return o
	}
	connect := func(t *testing.T, o Options) *Store {
		s := open(t, o)
		eventually(t, 5*time.Second, "connected", func() bool { return s.client.Load() != nil })
		return s
	}
	storetest.Run(t, storetest.Suite{
		New: func(t *testing.T) store.Store { return connect(t, options()) },
		Pair: func(t *testing.T) (a, b store.Store) {
			o := options()
			return connect(t, o), connect(t, o)
		},
		Lapse: lease + 100*time.Millisecond + slack,
		Kill:  func(s store.Store) { s.(*Store).Kill() },
		Races: races,
	})
}
