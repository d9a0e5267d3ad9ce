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
				if !until(t, "it is connected", func() bool { return cut.get("page", "length").cache == "HIT" }) {
					return
				}
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

// until is redistest.Eventually for other goroutines than the test's: it tells
// whether they may go on.
func until(t testing.TB, what string, ok func() bool) bool {
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not within 20s: %s", what)
			return false
		}
	}
	return true
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
				mu.Lock()
				bits++
				mu.Unlock()
				// What the reader keeps of the whole entry may be served until the
				// push has come.
				if !until(t, fmt.Sprintf("bit %d is a miss", bit), func() bool {
					a := reader.get("page", id)
					mu.Lock()
					defer mu.Unlock()
					answers = append(answers, a)
					if a.cache != "MISS" {
						served++
					}
					return a.cache == "MISS"
				}) {
					return
				}
			}
		})
	}
	all.Wait()
	noErrors(t, row, answers)
	figures.Exactly(t, row, fmt.Sprintf("misses, of %d bits", bits), len(only(answers, miss)), bits)
	figures.Note(t, row, "answers from before the push", served)
}

// The values of two keys change places: of two pages, and of two variants of one.
func TestRedisValuesSwapped(t *testing.T) {
	const row, rounds = "two keys' values swapped", 50
	t.Parallel()
	redis, ns := redistest.Process(t), namespace(t)
	two := newPair(t, &site{}, redisstore.Options{Addrs: []string{redis.Addr()}, Namespace: ns, Timeout: time.Second})
	redistest.Eventually(t, 10*time.Second, "shared hits", func() bool { return share(two) })
	third := thirdParty(t, redis.Addr())
	swap := func(keys []string) {
		t.Helper()
		if len(keys) != 2 {
			t.Fatalf("want two keys, have %q", keys)
		}
		left, _ := third("GET", keys[0]).ToString()
		right, _ := third("GET", keys[1]).ToString()
		third("SET", keys[0], right, "KEEPTTL")
		third("SET", keys[1], left, "KEEPTTL")
	}
	var pages, variants []answer
	for n := range rounds {
		left, right := fmt.Sprint("left", n), fmt.Sprint("right", n)
		two[0].page(left)
		two[0].page(right)
		swap([]string{keyOf(t, third, ns, left), keyOf(t, third, ns, right)})
		// The other instance has no copy.
		pages = append(pages, two[1].get("page", left), two[1].get("page", right))

		id := fmt.Sprint("words", n)
		for _, language := range []string{"de", "en"} {
			if a := two[0].ask("lang", id, language); a.err != nil {
				t.Fatal(a.err)
			}
		}
		keys, _ := third("KEYS", ns+":{*/lang/"+id+"}:v:*").AsStrSlice()
		swap(keys)
		variants = append(variants, two[1].ask("lang", id, "de"), two[1].ask("lang", id, "en"))
	}
	noErrors(t, row, append(pages, variants...))
	figures.Exactly(t, row, fmt.Sprintf("misses of %d pages", len(pages)), len(only(pages, miss)), len(pages))
	figures.Exactly(t, row, fmt.Sprintf("misses of %d variants", len(variants)), len(only(variants, miss)), len(variants))
}
