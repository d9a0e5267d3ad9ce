package faults

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store/redisstore"
)

func TestRedisDownAtStart(t *testing.T) {
	const row = "down at start"
	redis := redistest.Process(t)
	redis.Kill()
	s := &site{}
	o := redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: namespace(t)}
	slowest := time.Duration(0)
	for range 3 {
		began := time.Now()
		st, err := redisstore.New(o)
		slowest = max(slowest, time.Since(began))
		if err != nil {
			t.Fatal(err)
		}
		st.Close()
	}
	two := newPair(t, s, o)
	tr := drive(4, time.Millisecond, func(c, n int) answer { return two[n%2].get("page", fmt.Sprint(n%10)) })
	time.Sleep(300 * time.Millisecond) // of load on a Redis that is not there
	redis.Restart()
	back := redistest.Eventually(t, 20*time.Second, "shared hits", func() bool { return share(two) })
	answers := tr.end()

	figures.AtMost(t, row, "New", slowest.Round(time.Millisecond), 100*time.Millisecond)
	noErrors(t, row, answers)
	figures.AtMost(t, row, "shared hits after the start", round(back), 2*time.Second)
}

// What every outage of Redis is measured by.
const (
	work     = 5 * time.Millisecond // of the handler
	deadline = 50 * time.Millisecond
	trust    = 500 * time.Millisecond // redisstore's default
)

// An outage is a way for Redis to be away, and back.
type outage struct {
	row        string
	redis      *redistest.Server
	addr       string // at which the instances find it
	lasts      time.Duration
	begin, end func() // end returns when Redis answers again
}

// impact is what an outage did to those who asked.
type impact struct {
	answers     []answer
	hits        int
	goroutines  int           // more than before
	first, then time.Duration // added p99: in the first second, and then
	hot         time.Duration // added p99 of local hits, in the server
	cold        time.Duration // added p99 of the handler's answers, once it is known that Redis is away
	back        time.Duration // from Redis's return to shared hits
	op, slowest time.Duration // p99.9 and maximum of store operations
}

// bars are what an outage may do at most.
var bars = impact{
	goroutines: 200, first: 60 * time.Millisecond, then: 2 * time.Millisecond, hot: time.Millisecond,
	cold: 5 * time.Millisecond, back: time.Second, op: deadline + 10*time.Millisecond,
}

// run drives load through an outage. Two clients in five ask handlers without a
// cache, so that what a busy machine adds is taken off.
func (o outage) run(t *testing.T) impact {
	t.Helper()
	s := &site{work: work}
	two := newPair(t, s, redisstore.Options{Addrs: []string{o.addr}, Namespace: namespace(t), Timeout: deadline})
	redistest.Eventually(t, 10*time.Second, "shared hits", func() bool { return share(two) })
	tr := drive(8, 4*time.Millisecond, func(c, n int) answer {
		i := two[(c+n)%2]
		switch n % 5 {
		case 0:
			return i.get("bare", fmt.Sprint("bare", c))
		case 1:
			return i.get("plain", fmt.Sprint("plain", c))
		case 2:
			return i.get("page", newPage())
		default:
			return i.get("page", fmt.Sprint("hot", (c+n)%10))
		}
	})
	time.Sleep(500 * time.Millisecond) // hot pages become local
	base := runtime.NumGoroutine()
	for _, i := range two {
		i.ops.reset()
	}

	began := time.Now()
	o.begin()
	most := 0
	for time.Since(began) < o.lasts {
		most = max(most, runtime.NumGoroutine())
		time.Sleep(10 * time.Millisecond)
	}
	ended := time.Now()
	o.end()
	back := redistest.Eventually(t, 20*time.Second, "shared hits", func() bool { return share(two) })
	im := impact{answers: tr.end(), back: back, goroutines: most - base}

	worked := only(im.answers, func(a answer) bool { return !strings.HasPrefix(a.id, "plain") })
	im.first = added(between(worked, began, began.Add(time.Second)))
	known := between(worked, began.Add(time.Second), ended)
	im.then = added(known)
	im.cold = added(only(known, func(a answer) bool { return !a.cached || a.cache == "MISS" }))
	served := between(append(two[0].timings(), two[1].timings()...), began, ended)
	im.hits = len(only(served, cached))
	if im.hits > 0 {
		im.hot = added(served)
	}
	took := append(two[0].ops.durations(), two[1].ops.durations()...)
	im.op, im.slowest = rank(0.999, took), rank(1, took)
	return im
}

// times are those of im that a busy machine may spoil.
func (im *impact) times() []*time.Duration {
	return []*time.Duration{&im.first, &im.then, &im.hot, &im.cold, &im.back, &im.op, &im.slowest}
}

// measure prints of each figure the best of five rounds, for others use the
// machine too; what Redis's absence itself costs is in every round. Of what
// nobody else can spoil, it prints the worst.
func (o outage) measure(t *testing.T) {
	t.Helper()
	best := o.run(t)
	good := func() bool {
		for n, d := range best.times() {
			if bar := *bars.times()[n]; bar > 0 && *d > bar {
				return false
			}
		}
		return true
	}
	for n := 1; n < 5 && !good(); n++ {
		im := o.run(t)
		for n, d := range im.times() {
			*best.times()[n] = min(*best.times()[n], *d)
		}
		best.answers, best.hits = append(best.answers, im.answers...), best.hits+im.hits
		best.goroutines = max(best.goroutines, im.goroutines)
	}
	noErrors(t, o.row, best.answers)
	figures.AtMost(t, o.row, "added p99 in the first second", round(best.first), bars.first)
	figures.AtMost(t, o.row, "added p99 then", round(best.then), bars.then)
	figures.AtMost(t, o.row, fmt.Sprintf("added p99 of %d local hits", best.hits), round(best.hot), bars.hot)
	figures.AtMost(t, o.row, "added p99 of cold answers then", round(best.cold), bars.cold)
	figures.AtMost(t, o.row, "shared hits after it", round(best.back), bars.back)
	figures.AtMost(t, o.row, "goroutines more than before", best.goroutines, bars.goroutines)
	figures.AtMost(t, o.row, "p99.9 of store operations", round(best.op), bars.op)
	figures.Note(t, o.row, "the longest store operation", round(best.slowest))
}

func TestRedisKilledUnderLoad(t *testing.T) {
	redis := redistest.Process(t)
	outage{row: "SIGKILL under load, restart", redis: redis, addr: redis.Addr(), lasts: 2 * time.Second,
		begin: redis.Kill, end: redis.Restart}.measure(t)
}

// hangs is how long Redis hangs: long enough for every timeout, and with
// FAULTS_LONG as long as the table says.
func hangs() time.Duration {
	if os.Getenv("FAULTS_LONG") != "" {
		return 30 * time.Second
	}
	return 5 * time.Second
}

func TestRedisStopped(t *testing.T) {
	redis := redistest.Process(t)
	outage{row: "SIGSTOP", redis: redis, addr: redis.Addr(), lasts: hangs(),
		begin: redis.Stop, end: redis.Cont}.measure(t)
}

// While all that is asked for is kept locally, a hung Redis is noticed by its
// heartbeats alone. Once the trust window is over every request is the handler's,
// or joins one that is. Others use the machine too: the best of five rounds
// counts for what they may disturb.
func TestRedisStoppedWhileAllIsLocal(t *testing.T) {
	const row, away = "SIGSTOP, all local", 1200 * time.Millisecond
	redis := redistest.Process(t)
	s := &site{work: work}
	o := redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: namespace(t), Timeout: deadline}
	i := newInstance(t, s, o, defaults)
	var all []answer
	hot, last := time.Hour, time.Duration(0)
	hits, runs, after := 0, 0, 0
	for n := 0; n < 5 && hot > bars.hot; n++ {
		redistest.Eventually(t, 10*time.Second, "it is kept", func() bool { return i.keeps("hot") })
		tr := drive(8, 2*time.Millisecond, func(c, n int) answer { return i.get([]string{"page", "plain"}[n%2], "hot") })
		time.Sleep(300 * time.Millisecond)
		i.timings()
		before, began := s.runs.Load(), time.Now()
		redis.Stop()
		time.Sleep(away)
		served := i.timings()
		runs += int(s.runs.Load() - before)
		redis.Cont()
		answers := tr.end()
		all = append(all, answers...)
		local := only(served, cached)
		hot, hits = min(hot, added(between(served, began, began.Add(trust)))), hits+len(local)
		for _, a := range local {
			last = max(last, a.asked.Sub(began))
		}
		after += len(only(between(answers, began.Add(trust+deadline), began.Add(away)), cached))
	}
	noErrors(t, row, all)
	figures.AtMost(t, row, fmt.Sprintf("added p99 of %d local hits", hits), round(hot), bars.hot)
	figures.AtMost(t, row, "the last local hit after it", round(last), trust)
	figures.AtMost(t, row, fmt.Sprintf("handler's runs for %d answers", after), runs, after/3)
}

func TestRedisSlow(t *testing.T) {
	redis := redistest.Process(t)
	link := redistest.NewLink(t, redis.Addr())
	outage{row: "200 ms slow", redis: redis, addr: link.Addr(), lasts: 3 * time.Second,
		begin: func() { link.Delay(redistest.Down, 200*time.Millisecond) },
		end:   func() { link.Open(redistest.Down) }}.measure(t)
}
