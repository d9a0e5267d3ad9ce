package consistency

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

// A fault is one way to disturb a fleet, for d at most.
type fault struct {
	name   string
	weight int
	do     func(t *trial, random *rand.Rand, d time.Duration)
}

// faults are what the schedule chooses from. Those of one instance, like a
// frozen process, are made at its link: what comes from Redis waits.
var faults = []fault{
	{"hold back pushes", 4, func(t *trial, r *rand.Rand, d time.Duration) { t.hold(t.someLink(r), d, redistest.Down) }},
	{"hold back requests", 3, func(t *trial, r *rand.Rand, d time.Duration) { t.hold(t.someLink(r), d, redistest.Up) }},
	{"freeze", 3, func(t *trial, r *rand.Rand, d time.Duration) { t.hold(t.someLink(r), d, redistest.Up, redistest.Down) }},
	{"cut", 3, func(t *trial, r *rand.Rand, _ time.Duration) { t.someLink(r).Cut() }},
	{"refuse", 2, func(t *trial, r *rand.Rand, d time.Duration) {
		link := t.someLink(r)
		link.Down()
		t.pause(d)
		link.Up()
	}},
	{"slow", 2, func(t *trial, r *rand.Rand, d time.Duration) {
		link := t.someLink(r)
		link.Delay(redistest.Down, 5*time.Millisecond)
		t.pause(d)
		link.Open(redistest.Down)
	}},
	// Not slower than rueidis bears: it closes what is silent for half a second.
	{"slower than the trust window", 3, func(t *trial, r *rand.Rand, d time.Duration) {
		link := t.someLink(r)
		link.Delay(redistest.Down, trust+80*time.Millisecond+d/6)
		t.pause(time.Second + d)
		link.Open(redistest.Down)
	}},
	{"stop Redis", 1, func(t *trial, _ *rand.Rand, d time.Duration) {
		t.redis.Stop()
		t.pause(d)
		t.redis.Cont()
	}},
	{"restart Redis, empty", 1, func(t *trial, _ *rand.Rand, _ time.Duration) { t.redis.Restart() }},
	{"forget a log", 4, func(t *trial, r *rand.Rand, _ time.Duration) { t.evict(r, "check:p1:*") }},
	{"forget keys", 4, func(t *trial, r *rand.Rand, _ time.Duration) { t.evict(r, "check:{*") }},
	{"FLUSHALL", 1, func(t *trial, _ *rand.Rand, _ time.Duration) { redistest.Command(t.redis.Addr(), "FLUSHALL") }},
	{"forget scripts", 1, func(t *trial, _ *rand.Rand, _ time.Duration) { redistest.Command(t.redis.Addr(), "SCRIPT", "FLUSH") }},
}

// disturb does one thing after another, chosen by the trial's seed, until the
// trial is over.
func (t *trial) disturb() {
	random := rand.New(rand.NewPCG(t.Seed, 1<<32))
	total := 0
	var chosen []fault
	for _, f := range faults {
		if t.Only == "" || t.Only == f.name {
			chosen, total = append(chosen, f), total+f.weight
		}
	}
	for !t.ended() {
		n := random.IntN(total)
		for _, f := range chosen {
			if n -= f.weight; n < 0 {
				t.report.fault(f.name)
				f.do(t, random, 50*time.Millisecond+time.Duration(random.Int64N(int64(time.Second))))
				break
			}
		}
		t.pause(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
	}
}

// pause waits, but not past the end of the trial.
func (t *trial) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.over:
	}
}

func (t *trial) someLink(random *rand.Rand) *redistest.Link {
	return t.instances[random.IntN(len(t.instances))].link
}

func (t *trial) hold(link *redistest.Link, d time.Duration, ways ...redistest.Direction) {
	for _, way := range ways {
		link.Shut(way)
	}
	t.pause(d)
	for _, way := range ways {
		link.Open(way)
	}
}

// evict deletes some of the keys that match, as Redis does when it is full.
func (t *trial) evict(random *rand.Rand, pattern string) {
	keys, err := redistest.Command(t.redis.Addr(), "KEYS", pattern).AsStrSlice()
	if err != nil {
		return // it has just been stopped
	}
	for _, key := range keys {
		if random.IntN(2) == 0 {
			if err := redistest.Command(t.redis.Addr(), "UNLINK", key).Error(); err != nil {
				t.report.fault(fmt.Sprint("evict: ", err))
			}
		}
	}
}
