// Package storetest proves that a backend keeps the contract of package store:
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, storetest.Suite{New: func(t *testing.T) store.Store { … }})
//	}
//
// It needs no fake clock, so that it runs on a real server as well. The suite
// is itself tested: stores with one fault each have to fail it.
package storetest

import (
	"cmp"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// A Suite says how to get at the stores to test. The functions end what they
// open with t.Cleanup. The stores have to be empty, reachable, share nothing
// with those of the call before, and give up on their backend only when a busy
// machine would have answered: errors fail the test.
type Suite struct {
	_ [0]func()

	// New opens a store.
	New func(t *testing.T) store.Store

	// Pair opens two stores on one backend, as two processes have them; nil
	// for a store of one process.
	Pair func(t *testing.T) (a, b store.Store)

	// Lapse is how long it takes at most until the lease of a holder who died
	// passes on; 0 for a store of one process. The suite waits for it a few
	// times: make it short.
	Lapse time.Duration

	// Kill makes s die, as far as others can tell: it stops to renew its
	// leases and releases none. s is not used afterwards. nil: not tried.
	Kill func(s store.Store)

	// Races is how long each of some twenty races is run at most; 0: 2 s. A slow
	// store that the suite runs on in several configurations needs less in all but one.
	Races time.Duration
}

// Run runs the suite, each promise in a subtest of its own. What is promised of
// store.ManyGetter and store.Pinger is skipped for stores that are none.
func Run(t *testing.T, s Suite) {
	for _, c := range checks() {
		if c.lapse && s.Lapse == 0 || c.kill && s.Kill == nil {
			continue // the Suite says that this store has no such thing
		}
		t.Run(c.name, func(t *testing.T) {
			r := &room{tb: t, lapse: s.Lapse, kill: s.Kill, patience: 10*time.Second + 2*s.Lapse, races: cmp.Or(s.Races, hammerTime)}
			if c.two && s.Pair != nil {
				r.a, r.b = s.Pair(t)
			} else {
				r.a = s.New(t)
				r.b = r.a
			}
			if !c.suits(r.a) {
				t.Skip("the store has no such ability")
			}
			c.run(r)
		})
	}
}

// A check is one promise.
type check struct {
	name string
	run  func(*room)

	two   bool // run on a Pair where there is one; else a and b are one store
	lapse bool // only where holders may die: see Suite.Lapse
	kill  bool // only with Suite.Kill
	many  bool // only of a store.ManyGetter
	ping  bool // only of a store.Pinger
	race  bool // goroutines race, so that a fault shows with some luck
}

// suits tells whether st has the ability that c is of.
func (c check) suits(st store.Store) bool {
	_, many := st.(store.ManyGetter)
	_, ping := st.(store.Pinger)
	return (many || !c.many) && (ping || !c.ping)
}

func checks() []check {
	var all []check
	for _, of := range [][]check{
		valueChecks(), keyChecks(), variantChecks(), fullChecks(), leaseChecks(), lapseChecks(), changeChecks(), waitChecks(),
		purgeChecks(), matchChecks(), overtakeChecks(), softChecks(), raceChecks(), manyChecks(), pingChecks(),
	} {
		all = append(all, of...)
	}
	return all
}
