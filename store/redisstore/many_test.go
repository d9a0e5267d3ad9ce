package redisstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// connected opens a Store, and waits until it is.
func connected(t testing.TB, o Options) *Store {
	t.Helper()
	s := open(t, o)
	eventually(t, 5*time.Second, "connected", func() bool { return s.client.Load() != nil })
	return s
}

// getMany returns the bodies that s has under keys; "" is none.
func getMany(s store.ManyGetter, keys []string) (bodies []string, err error) {
	items := make([]*store.Item, len(keys))
	err = s.GetMany(ctx, keys, items)
	for _, it := range items {
		if it == nil {
			bodies = append(bodies, "")
		} else {
			bodies = append(bodies, string(it.Body))
		}
	}
	return bodies, err
}

func manyKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	return keys
}

// gets returns how many GETs addr has executed.
func gets(addr string) int {
	m := regexp.MustCompile(`cmdstat_get:calls=(\d+)`).FindStringSubmatch(command(addr, "INFO", "commandstats"))
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// forget empties the local tier, and leaves what is known of the purge logs.
func (s *Store) forget() { s.local.items.InvalidateAll() }

// TestGetManyTakesOneRoundTrip holds back all answers until Redis has executed
// what it was sent: whatever had waited for one would not be there.
func TestGetManyTakesOneRoundTrip(t *testing.T) {
	server := newServer(t)
	p := newProxy(t, server.addr)
	// No heartbeat, which is a GET too, is due while this runs.
	o := Options{Namespace: randomNamespace(), Timeout: 5 * time.Second, Trust: time.Minute}
	o.Addrs = []string{server.addr}
	other := connected(t, o)
	o.Addrs = []string{p.addr}
	s := connected(t, o)
	keys := manyKeys(100)
	for _, k := range keys {
		fill(t, other, k, k, "tag of "+k, "all")
	}
	eventually(t, 5*time.Second, "known and trusted", func() bool {
		got, err := getMany(s, keys)
		return err == nil && slices.Equal(got, keys) && isLocal(s, store.Slot{Key: keys[99]})
	})
	costs := func(what string, want int, f func()) {
		t.Helper()
		before := gets(server.addr)
		p.down.set(true)
		done := make(chan struct{})
		go func() { defer close(done); f() }()
		eventually(t, 5*time.Second, what+" has asked", func() bool { return gets(server.addr) == before+want })
		p.down.set(false)
		<-done
		if n := gets(server.addr) - before; n != want {
			t.Errorf("%s: %d GETs, want %d", what, n, want)
		}
	}
	all := func() {
		if got, err := getMany(s, append(keys, keys...)); err != nil || !slices.Equal(got, append(keys, keys...)) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	costs("what is kept", 0, all)
	s.forget()
	costs("a hundred keys, twice each", 100, all)
	for _, k := range keys[:30] {
		s.local.drop(store.Slot{Key: k})
	}
	costs("what is not kept", 30, all)
	if _, err := other.Purge(ctx, store.Purge{Tags: []string{"unrelated"}}); err != nil {
		t.Fatal(err)
	}
	log := logOf(hashOf("all"))
	s.table.forget(1 << log) // as a push would, whichever log it was
	eventually(t, time.Second, "the push", func() bool { return s.table.now.Load()[logOf(hashOf("unrelated"))] == nil })
	want := 1
	if used(s, keys)&(1<<logOf(hashOf("unrelated"))) != 0 && logOf(hashOf("unrelated")) != log {
		want = 2
	}
	costs("logs that are not known", want, all)
	if n := testing.AllocsPerRun(100, func() { _ = s.GetMany(ctx, keys[:1], make([]*store.Item, 1)) }); n > 1 {
		t.Errorf("a local look allocates %v times beside items", n)
	}
}

// used returns the logs that what is kept under keys rests on.
func used(s *Store, keys []string) (set uint64) {
	for _, k := range keys {
		if it := s.local.find(store.Slot{Key: k}); it != nil {
			set |= it.logs
		}
	}
	return set
}

// TestGetManyBesideABadValue has one value that is damaged, one that is another
// key's and one that is no value at all, among good ones.
func TestGetManyBesideABadValue(t *testing.T) {
	addr, rec := sharedAddr(t), &counts{}
	o := Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second, Recorder: rec}
	s := connected(t, o)
	keys := manyKeys(10)
	for _, k := range keys {
		fill(t, s, k, k, "tag")
	}
	raw := command(addr, "GET", s.keys.base(keys[3]))
	command(addr, "SET", s.keys.base(keys[3]), raw[:len(raw)-1]+"!")
	command(addr, "SET", s.keys.base(keys[5]), command(addr, "GET", s.keys.base(keys[6])))
	want := slices.Clone(keys)
	want[3], want[5] = "", ""
	eventually(t, time.Second, "the pushes", func() bool { return !isLocal(s, store.Slot{Key: keys[3]}) && !isLocal(s, store.Slot{Key: keys[5]}) })
	s.forget()
	unreadable, ok := rec.get("get unreadable"), rec.get("get ok")
	if got, err := getMany(s, keys); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if n := rec.get("get unreadable") - unreadable; n != 2 {
		t.Errorf("%d recorded as unreadable", n)
	}
	if n := rec.get("get ok") - ok; n != 8 {
		t.Errorf("%d recorded as found", n)
	}
	command(addr, "DEL", s.keys.base(keys[3]))
	command(addr, "LPUSH", s.keys.base(keys[3]), "x")
	s.forget()
	got, err := getMany(s, keys)
	if err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "1 of 10 keys") || !slices.Equal(got, want) {
		t.Errorf("with a list under a key: %q, %v", got, err)
	}
	if s.breaker(0).open.Load() {
		t.Error("the breaker opened")
	}
}

func TestGetManyAfterAToken(t *testing.T) {
	addr := sharedAddr(t)
	p := newProxy(t, addr)
	o := Options{Addrs: []string{addr}, Namespace: randomNamespace(), Timeout: time.Second}
	b := connected(t, o)
	o.Addrs = []string{p.addr}
	a := connected(t, o)
	keys := manyKeys(10)
	for _, k := range keys {
		fill(t, b, k, k, "tag of "+k)
		warm(t, a, k)
	}
	a.beats.mu.Lock() // a has no proof that it has heard of what comes
	defer a.beats.mu.Unlock()
	done, err := b.Purge(ctx, store.Purge{Keys: keys[:3], Tags: []string{"tag of key7"}})
	if err != nil {
		t.Fatal(err)
	}
	v := view{a, a.tokens.sight(done.Token, a.clock())}
	want := slices.Clone(keys)
	want[0], want[1], want[2], want[7] = "", "", "", ""
	if got, err := getMany(store.Getter(v).(store.ManyGetter), keys); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	// And not by what is kept: that could be older than the token.
	before := gets(addr)
	if _, err := getMany(v, keys); err != nil {
		t.Fatal(err)
	}
	if n := gets(addr) - before; n < len(keys) {
		t.Errorf("%d of %d were asked for", n, len(keys))
	}
}

// TestGetManyTrustsNoOldLog has a log that nobody vouches for any more, and
// cannot be read: what rests on it is not answered.
func TestGetManyTrustsNoOldLog(t *testing.T) {
	s := connected(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: time.Second, Trust: time.Minute})
	fill(t, s, "k", "v", "tag")
	warm(t, s, "k")
	s.table.change(func(now *logs) {
		i := logOf(hashOf("tag"))
		l := *now[i]
		l.conn = &conn{s: s} // never proved alive
		now[i] = &l
	})
	for range cap(s.calls) {
		s.calls <- struct{}{}
	}
	if got, err := getMany(s, []string{"k"}); err == nil || got[0] != "" {
		t.Errorf("got %q, %v", got, err)
	}
	for range cap(s.calls) {
		<-s.calls
	}
	if got, err := getMany(s, []string{"k"}); err != nil || got[0] != "v" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestGetManyJoinsNoReadForAToken has a read of a key in flight that has begun
// before the token came. Who has none joins it, and reads for himself when it
// comes to nothing.
func TestGetManyJoinsNoReadForAToken(t *testing.T) {
	s := connected(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: 2 * time.Second, Trust: time.Minute})
	keys := manyKeys(5)
	for _, k := range keys {
		fill(t, s, k, k)
		warm(t, s, k)
	}
	it := s.local.find(store.Slot{Key: keys[2]})
	c, f := it.conn, &flight{done: make(chan struct{}), begun: s.clock()}
	c.mu.Lock()
	c.flights[read{s.keys.base(keys[2]), "GET"}] = f
	c.mu.Unlock()
	begun := time.Now()
	if got, err := getMany(view{s, s.clock()}, keys); err != nil || !slices.Equal(got, keys) || time.Since(begun) > time.Second {
		t.Errorf("with a token: %q, %v, after %v", got, err, time.Since(begun))
	}
	s.forget()
	time.AfterFunc(20*time.Millisecond, func() { c.take(s.keys.base(keys[2]), "GET").land(rueidis.RedisMessage{}, errJoin) })
	if got, err := getMany(s, keys); err != nil || !slices.Equal(got, keys) {
		t.Errorf("without: %q, %v", got, err)
	}
}

func TestGetManyWithoutRedis(t *testing.T) {
	server, rec := newServer(t), &counts{}
	o := Options{Addrs: []string{server.addr}, Timeout: 200 * time.Millisecond, Trust: 10 * time.Second, Recorder: rec}
	s := connected(t, o)
	keys := manyKeys(4)
	for _, k := range keys {
		fill(t, s, k, k)
	}
	for _, k := range keys[:2] {
		warm(t, s, k)
	}
	for _, k := range keys[2:] {
		s.local.drop(store.Slot{Key: k})
	}
	server.signal(syscall.SIGSTOP)
	begun := time.Now()
	got, err := getMany(s, append(keys, manyKeys(1000)...))
	if err == nil || got[0] != "key0" && got[0] != "" {
		t.Errorf("got %q, %v", got[:4], err)
	}
	// One deadline: the second batch finds the breaker open.
	if took := time.Since(begun); took > o.Timeout*3/2+slack {
		t.Errorf("it took %v", took)
	}
	if !s.breaker(0).open.Load() {
		t.Error("the breaker is closed")
	}
	if rec.get("get timeout") == 0 {
		t.Errorf("no timeout recorded: %v", rec.n)
	}
	server.signal(syscall.SIGCONT)
	eventually(t, 2*time.Second, "it is back", func() bool { got, err := getMany(s, keys); return err == nil && slices.Equal(got, keys) })
}

// TestGetManyOfMoreThanABatch asks for more than go into one exchange.
func TestGetManyOfMoreThanABatch(t *testing.T) {
	s := connected(t, Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: 5 * time.Second})
	keys := manyKeys(2*manyBatch + 100)
	want := make([]string, len(keys))
	for i := 0; i < len(keys); i += 50 {
		fill(t, s, keys[i], keys[i])
		want[i] = keys[i]
	}
	s.forget()
	if got, err := getMany(s, keys); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v", err)
	}
}

// TestGetManyInACluster stops one node, and then kills it: its keys fail, and
// those of the others are found.
func TestGetManyInACluster(t *testing.T) {
	nodes := newCluster(t)
	for _, n := range nodes {
		if got := n.command("CONFIG", "SET", "cluster-require-full-coverage", "no"); got != "+OK" {
			t.Fatal(got)
		}
	}
	s := connected(t, Options{Addrs: []string{nodes[0].addr, nodes[1].addr, nodes[2].addr}, Timeout: 500 * time.Millisecond, Trust: 100 * time.Millisecond})
	keys := manyKeys(100)
	for _, k := range keys {
		eventually(t, 2*time.Second, "filled", func() bool { return body(s, k) != "" || tryFill(s, k, k) == nil })
	}
	s.forget()
	before := gets(nodes[0].addr) + gets(nodes[1].addr) + gets(nodes[2].addr)
	if got, err := getMany(s, keys); err != nil || !slices.Equal(got, keys) {
		t.Fatalf("got %q, %v", got, err)
	}
	if n := gets(nodes[0].addr) + gets(nodes[1].addr) + gets(nodes[2].addr) - before; n < 100 || n > 180 {
		t.Errorf("%d GETs, heartbeats and unknown logs among them", n)
	}
	gone := func(k string) bool { return slotOf(escape(k)) >= 2*5462 }
	othersAreFound := func(when string) {
		t.Helper()
		eventually(t, 5*time.Second, "those of the other nodes are found "+when, func() bool {
			s.forget()
			got, err := getMany(s, keys)
			for i, k := range keys {
				if got[i] != "" && gone(k) {
					t.Fatalf("%s: %q of a node that is away", when, k)
				}
				if got[i] == "" && !gone(k) {
					return false
				}
			}
			return err != nil // of those that are gone
		})
	}
	nodes[2].signal(syscall.SIGSTOP)
	othersAreFound("while it hangs")
	nodes[2].kill()
	othersAreFound("when it is dead")
	time.Sleep(3 * time.Second) // the Cluster notices
	othersAreFound("when the Cluster knows")

	// Slots without a node, from the start: rueidis refuses all at once.
	for _, n := range nodes[:2] {
		if got := n.command("CLUSTER", "DELSLOTSRANGE", fmt.Sprint(2*5462), "16383"); got != "+OK" {
			t.Fatal(got)
		}
	}
	late := connected(t, Options{Addrs: []string{nodes[0].addr, nodes[1].addr}, Timeout: 2 * time.Second})
	got, err := getMany(late, keys)
	for i, k := range keys {
		if shared := home(k) == 2*5462/slotsPerLog; (got[i] == "") != gone(k) && !shared {
			t.Errorf("%q of a node that is there: %v, found %q (%v)", k, !gone(k), got[i], err)
		}
	}
}

// TestGetManyUnderPurges reads all keys at once while others purge and fill them.
func TestGetManyUnderPurges(t *testing.T) {
	o := Options{Addrs: []string{sharedAddr(t)}, Namespace: randomNamespace(), Timeout: 5 * time.Second}
	tr := &trial{T: t, instances: []*Store{connected(t, o), connected(t, o), connected(t, o)}, bound: 250 * time.Millisecond, pause: 5 * time.Millisecond, patience: 20 * time.Second}
	var found atomic.Int64
	var wg sync.WaitGroup
	for r := range 6 {
		wg.Go(func() {
			for i := r % 3; !tr.stop.Load(); {
				if t.Failed() {
					return
				}
				found.Add(tr.readMany(i))
			}
		})
	}
	tr.run(2 * time.Second)
	wg.Wait()
	if found.Load() == 0 {
		t.Error("nothing was found: nothing was tested")
	}
	t.Logf("%d found", found.Load())
}

// readMany checks what instance i has under all keys.
func (t *trial) readMany(i int) (found int64) {
	keys, here, everywhere := make([]string, 2*len(t.truths)), make([]int64, len(t.truths)), make([]int64, len(t.truths))
	for n := range keys {
		keys[n] = fmt.Sprint("key", n%len(t.truths))
	}
	rand.Shuffle(len(keys), func(a, b int) { keys[a], keys[b] = keys[b], keys[a] })
	begun := time.Now()
	for k := range t.truths {
		here[k], everywhere[k] = t.truths[k].floor[i].Load(), t.truths[k].older(begun.Add(-t.bound-slack))
	}
	got, err := getMany(t.instances[i], keys)
	if err != nil {
		t.Error(err)
	}
	for n, v := range got {
		if v == "" {
			continue
		}
		found++
		k, _ := strconv.Atoi(keys[n][len("key"):])
		if version, _ := strconv.ParseInt(v, 10, 64); version < here[k] || version < everywhere[k] {
			t.Errorf("key %d: %d; purged here up to %d, elsewhere long ago up to %d", k, version, here[k], everywhere[k])
		}
	}
	return found
}

// containsCall tells whether INFO commandstats has calls of a command.
func containsCall(stats, name string) bool { return strings.Contains(stats, "cmdstat_"+name+":calls=") }
