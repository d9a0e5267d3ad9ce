package faults

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/figures"
	"github.com/reprise-go/reprise/integration_test/redistest"
	"github.com/reprise-go/reprise/store/redisstore"
)

// Redis's answers to one instance end in the middle of an entry, at 200 places
// from its first byte to its last.
func TestRedisReplyCut(t *testing.T) {
	const row, offsets, lanes = "reply cut", 200, 4
	t.Parallel()
	redis, ns := redistest.Process(t), namespace(t)
	s := &site{filling: 3000}
	o := redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: ns, Timeout: time.Second}
	whole := newInstance(t, s, o, defaults)
	redistest.Eventually(t, 10*time.Second, "a hit", func() bool { return whole.page("length").cache == "HIT" })
	third := thirdParty(t, redis.Addr())
	length, err := third("STRLEN", keyOf(t, third, ns, "length")).AsInt64()
	if err != nil {
		t.Fatal(err)
	}

	var answers [offsets]answer
	var counted atomic.Int64
	var all sync.WaitGroup
	for lane := range lanes {
		link := redistest.NewLink(t, redis.Addr())
		o.Addrs = []string{link.Addr()}
		cut := newInstance(t, s, o, defaults)
		all.Go(func() {
			for n := lane; n < offsets; n += lanes {
				id := fmt.Sprint("cut", n)
				if a := whole.get("page", id); a.err != nil {
					t.Error(a.err)
				}
				// It has a connection, and knows the purge logs.
				until(t, "it is connected", func() bool { return cut.get("page", "length").cache == "HIT" })
				cut.ops.reset()
				link.CutAfter(redistest.Down, int64(n)*length/offsets)
				answers[n] = cut.get("page", id)
				link.CutAfter(redistest.Down, -1)
				if cut.ops.of("error", "timeout") > 0 {
					counted.Add(1)
				}
			}
		})
	}
	all.Wait()
	noErrors(t, row, answers[:])
	figures.Exactly(t, row, fmt.Sprintf("misses, at %d places of %d bytes", offsets, length), len(only(answers[:], miss)), offsets)
	figures.Exactly(t, row, "counted as failed", int(counted.Load()), offsets)
}

// until is redistest.Eventually for other goroutines than the test's.
func until(t testing.TB, what string, ok func() bool) {
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not within 20s: %s", what)
			return
		}
	}
}

// Every bit of an entry is turned over, one after another. Redis pushes the
// change out of the instances' memory as it would any other.
func TestRedisBitFlips(t *testing.T) {
	const row, lanes = "every bit flipped", 4
	t.Parallel()
	redis, ns := redistest.Process(t), namespace(t)
	two := newPair(t, &site{}, redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: ns, Timeout: time.Second})
	redistest.Eventually(t, 10*time.Second, "shared hits", func() bool { return share(two) })
	var all sync.WaitGroup
	var mu sync.Mutex
	var answers []answer
	bits, served := 0, 0
	for lane := range lanes {
		third := thirdParty(t, redis.Addr())
		id := fmt.Sprint("b", lane)
		two[0].page(id)
		key := keyOf(t, third, ns, id)
		all.Go(func() {
			reader := two[lane%2]
			for bit := lane; ; bit += lanes {
				value, _ := third("GET", key).ToString()
				if bit >= 8*len(value) {
					return
				}
				flipped := value[bit/8] ^ 1<<(bit%8)
				third("SETRANGE", key, strconv.Itoa(bit/8), string([]byte{flipped}))
				var a answer
				// What the reader keeps of the whole entry may be served until the
				// push has come.
				until(t, fmt.Sprintf("bit %d is a miss", bit), func() bool {
					a = reader.get("page", id)
					mu.Lock()
					defer mu.Unlock()
					answers = append(answers, a)
					if a.cache != "MISS" {
						served++
					}
					return a.cache == "MISS"
				})
				mu.Lock()
				bits++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	noErrors(t, row, answers)
	figures.Exactly(t, row, fmt.Sprintf("misses, of %d bits", bits), len(only(answers, miss)), bits)
	figures.Note(t, row, "answers from before the push", served)
}

// The values of two keys change places, or one takes the place of the other.
func TestRedisValuesSwapped(t *testing.T) {
	const row, rounds = "two keys' values swapped", 50
	t.Parallel()
	redis, ns := redistest.Process(t), namespace(t)
	two := newPair(t, &site{}, redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: ns, Timeout: time.Second})
	redistest.Eventually(t, 10*time.Second, "shared hits", func() bool { return share(two) })
	third := thirdParty(t, redis.Addr())
	var answers []answer
	for n := range rounds {
		var keys, values [2]string
		ids := [2]string{fmt.Sprint("left", n), fmt.Sprint("right", n)}
		for i, id := range ids {
			two[0].page(id)
			keys[i] = keyOf(t, third, ns, id)
			values[i], _ = third("GET", keys[i]).ToString()
		}
		for i := range ids {
			third("SET", keys[i], values[1-i], "KEEPTTL")
		}
		for _, id := range ids {
			answers = append(answers, two[1].get("page", id)) // who has no copy
		}
	}
	noErrors(t, row, answers)
	figures.Exactly(t, row, fmt.Sprintf("misses, of %d answers", len(answers)), len(only(answers, miss)), len(answers))
}
