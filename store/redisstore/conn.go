package redisstore

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// errJoin: the read that this one joined came to nothing; read for yourself.
var errJoin = errors.New("redisstore: joined read was given up")

// A conn is what rueidis calls a CacheStore: the cache's side of one tracked
// connection. Update, Delete and Close run in the connection's reader, one
// after another and in the order of Redis's answers and pushes; everything that
// depends on that order happens in them.
type conn struct {
	s *Store

	// proof is when the newest answered heartbeat was sent, suspect when a
	// read on this connection was last given up (on the store's clock; 0:
	// never). An answer proves that all pushes before it were read.
	proof, suspect atomic.Int64
	// beat is when the heartbeat was sent that has no answer yet; 0: there is none.
	beat atomic.Int64
	// joined is when it was first read on; of beats, under their lock.
	joined int64

	gen    atomic.Uint64 // rises when Redis says that it forgot all it tracked
	closed atomic.Bool

	mu      sync.Mutex
	flights map[read]*flight
	tag     string // hash tag of a key lately read here, to send heartbeats by
}

// A read names a tracked read in flight.
type read struct{ key, cmd string }

// A flight is a tracked read that others may join.
type flight struct {
	done  chan struct{}
	begun int64
	val   rueidis.RedisMessage
	err   error
}

// Wait is of rueidis.CacheEntry.
func (f *flight) Wait(ctx context.Context) (rueidis.RedisMessage, error) {
	select {
	case <-ctx.Done():
		return rueidis.RedisMessage{}, ctx.Err()
	case <-f.done:
		return f.val, f.err
	}
}

// unsent is the done of a heartbeat that is not sent, since one is on its way.
var unsent = func() chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}()

func (f *flight) land(val rueidis.RedisMessage, err error) {
	f.val, f.err = val, err
	close(f.done)
}

// live reports whether what c tracks can be trusted, and shows what had happened
// by after: the one place that decides.
func (c *conn) live(now, after int64) bool {
	proof := c.proof.Load()
	return proof > c.suspect.Load() && proof > after && now-proof < c.s.trust && !c.closed.Load()
}

// suspected reports whether answers may still come for reads that were given
// up. rueidis matches an answer to a read by its key only, so it would take the
// late answer for that of a newer read. An answered heartbeat that was sent
// after the last such read ends it, since a connection answers in order.
func (c *conn) suspected() bool {
	s := c.suspect.Load()
	return s != 0 && c.proof.Load() <= s
}

// awaitsBeat reports whether the answer of a heartbeat may still come.
func (c *conn) awaitsBeat() bool {
	sent := c.beat.Load()
	return sent != 0 && c.s.clock()-sent < int64(beatLost)
}

// Flight begins a read, or joins one. Our own look-up has been made before.
func (c *conn) Flight(key, cmd string, _ time.Duration, _ time.Time) (none rueidis.RedisMessage, _ rueidis.CacheEntry) {
	now := c.s.clock()
	if strings.HasSuffix(key, beatMark) {
		// One of another connection, whose slot has moved, may come here too.
		if sent := c.beat.Load(); c.awaitsBeat() || !c.beat.CompareAndSwap(sent, now) {
			return none, &flight{done: unsent, err: errJoin}
		}
		return none, nil
	}
	if c.suspected() {
		return none, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return none, nil
	}
	if f := c.flights[read{key, cmd}]; f != nil {
		if now-f.begun > c.s.timeout {
			return none, nil
		}
		return none, f
	}
	if c.flights == nil {
		c.flights = make(map[read]*flight)
		defer c.s.beats.join(c)
	}
	if tag, _, ok := c.s.keys.split(key); ok {
		c.tag = tag
	}
	c.flights[read{key, cmd}] = &flight{done: make(chan struct{}), begun: now}
	return none, nil
}

// Update takes the answer of a read.
func (c *conn) Update(key, cmd string, val rueidis.RedisMessage) (pxat int64) {
	if strings.HasSuffix(key, beatMark) {
		if sent := c.beat.Swap(0); sent != 0 {
			c.proof.Store(sent)
		}
		if c.suspected() { // by a read given up since
			c.s.beats.kick()
		}
		return 0
	}
	suspected := c.suspected()
	if cmd == "GET" && !suspected {
		c.keep(key, val)
	}
	if f := c.take(key, cmd); f != nil {
		if suspected {
			f.land(rueidis.RedisMessage{}, errJoin)
		} else {
			f.land(val, nil)
		}
	}
	return 0
}

// keep puts what Redis returned under key into local memory.
func (c *conn) keep(key string, val rueidis.RedisMessage) {
	raw, err := val.ToString()
	if i, ok := c.s.keys.logOf[key]; ok {
		if l, ok := parseLog(raw); err == nil && ok {
			l.conn = c
			c.s.table.install(i, l)
		}
		return
	}
	slot, ok := c.s.keys.parse(key)
	if !ok {
		return
	}
	it, bad := c.s.decode(slot, raw)
	if err != nil || bad != nil {
		c.s.local.drop(slot)
		return
	}
	it.conn, it.gen = c, uint32(c.gen.Load())
	c.s.local.put(it)
}

// Cancel ends a read that failed. It runs in the goroutine of the one who read,
// or in the reader if Redis answered with an error.
func (c *conn) Cancel(key, cmd string, err error) {
	_, answered := rueidis.IsRedisErr(err)
	if strings.HasSuffix(key, beatMark) {
		if answered { // an error proves nothing, but it is the answer
			c.beat.Store(0)
		}
		return
	}
	if !answered {
		c.suspect.Store(c.s.clock())
		c.s.beats.kick()
	}
	if f := c.take(key, cmd); f != nil {
		f.land(rueidis.RedisMessage{}, errJoin)
	}
}

func (c *conn) take(key, cmd string) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[read{key, cmd}]
	delete(c.flights, read{key, cmd})
	return f
}

// Delete takes a push: these keys have changed; nil: everything may have.
func (c *conn) Delete(keys []rueidis.RedisMessage) {
	if keys == nil {
		c.flush()
		return
	}
	for i := range keys {
		key, err := keys[i].ToString()
		if err != nil {
			continue
		}
		if log, ok := c.s.keys.logOf[key]; ok {
			c.s.table.forget(1 << log)
		} else if slot, ok := c.s.keys.parse(key); ok {
			c.s.local.drop(slot)
		} else {
			c.s.wakers.wake(key)
		}
	}
}

// Close ends the connection: Redis has forgotten what it tracked for it.
func (c *conn) Close(error) {
	c.closed.Store(true)
	c.mu.Lock()
	flights := c.flights
	c.flights = nil
	c.mu.Unlock()
	c.s.beats.leave(c) // after the lock: a Flight that came first has joined
	for _, f := range flights {
		f.land(rueidis.RedisMessage{}, errJoin)
	}
	if flights != nil { // a connection without reads, one of rueidis's pools, keeps nothing
		c.flush()
		c.s.purgeAgain()
	}
}

func (c *conn) flush() {
	c.gen.Add(1)
	c.s.table.forgetConn(c)
	c.s.wakers.wakeAll()
	c.s.local.dropIf(func(it *item) bool { return it.conn == c })
}

// heartbeatTag returns the hash tag to send c's next heartbeat by.
func (c *conn) heartbeatTag() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tag
}
