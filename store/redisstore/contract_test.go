package redisstore

import (
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/storetest"
)

func TestContract(t *testing.T) {
	addr := sharedAddr(t)
	const lease = 300 * time.Millisecond
	options := func() Options {
		return Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second, Lease: lease}
	}
	storetest.Run(t, storetest.Suite{
		New: func(t *testing.T) store.Store { return open(t, options()) },
		Pair: func(t *testing.T) (a, b store.Store) {
			o := options()
			return open(t, o), open(t, o)
		},
		Lapse: lease + 100*time.Millisecond + slack,
		Kill:  func(s store.Store) { s.(*Store).Kill() },
	})
}
