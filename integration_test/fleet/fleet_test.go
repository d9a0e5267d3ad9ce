package fleet

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func namespace(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()) }

func pair(t *testing.T) [2]*instance {
	t.Helper()
	redis, ns := redistest.Addr(t), namespace(t)
	two := [2]*instance{start(t, redis, ns), start(t, redis, ns)}
	two[0].must("GET", "/page/warm-up") // both are connected
	two[1].must("GET", "/page/warm-up")
	return two
}

func TestG4FiveHundredColdRequestsAtTwoProcessesRunTheHandlerOnce(t *testing.T) {
	two := pair(t)
	for round := range 5 {
		before := two[0].runs() + two[1].runs()
		path := fmt.Sprintf("/page/%d", round)
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				a, err := two[i%2].do("GET", path)
				if err != nil || a.status != 200 || a.text != fmt.Sprintf("page %d version 0", round) {
					t.Errorf("got %v, %v", a, err)
				}
			})
		}
		wg.Wait()
		if n := two[0].runs() + two[1].runs() - before; n != 1 {
			t.Errorf("round %d: the handler ran %d times for 500 requests", round, n)
		}
	}
}

// What is purged at one instance is gone there when the purge returns (G1), and
// at the others within 250 ms (G2).
func TestAPurgeAtOneProcessReachesTheOther(t *testing.T) {
	two := pair(t)
	for round, purge := range []string{"/purge?tag=page:a", "/purge?url=http://shop.example/page/a", "/purge?url=https://shop.example/page/a"} {
		for _, i := range two {
			i.must("POST", fmt.Sprintf("/version/%d", round))
		}
		old := fmt.Sprintf("page a version %d", round)
		for _, i := range two {
			i.must("GET", "/page/a")
			if a := i.must("GET", "/page/a"); a.xCache != "HIT" || a.text != old {
				t.Fatalf("not warm: %v", a)
			}
		}
		for _, i := range two {
			i.must("POST", fmt.Sprintf("/version/%d", round+1))
		}
		two[0].must("POST", purge)
		returned := time.Now()
		if a := two[0].must("GET", "/page/a"); a.text == old {
			t.Errorf("%s: the purger reads %q", purge, a.text)
		}
		for {
			asked := time.Since(returned)
			if a := two[1].must("GET", "/page/a"); a.text != old {
				break
			}
			if asked > 250*time.Millisecond {
				t.Fatalf("%s: the other instance still serves the old page %v later", purge, asked)
			}
		}
	}
}

// Redis dies under load, stays away, and comes back: no client sees an error,
// and the fleet shares again.
func TestG5KillingRedisUnderLoadGivesNoError(t *testing.T) {
	redis := redistest.Process(t)
	ns := namespace(t)
	two := [2]*instance{start(t, redis.Addr(), ns), start(t, redis.Addr(), ns)}

	var served, failed atomic.Int64
	var slowest atomic.Int64
	done := make(chan struct{})
	var clients sync.WaitGroup
	for c := range 16 {
		clients.Go(func() {
			for n := c; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				began := time.Now()
				path := fmt.Sprintf("/page/%d", n%5)
				a, err := two[n%2].do("GET", path)
				if err != nil || a.status != 200 || a.text != fmt.Sprintf("page %d version 0", n%5) {
					failed.Add(1)
					t.Errorf("after %d: %v, %v", served.Load(), a, err)
					return
				}
				served.Add(1)
				for took := int64(time.Since(began)); ; {
					if old := slowest.Load(); took <= old || slowest.CompareAndSwap(old, took) {
						break
					}
				}
			}
		})
	}
	await := func(what string, n int64) {
		t.Helper()
		until := served.Load() + n
		for deadline := time.Now().Add(30 * time.Second); served.Load() < until; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: only %d of %d more requests were served", what, n-(until-served.Load()), n)
			}
		}
	}
	await("with Redis", 500)
	redis.Kill()
	await("without Redis", 300)
	redis.Restart()
	await("with Redis again", 500)
	redis.Stop()
	await("with Redis hung", 100)
	redis.Cont()
	await("with Redis awake", 500)
	close(done)
	clients.Wait()
	t.Logf("%d requests served, %d failed, the slowest took %v of which the handler takes 200ms",
		served.Load(), failed.Load(), time.Duration(slowest.Load()))

	shared := func() bool {
		path := fmt.Sprintf("/page/%d", time.Now().UnixNano())
		two[0].must("GET", path)
		return two[1].must("GET", path).xCache == "HIT"
	}
	for deadline := time.Now().Add(10 * time.Second); !shared(); {
		if time.Now().After(deadline) {
			t.Fatal("the instances do not share again")
		}
	}
}

func TestRedisDownAtStart(t *testing.T) {
	redis := redistest.Process(t)
	redis.Kill()
	began := time.Now()
	i := start(t, redis.Addr(), namespace(t))
	if a := i.must("GET", "/page/1"); a.text != "page 1 version 0" {
		t.Errorf("got %v", a)
	}
	t.Logf("first answer %v after start", time.Since(began))
	redis.Restart()
	for deadline := time.Now().Add(10 * time.Second); i.must("GET", "/page/2").xCache != "HIT"; {
		if time.Now().After(deadline) {
			t.Fatal("the instance never found Redis")
		}
	}
}
